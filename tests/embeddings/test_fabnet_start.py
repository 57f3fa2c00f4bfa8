"""What a run begins with: another network's trunk, an encoder, a run; and a code that begins as what changes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from fabnet_runs import ENCODER, tiny, write_drawn_tracks

from omokage.embeddings.config import EmbeddingConfig
from omokage.embeddings.curriculum import Curriculum
from omokage.embeddings.data import Side, split
from omokage.embeddings.model import FaceEncoder
from omokage.embeddings.network import FabNet
from omokage.embeddings.start import start_from
from omokage.embeddings.store import open_store
from omokage.embeddings.train import build_optimizer, train
from omokage.errors import TrainingError
from omokage.nn.pictures import normalise
from omokage.training.schedule import set_rate
from omokage.weights import registry

_MAP = "categories.continuous-local-face.squeeze."


@pytest.fixture(scope="module")
def tracks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_drawn_tracks(tmp_path_factory.mktemp("tracks"), people=40)


@pytest.fixture(scope="module")
def side(tracks: Path, tmp_path_factory: pytest.TempPathFactory) -> Side:
    config = tiny(tracks, tmp_path_factory.mktemp("run"))
    store = open_store(config.data.folders, tmp_path_factory.mktemp("crops"), ENCODER.size, ENCODER.margin)
    return split(store, config.data)[0]


def attributes(folder: Path, encoder: FaceEncoder) -> Path:
    """Weights of the attributes room whose trunk and map are this encoder's."""
    names = {k: k.replace("squeeze.", _MAP) for k in encoder.state_dict() if k.startswith(("trunk.", "squeeze."))}
    tensors = {new: encoder.state_dict()[k] for k, new in names.items()}
    card = registry.Card("attributes", "mine", {}, {}, trained_on="drawn labels")
    registry.save(folder, {**tensors, "categories.ordinal-holistic.heads.bias": torch.zeros(3)}, card)
    return folder


def begun(config: EmbeddingConfig, side: Side) -> tuple[FabNet, str]:
    model = FabNet(config)
    return model, start_from(config.init, model, Curriculum.of(config), side, config.seed)


def test_the_trunk_of_the_attributes_room_and_a_code_of_what_changes(tracks: Path, side: Side, tmp_path: Path) -> None:
    torch.manual_seed(5)
    taught = FaceEncoder(replace(ENCODER, width=24))
    config = tiny(tracks, tmp_path / "run", encoder=taught.config, init=str(attributes(tmp_path / "w", taught)))
    model, origin = begun(config, side)
    assert origin.startswith("mine/attributes@")
    assert origin.endswith("(drawn labels)")
    for name, tensor in taught.state_dict().items():
        if name.startswith(("trunk.", "squeeze.")) and tensor.is_floating_point():
            assert torch.allclose(model.encoder.state_dict()[name], tensor, atol=2e-3), name  # kept in half precision
    inside = []
    with torch.inference_mode():
        for (track,) in side.people:
            crops = torch.from_numpy(np.stack([side.store.exact(int(f)) for f in track]))
            codes = model.encoder.eval()(normalise(crops)).numpy()
            inside.append(codes - codes.mean(0))
    spread = np.concatenate(inside).std(0)
    assert ((spread > 0.5) & (spread < 2)).all()  # of the order of one: fitted to four frames of each of these tracks


def test_directions_are_dealt_to_the_pose_part_and_the_rest(tracks: Path, side: Side, tmp_path: Path) -> None:
    """The strongest direction is the first number, the second strongest the first behind the pose part."""
    taught = FaceEncoder(replace(ENCODER, width=24))
    config = tiny(tracks, tmp_path / "run", encoder=taught.config, init=str(attributes(tmp_path / "w", taught)))
    model, _ = begun(config, side)
    strength = 1 / model.encoder.code.weight.detach().norm(dim=1).numpy()
    pose = config.decoder.pose
    order = np.argsort(-strength)
    assert order[:4].tolist() == [0, pose, 1, pose + 1]


def test_an_encoder_goes_on(tracks: Path, side: Side, tmp_path: Path) -> None:
    run = train(tiny(tracks, tmp_path / "run", 2))
    config = tiny(tracks, tmp_path / "next", 2, init=str(run / "weights"), encoder_rate=0.1)
    model, origin = begun(config, side)
    saved, card = registry.load(run / "weights", "encoder")
    assert origin == f"{card.id} (rendered tracks)"
    assert all(torch.equal(model.encoder.state_dict()[k], v) for k, v in saved.items())
    after = registry.read_card(train(config) / "weights", "encoder")
    assert after.trained_on == f"rendered tracks, begun from {origin}"


def test_a_run_folder_is_gone_on_from(tracks: Path, side: Side, tmp_path: Path) -> None:
    run = train(tiny(tracks, tmp_path / "run", 2))
    model, origin = begun(tiny(tracks, tmp_path / "next", init=str(run)), side)
    assert origin == "the run run"
    kept, _ = registry.load(run / "weights", "encoder")
    assert torch.allclose(model.encoder.code.weight, kept["code.weight"], atol=2e-3)


def test_the_encoder_learns_at_its_share_of_the_rate(tracks: Path, tmp_path: Path) -> None:
    config = tiny(tracks, tmp_path / "run", encoder_rate=0.25)
    model = FabNet(config)
    optimizer = build_optimizer(config, model)
    set_rate(optimizer, 0.4)
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    assert {rates[id(p)] for p in model.encoder.parameters()} == {0.1}
    assert {rates[id(p)] for p in model.decoder.parameters()} == {0.4}
    assert len(rates) == len(list(model.parameters()))


def test_what_cannot_be_begun_with(tracks: Path, side: Side, tmp_path: Path) -> None:
    other = attributes(tmp_path / "other", FaceEncoder(replace(ENCODER, widths=(8, 16))))
    with pytest.raises(TrainingError, match="holds no attributes whose trunk is this encoder's"):
        begun(tiny(tracks, tmp_path / "a", init=str(other)), side)
    with pytest.raises(TrainingError, match="no weights folder or set with an encoder or attributes"):
        begun(tiny(tracks, tmp_path / "b", init=f"{other}/encoder"), side)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "config.json").write_text(json.dumps({}))
    with pytest.raises(TrainingError, match="has no checkpoint"):
        begun(tiny(tracks, tmp_path / "c", init=str(tmp_path / "bare")), side)
    with pytest.raises(TrainingError, match="share above 0"):
        tiny(tracks, tmp_path / "d", encoder_rate=0.0)

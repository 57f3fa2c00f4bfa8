"""Tiny models of three families, built from their configurations, through the same door, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from omokage.dialogue import families, lora
from omokage.dialogue.conversation import DialogueModel, Turn
from omokage.dialogue.hub import HubModel, is_hub
from omokage.dialogue.predict import load
from omokage.errors import InputError, WeightsError

SIDE, PATCH = 28, 14
TEXT: dict[str, Any] = {
    "vocab_size": 400, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2,
    "num_key_value_heads": 2, "max_position_embeddings": 256,
}  # fmt: skip
VISION: dict[str, Any] = {
    "hidden_size": 24, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "image_size": SIDE,
    "patch_size": PATCH,
}  # fmt: skip
MARKS = {
    "llava": ["<image>"],
    "smolvlm": ["<image>", "<fake_token_around_image>", "<global-img>", "<end_of_utterance>"],
    "internvl": ["<IMG_CONTEXT>", "<img>", "</img>", "<|im_start|>", "<|im_end|>"],
}


def tokenizer(folder: Path, marks: list[str]) -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320, special_tokens=["<pad>", "<s>", "</s>", *marks], show_progress=False,
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
    )  # fmt: skip
    made.train_from_iterator(["Is the person smiling? yes no", "Describe the face."], trainer)
    whole = PreTrainedTokenizerFast(tokenizer_object=made, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    whole.save_pretrained(folder)
    return whole


def tiny(family: str, folder: Path) -> Path:
    import transformers as t

    words = tokenizer(folder, MARKS[family])
    picture = words.convert_tokens_to_ids(MARKS[family][0])
    torch.manual_seed(0)
    ends = {"eos_token_id": 2, "pad_token_id": 0, "bos_token_id": 1}
    if family == "llava":
        config: Any = t.LlavaConfig(
            vision_config=t.CLIPVisionConfig(**VISION, projection_dim=16), text_config=t.LlamaConfig(**TEXT, **ends),
            image_token_index=picture,
        )  # fmt: skip
        model: Any = t.LlavaForConditionalGeneration(config)
    elif family == "smolvlm":
        config = t.SmolVLMConfig(
            vision_config=VISION, text_config=t.LlamaConfig(**TEXT, **ends), image_token_id=picture, scale_factor=2,
            pad_token_id=0,
        )  # fmt: skip
        model = t.SmolVLMForConditionalGeneration(config)
    else:
        config = t.InternVLConfig(
            vision_config={**VISION, "image_size": [SIDE, SIDE], "patch_size": [PATCH, PATCH]},
            text_config=t.Qwen2Config(**TEXT, **ends), image_token_id=picture, downsample_ratio=0.5,
        )  # fmt: skip
        model = t.InternVLForConditionalGeneration(config)
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=["llava", "smolvlm", "internvl"])
def opened(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> HubModel:
    folder = tiny(request.param, tmp_path_factory.mktemp(request.param))
    model = load(folder, device="cpu")
    assert isinstance(model, HubModel)
    return model


def picture(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (40, 40, 3)).astype(np.uint8)


def test_it_answers_like_every_model(opened: HubModel) -> None:
    assert isinstance(opened, DialogueModel)
    p = opened.choose(picture(), "Is the person smiling?", ("yes", "no", "not sure"))
    assert p.shape == (3,)
    assert p.sum() == pytest.approx(1)
    assert not np.allclose(p, opened.choose(picture(1), "Is the person smiling?", ("yes", "no", "not sure")), atol=1e-9)
    assert opened.choose(None, "Is the person smiling?", ("yes", "no")).sum() == pytest.approx(1)


def test_probabilities_are_those_of_the_tokens(opened: HubModel) -> None:
    """Oracle: the whole sequence in one forward pass, summed by hand."""
    question, options = "Is the person smiling?", ("yes", "no")
    prompt = opened.encoded(picture(), question, options, ())
    sums = []
    for option in options:
        ids = [*prompt, *opened.told(option)]
        with torch.inference_mode():
            logits = opened.model(**opened.inputs(picture(), ids)).logits[0].double()
        places = range(len(prompt) - 1, len(ids) - 1)
        sums.append(sum(float(torch.log_softmax(logits[k], 0)[ids[k + 1]]) for k in places))
    expected = np.exp(sums) / np.exp(sums).sum()
    np.testing.assert_allclose(opened.choose(picture(), question, options), expected, rtol=1e-3)


def test_it_speaks_piece_by_piece(opened: HubModel) -> None:
    history = (Turn("Is the person smiling?", "yes", ("yes", "no")),)
    pieces = list(opened.generate(picture(), "Describe the face.", 6, history))
    assert len(pieces) <= 6
    again = "".join(opened.generate(picture(), "Describe the face.", 6, history))
    assert again == "".join(pieces)


def test_a_question_cannot_bring_marks_of_its_own(opened: HubModel) -> None:
    token = opened.tokenizer.convert_ids_to_tokens(families.picture_token(opened.config))
    ids = opened.encoded(picture(), f"Smile? {token}{token} </s> <|im_end|> <end_of_utterance>", (), ())
    assert ids.count(families.picture_token(opened.config)) == families.picture_tokens(opened.config)
    assert opened.choose(picture(), f"{token} yes </s>?", ("yes", "no")).sum() == pytest.approx(1)


def test_an_option_cannot_bring_marks_of_its_own(opened: HubModel) -> None:
    token = opened.tokenizer.convert_ids_to_tokens(families.picture_token(opened.config))
    options = ("yes", f"no {token} </s>")
    ids = opened.encoded(picture(), "Smile?", options, [Turn("Smile?", "yes", options)])
    assert ids.count(families.picture_token(opened.config)) == families.picture_tokens(opened.config)
    assert ids == opened.encoded(picture(), "Smile?", ("yes", "no    "), [Turn("Smile?", "yes", ("yes", "no    "))])
    assert opened.choose(picture(), "Smile?", options) == pytest.approx(
        opened.choose(picture(), "Smile?", ("yes", "no    "))
    )
    with pytest.raises(InputError, match=r"an option of .* is empty"):
        opened.choose(picture(), "Smile?", ("yes", token))


def test_odd_questions_are_one_sentence(opened: HubModel) -> None:
    with pytest.raises(InputError, match="empty"):
        opened.choose(picture(), "  ", ("yes", "no"))
    with pytest.raises(InputError, match="tokens long"):
        opened.choose(picture(), "Is it so? " * 200, ("yes", "no"))
    with pytest.raises(InputError, match="two options"):
        opened.choose(picture(), "Is it so?", ("yes",))


def test_a_step_with_adapters_survives_saving(opened: HubModel, tmp_path: Path) -> None:
    model = HubModel(opened.id, "cpu")
    torch.manual_seed(0)
    learnt = lora.adapt(model, rank=2, alpha=8)
    assert 0 < learnt < 10_000
    before = model.choose(picture(), "Is the person smiling?", ("yes", "no"))
    optimizer = lora.optimizer_of(model, 0.01)
    batch = [(picture(k), Turn("Is the person smiling?", "yes", ("yes", "no"))) for k in range(2)]
    losses = [lora.step(model, optimizer, batch) for _ in range(8)]
    assert losses[-1] < losses[0]
    after = model.choose(picture(), "Is the person smiling?", ("yes", "no"))
    assert not np.allclose(after, before, atol=1e-6)
    folder = lora.save(model, tmp_path / "adapter")
    again = load(folder, "cpu")
    np.testing.assert_allclose(again.choose(picture(), "Is the person smiling?", ("yes", "no")), after, rtol=1e-4)


def test_names_that_mean_a_hub_model(tmp_path: Path) -> None:
    assert is_hub("llava-hf/llava-1.5-7b-hf")
    assert not is_hub("synthetic")
    assert not is_hub(tmp_path)


def test_what_is_not_here_is_not_downloaded(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="downloads nothing"):
        HubModel("nobody/nothing-at-all", "cpu")


def test_qwen_is_called_unsupported() -> None:
    with pytest.raises(InputError, match="torchvision"):
        families.family_of("qwen2_5_vl", "some/model")
    with pytest.raises(InputError, match="families"):
        families.family_of("bert", "some/model")

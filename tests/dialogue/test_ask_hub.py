"""`ask` with tiny models of three Hugging Face families, from a folder, offline: the answer keeps its schema."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_hub import tiny

import omokage
from omokage.dialogue import lora
from omokage.dialogue.conversation import Turn
from omokage.dialogue.hub import HubModel
from omokage.media.image import read_image
from omokage.pipeline import Analyzer
from omokage.pipeline.dialogue import Talk, limited
from stand_ins import SquareFinder, SquarePredictor, write_picture


@pytest.mark.parametrize("family", ["llava", "smolvlm", "internvl"])
def test_load_step_save_reload_ask(family: str, tmp_path: Path) -> None:
    folder, photo = tiny(family, tmp_path / family), tmp_path / "one.png"
    write_picture(photo, [(20, 30, 50, 40)])
    analyzer = Analyzer(finder=SquareFinder(), predictor=SquarePredictor())
    question = "Is the person smiling?"
    before = omokage.ask(photo, question, model=str(folder), device="cpu", analyzer=analyzer)
    assert before.status in ("answered", "abstained")
    assert sum(before.probabilities) == pytest.approx(1, abs=1e-4)
    assert before.specialist is not None
    model = HubModel(str(folder), "cpu")
    assert not limited(model)
    lora.adapt(model, rank=2, alpha=4)
    lora.step(model, lora.optimizer_of(model, 0.1), [(read_image(photo), Turn(question, "yes", ("yes", "no")))])
    lora.save(model, tmp_path / "adapter")
    talk = Talk(photo, model=str(tmp_path / "adapter"), device="cpu", analyzer=analyzer)
    after = talk.ask(question)
    assert after.options == ("yes", "no")
    assert after.probabilities[0] > before.probabilities[0]
    assert "".join(talk.words("Describe the face.", 4)).isprintable()
    assert talk.ask("Who is this?").status == "refused"

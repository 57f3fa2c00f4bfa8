"""Re-annotation: who said what, where sources differ, what people decide, what is dropped, what is written."""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from test_dialogue_facts import analysis

from dialogue_stand_ins import Saying, random_truths
from omokage.dialogue.annotate import (
    Annotation,
    Claim,
    Origin,
    claims_of_analysis,
    claims_of_truth,
    corrected,
    free_claims,
    picture_id,
    put_together,
)
from omokage.dialogue.exporting import (
    FORMS,
    apply_review,
    form_of,
    read_annotations,
    write_annotations,
    write_review,
)
from omokage.dialogue.held_out import TEST
from omokage.dialogue.labelled import EXTRA, examples_of, talks
from omokage.dialogue.teachers import LocalTeacher, RemoteTeacher
from omokage.errors import InputError

DAY = "2026-11-22"


def claim(value: bool, source: Origin, p: float = 0.95, fact: str = "smiling") -> Claim:
    return Claim(fact, value, p, source, f"{source}-model", DAY)


def test_what_models_dispute_is_kept_and_not_told() -> None:
    (found,) = put_together([claim(True, "specialist"), claim(False, "teacher", 0.8)])
    assert (found.value, found.text, found.disputed) == (None, "", True)
    assert len(found.claims) == 2
    (both,) = put_together([claim(True, "specialist"), claim(True, "teacher", 0.97)])
    assert (both.value, both.disputed, both.text) == (True, False, "The person smiles.")


def test_truth_and_people_stand_and_the_disagreement_is_kept() -> None:
    (found,) = put_together([claim(False, "specialist"), claim(True, "truth", 1.0)])
    assert (found.value, found.disputed, found.text) == (True, True, "The person smiles.")
    (person,) = put_together([claim(True, "truth", 1.0), claim(False, "person", 1.0)])
    assert person.value is False


def test_what_is_unsure_is_said_to_be_unsure() -> None:
    (found,) = put_together([claim(True, "specialist", 0.75)])
    assert found.text.startswith("It is not sure")
    annotation = Annotation("x", 1, 1, statements=(found,))
    assert annotation.facts == {}, "what is unsure is not taught"


def test_names_addresses_and_refused_guesses_are_dropped_from_free_text() -> None:
    text = (
        "The hair is short. This is Maria Schmidt. He looks trustworthy. See IMG_1234.jpg for more. "
        "The person comes from France. Light falls from the left."
    )
    assert [c.text for c in free_claims(text, "m", DAY)] == ["The hair is short.", "Light falls from the left."]


def test_every_sentence_has_its_provenance() -> None:
    truth = random_truths(1)[0]
    statements = put_together([*claims_of_truth(truth, "truth", "rendered", DAY),
                               *claims_of_analysis(analysis(), "open/attributes@1", DAY)])  # fmt: skip
    for statement in statements:
        assert statement.claims
        assert all(c.date == DAY and c.model and 0 <= c.confidence <= 1 for c in statement.claims)
    annotation = Annotation("x", 8, 8, statements=statements)
    assert annotation.caption
    assert annotation.disputed
    assert Annotation.from_dict(json.loads(json.dumps(annotation.to_dict()))) == annotation
    told = [s for s in statements if s.fact.startswith("older_") and s.text and s.value]
    assert len(told) <= 1


def test_a_picture_is_called_by_its_pixels_alone() -> None:
    a = np.zeros((4, 6, 3), np.uint8)
    assert picture_id(a) == picture_id(a.copy())
    assert picture_id(a) != picture_id(a.reshape(6, 4, 3))
    assert len(picture_id(a)) == 16


def annotations(count: int = 12) -> list[Annotation]:
    found = []
    for k, truth in enumerate(random_truths(count)):
        claims = claims_of_truth(truth, "truth", "rendered", DAY)
        if k == 0:
            claims.append(replace(claims[0], value=not claims[0].value, source="specialist", confidence=0.9))
        split = "train" if k < count - 4 else "test"
        found.append(Annotation(f"{k:016d}", 64, 64, statements=put_together(claims), split=split, licence="CC0"))
    return [*found, Annotation("f" * 16, 9, 9, "no_face", "no face was found")]


@pytest.mark.parametrize("form", FORMS)
def test_exports_hold_captions_questions_split_and_licence(form: Any, tmp_path: Path) -> None:
    out = tmp_path / "a.out"
    write_annotations(out, form, annotations())
    if form == "parquet":
        rows = pq.read_table(out).to_pylist()
        assert len(rows) == 13
        assert any(row["questions"] for row in rows)
        assert rows[-1]["status"] == "no_face"
        return
    if form == "jsonl":
        assert read_annotations(out) == annotations()
        return
    rows = json.loads(out.read_text())
    assert len(rows) == 12
    assert {row["split"] for row in rows} == {"train", "test"}
    assert all(row["licence"] == "CC0" for row in rows)
    turns = rows[0]["conversations" if form == "llava" else "messages"]
    first = turns[0]["value" if form == "llava" else "content"]
    assert first.startswith("<image>\n")
    assert len(turns) % 2 == 0


def test_the_format_follows_from_the_name() -> None:
    assert form_of(Path("a.jsonl")) == "jsonl"
    assert form_of(Path("a.json")) == "llava"
    assert form_of(Path("a.json"), "sharegpt") == "sharegpt"
    with pytest.raises(InputError, match="choose a format"):
        form_of(Path("a.txt"))


def test_people_accept_reject_and_correct(tmp_path: Path) -> None:
    before, review = annotations(), tmp_path / "r.csv"
    count = write_review(review, before)
    with review.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == count
    assert rows[0]["disputed"] == "True", "what is disputed comes first"
    rows[0]["verdict"], rows[1]["verdict"], rows[2]["verdict"] = "wrong", "reject", "accept"
    rows[3]["text_new"] = "The person wears a blue shirt."
    with review.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    after, verdicts = apply_review(before, review, "anna", DAY)
    assert verdicts == 4
    changed = {(a.id, k): s for a in after for k, s in enumerate(a.statements) if s.verdict}
    assert sorted(s.verdict for s in changed.values()) == ["accepted", "corrected", "corrected", "rejected"]
    turned = changed[rows[0]["id"], int(rows[0]["statement"])]
    assert turned.claims[-1].source == "person"
    assert turned.claims[-1].model == "anna"
    assert not turned.disputed
    assert any("blue shirt" in a.caption for a in after)


@pytest.mark.parametrize(("field", "value", "why"), [("verdict", "maybe", "none of accept"), ("id", "zz", "is known")])
def test_a_verdict_that_means_nothing_names_its_line(field: str, value: str, why: str, tmp_path: Path) -> None:
    review = tmp_path / "r.csv"
    write_review(review, annotations())
    with review.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[1] = {**rows[1], "verdict": "accept", field: value}
    with review.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    with pytest.raises(InputError, match=rf"line 3.*{why}"):
        apply_review(annotations(), review, "anna", DAY)


def test_a_free_sentence_can_be_rejected() -> None:
    (sentence,) = put_together(free_claims("The light is warm.", "m", DAY))
    assert corrected(sentence, "reject", "", "anna", DAY).verdict == "rejected"
    assert corrected(sentence, "accept", "", "anna", DAY).text == "The light is warm."


def test_labelled_sets_keep_tasks_and_splits_apart() -> None:
    truths = [replace(t, facts={**t.facts, "wavy_hair": k % 2 == 0}) for k, t in enumerate(random_truths(60))]
    train, test = examples_of(truths, "train", 400), examples_of(truths, "test", 400)
    assert {e.split for e in train} == {"train"}
    assert {e.split for e in test} == {"paraphrase", "unseen_combination", "unseen_attribute"}
    assert not {e.question for e in train} & {e.question for e in test}
    assert any(e.attribute in EXTRA for e in train)
    assert examples_of(truths, "train-1", 50)[0].split == "train"
    assert set(TEST) >= {e.attribute for e in test if e.split == "paraphrase" and e.task == "pose"} - {"direction"}
    for talk in talks(train):
        assert 1 <= len(talk.turns) <= 4
        assert talk.split == "train"


def test_a_local_teacher_claims_what_it_is_sure_of() -> None:
    sure = LocalTeacher(Saying(0.9, "The hair is short. This is Bob."), ("smiling", "bald")).claims(
        np.zeros((8, 8, 3), np.uint8), DAY
    )
    assert [(c.fact, c.value) for c in sure if c.fact] == [("smiling", True), ("bald", True)]
    assert [c.text for c in sure if not c.fact] == ["The hair is short."]
    assert not LocalTeacher(Saying(0.55), ("smiling",), sentences=False).claims(np.zeros((8, 8, 3), np.uint8), DAY)
    with pytest.raises(InputError, match="no question is known"):
        LocalTeacher(Saying(), ("shoes",))


class Server(BaseHTTPRequestHandler):
    said = ""
    bodies: list[dict[str, Any]] = []  # noqa: RUF012 - one server a test
    keys: list[str] = []  # noqa: RUF012

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        Server.bodies.append(json.loads(content))
        Server.keys.append(self.headers.get("Authorization", ""))
        body = json.dumps({"choices": [{"message": {"content": Server.said}}]}).encode()
        self.send_response(200 if Server.said != "fail" else 500)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    Server.bodies, Server.keys = [], []
    yield f"http://127.0.0.1:{server.server_address[1]}/v1"
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_remote_teacher_gets_the_crop_alone_and_fills_fields(address: str) -> None:
    Server.said = '{"expression": "happiness", "smiling": "yes", "eyewear": "glasses", "gender": "unclear"}'
    teacher = RemoteTeacher(address, "some-model", "secret", sentences=False)
    found = {c.fact: c.value for c in teacher.claims(np.zeros((8, 8, 3), np.uint8), DAY)}
    assert found["smiling"]
    assert found["eyeglasses"]
    assert not found["sunglasses"]
    assert "female" not in found
    assert Server.keys == ["Bearer secret"]
    content = Server.bodies[0]["messages"][0]["content"]
    assert [part["type"] for part in content] == ["text", "image_url"]
    Server.said = "I think she is nice."
    assert not teacher.claims(np.zeros((8, 8, 3), np.uint8), DAY)
    assert teacher.failures == 1


def test_a_remote_teacher_that_fails_is_one_sentence(address: str) -> None:
    Server.said = "fail"
    with pytest.raises(InputError, match="answered with 500"):
        RemoteTeacher(address, "m").claims(np.zeros((8, 8, 3), np.uint8), DAY)
    with pytest.raises(InputError, match="must begin with http"):
        RemoteTeacher("localhost", "m")

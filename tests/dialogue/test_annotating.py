"""Re-annotation: who said what, where sources differ, what people decide, what is dropped, what is written."""

from __future__ import annotations

import csv
import json
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from test_dialogue_facts import analysis

from dialogue_stand_ins import Saying, random_truths
from omokage.dialogue import teachers
from omokage.dialogue.annotate import (
    Annotation,
    Claim,
    Origin,
    Statement,
    claims_of_analysis,
    claims_of_truth,
    corrected,
    free_claims,
    picture_id,
    put_together,
    sentence_allowed,
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
from omokage.dialogue.labelled import EXTRA, examples_of
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


@pytest.mark.parametrize(
    "text",
    ["MÜLLER stands there.", "Émile smiles here, with Zoë.", "The hair of İpek is short.", "A man with Ωmega waits.",
     "This is Anne-Marie.", "Next to Bo there is light.", "The shirt says 'Maria'.", "O'Brien smiles."],
)  # fmt: skip
def test_names_in_any_letters_are_dropped(text: str) -> None:
    assert not sentence_allowed(text)


@pytest.mark.parametrize("text", ["A T-shirt is worn.", "It's a V-neck, I think.", "Écru cloth.", "髪は短い。"])
def test_capitals_that_are_no_name_stay(text: str) -> None:
    assert sentence_allowed(text)


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


def filled(review: Path, before: Sequence[Annotation], *cells: dict[str, str]) -> list[dict[str, str]]:
    """A table about annotations with some cells of its first rows filled in, and its rows before that."""
    write_review(review, before)
    with review.open(newline="") as file:
        rows = list(csv.DictReader(file))
    write_table(review, [{**row, **(cells[k] if k < len(cells) else {})} for k, row in enumerate(rows)])
    return rows


def write_table(review: Path, rows: Sequence[dict[str, str]]) -> None:
    with review.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def about(*groups: Sequence[Claim]) -> list[Annotation]:
    """Records with the same pixels, one for each group of claims."""
    return [Annotation("a" * 16, 8, 8, statements=put_together(claims)) for claims in groups]


def test_a_free_sentence_that_is_wrong_leaves_the_caption() -> None:
    (sentence,) = put_together(free_claims("The light is warm.", "m", DAY))
    wrong = corrected(sentence, "wrong", "", "anna", DAY)
    assert wrong.verdict == "rejected"
    assert Annotation("x", 1, 1, statements=(wrong,)).caption == ""
    assert corrected(sentence, "wrong", "The light is cold.", "anna", DAY).text == "The light is cold."


def test_what_the_sources_dispute_is_not_accepted_without_a_choice(tmp_path: Path) -> None:
    before, review = about([claim(True, "specialist"), claim(False, "teacher")]), tmp_path / "r.csv"
    for cells in ({"verdict": "accept"}, {"verdict": "wrong"}, {"text_new": "The person smiles."}):
        filled(review, before, cells)
        with pytest.raises(InputError, match=r"r\.csv, line 2: the sources dispute 'smiling'.*write True or False"):
            apply_review(before, review, "anna", DAY)
    filled(review, before, {"verdict": "accept", "value": "FALSE"})
    (statement,) = apply_review(before, review, "anna", DAY)[0][0].statements
    assert (statement.value, statement.disputed, statement.claims[-1].source) == (False, False, "person")


@pytest.mark.parametrize(
    "other",
    [
        [claim(True, "truth", 1.0, "bald"), *free_claims("The light is warm.", "m", DAY)],
        [claim(False, "truth", 1.0), *free_claims("The light is warm.", "m", DAY)],
        [claim(True, "truth", 1.0), *free_claims("The wall is white.", "m", DAY)],
    ],
)
def test_verdicts_of_another_run_are_refused(other: list[Claim], tmp_path: Path) -> None:
    before, review = (
        about([claim(True, "truth", 1.0), *free_claims("The light is warm.", "m", DAY)]),
        tmp_path / "r.csv",
    )
    filled(review, before, {"verdict": "reject"}, {"verdict": "reject"})
    assert apply_review(before, review, "anna", DAY)[1] == 2
    with pytest.raises(InputError, match=r"r\.csv, line \d: statement \d about .* in the table; apply it to"):
        apply_review(about(other), review, "anna", DAY)


def test_a_verdict_is_for_the_records_that_say_what_it_is_about(tmp_path: Path) -> None:
    yes, no = [claim(True, "truth", 1.0)], [claim(False, "truth", 1.0)]
    before, review = about(yes, no, yes), tmp_path / "r.csv"
    rows = filled(review, before)
    write_table(review, [{**row, "verdict": "wrong" if row["value"] == "True" else ""} for row in rows])
    after, _ = apply_review(before, review, "anna", DAY)
    assert [a.statements[0].value for a in after] == [False, False, False], "two rows turn a fact round once"
    assert [a.statements[0].verdict for a in after] == ["corrected", "", "corrected"]
    assert after[1] == before[1], "nobody looked at it"
    write_table(review, [{**row, "verdict": "accept", "value": "vrai", "text": ""} for row in rows])
    with pytest.raises(InputError, match="several records have these pixels and differ in 'smiling'"):
        apply_review(before, review, "anna", DAY)
    write_table(review, [{**row, "verdict": ("accept", "", "reject")[k]} for k, row in enumerate(rows)])
    with pytest.raises(InputError, match="says otherwise of the same statement; keep one"):
        apply_review(before, review, "anna", DAY)


def test_a_verdict_on_disputed_labels_leaves_a_record_with_the_same_pixels(tmp_path: Path) -> None:
    before = about([claim(True, "specialist"), claim(False, "teacher")], [claim(True, "truth", 1.0)])
    review = tmp_path / "r.csv"
    filled(review, before, {"verdict": "accept", "value": "True"})
    after, _ = apply_review(before, review, "anna", DAY)
    assert (after[0].statements[0].value, after[1]) == (True, before[1])


@pytest.mark.parametrize("text", ["=HYPERLINK(1)", "+ a beard", "- a hat", "@home", "'=1", "''-2", "'tis warm"])
def test_no_cell_of_the_table_is_a_formula(text: str, tmp_path: Path) -> None:
    before, review = (
        [Annotation("x", 1, 1, statements=(Statement("", None, 0.5, text, False, ()),))],
        tmp_path / "r.csv",
    )
    (row,) = filled(review, before, {"verdict": "wrong", "text_new": "'=2+2"})
    assert row["text"][0] not in "=+-@"
    after, count = apply_review(before, review, "anna", DAY)
    assert (count, after[0].statements[0].text) == (1, "=2+2")


def test_labelled_sets_keep_tasks_and_splits_apart() -> None:
    truths = [replace(t, facts={**t.facts, "wavy_hair": k % 2 == 0}) for k, t in enumerate(random_truths(60))]
    train, test = examples_of(truths, "train", 400), examples_of(truths, "test", 400)
    assert {e.split for e in train} == {"train"}
    assert {e.split for e in test} == {"paraphrase", "unseen_combination", "unseen_attribute"}
    assert not {e.question for e in train} & {e.question for e in test}
    assert any(e.attribute in EXTRA for e in train)
    assert examples_of(truths, "train-1", 50)[0].split == "train"
    assert set(TEST) >= {e.attribute for e in test if e.split == "paraphrase" and e.task == "pose"} - {"direction"}


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
    # Answers that are none, by what is said.
    odd = {  # noqa: RUF012
        "cut": b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\nshort",
        "noise": b"what is this\r\n\r\n",
        "long": b"HTTP/1.1 200 OK\r\n\r\n" + b" " * 5000,
        "deep": b"HTTP/1.1 200 OK\r\n\r\n" + b"[" * 200_000,
        "elsewhere": b"HTTP/1.1 302 Found\r\nLocation: /other\r\nContent-Length: 0\r\n\r\n",
    }

    def do_GET(self) -> None:
        Server.keys.append(self.headers.get("Authorization", ""))
        self.send_response(404)
        self.end_headers()

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        Server.bodies.append(json.loads(content))
        Server.keys.append(self.headers.get("Authorization", ""))
        if isinstance(Server.said, str) and Server.said in Server.odd:
            self.wfile.write(Server.odd[Server.said])
            return
        body = json.dumps({"choices": [{"message": {"content": Server.said}}]}).encode()
        if Server.said == "slow":
            for byte in b"HTTP/1.1 200 OK":
                self.wfile.write(bytes([byte]))
                time.sleep(0.03)
            return
        self.send_response(200 if Server.said != "fail" else 500)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Server)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
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


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        (None, []),
        (float("nan"), []),
        ([{"type": "text", "text": "The hair is brown."}, {"type": "image"}], ["The hair is brown."]),
        ("The hair \ud800is brown.", ["The hair is brown."]),
        ("<think>hair</think>", []),
        ('{"hair": "brown"}', []),
    ],
)
def test_only_words_of_a_remote_teacher_become_sentences(said: object, kept: list[str], address: str) -> None:
    Server.said = said  # type: ignore[assignment]
    found = RemoteTeacher(address, "m").claims(np.zeros((8, 8, 3), np.uint8), DAY)
    assert [c.text for c in found if not c.fact] == kept


def test_a_remote_teacher_that_fails_is_one_sentence(address: str) -> None:
    Server.said = "fail"
    with pytest.raises(InputError, match="answered with 500"):
        RemoteTeacher(address, "m").claims(np.zeros((8, 8, 3), np.uint8), DAY)
    with pytest.raises(InputError, match="must begin with http"):
        RemoteTeacher("localhost", "m")
    for none in ("http://", "http://host:port/v1", "http://a b/v1", "http://[::1/v1"):
        with pytest.raises(InputError, match="is no address of a model"):
            RemoteTeacher(none, "m")
    with pytest.raises(InputError, match="the endpoint's key holds") as refused:
        RemoteTeacher(address, "m", "secret\n")
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("said", "why"),
    [("cut", "is no whole one .IncompleteRead"), ("noise", "is no whole one .BadStatusLine what is this"),
     ("long", "longer than"), ("deep", "cannot be asked"), ("slow", "no whole answer came within 0.2 seconds")],
)  # fmt: skip
def test_an_answer_that_is_none_is_one_sentence(
    said: str, why: str, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(teachers, "_PATIENCE_S", 0.2 if said == "slow" else 20.0)
    monkeypatch.setattr(teachers, "_MOST_BYTES", 4000 if said == "long" else 1 << 20)
    Server.said = said
    with pytest.raises(InputError, match=why):
        RemoteTeacher(address, "m").claims(np.zeros((8, 8, 3), np.uint8), DAY)


def test_a_key_is_not_taken_along_to_another_address(address: str) -> None:
    Server.said = "elsewhere"
    with pytest.raises(InputError, match="302 Found, a redirect, which is not followed"):
        RemoteTeacher(address, "m", "secret").claims(np.zeros((8, 8, 3), np.uint8), DAY)
    assert Server.keys == ["Bearer secret"], "asked once, at the named address"

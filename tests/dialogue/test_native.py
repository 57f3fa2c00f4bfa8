"""The native network: packing changes no answer, probabilities are its tokens', history and pictures matter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from dialogue_runs import READERS

from omokage.dialogue.config import DialogueConfig, NetworkConfig, Stage
from omokage.dialogue.conversation import Asked, Conversation, DialogueModel, Example, Turn
from omokage.dialogue.facts import Truth
from omokage.dialogue.loss import SPEAKING, answer_loss
from omokage.dialogue.model import DialogueNetwork, Looking, adopt
from omokage.dialogue.phrases import TRAIN
from omokage.dialogue.predict import NativeModel, accepted
from omokage.dialogue.readings import HUES, NAMES, SAYS, centred
from omokage.dialogue.rows import IGNORED, pack, prompt_of, segment_of
from omokage.dialogue.tokenizer import ANSWER, ASK, END, OPTION, Words
from omokage.errors import InputError, TrainingError
from omokage.nn.pictures import normalise

WORDS = Words.trained(["Is the person smiling? Does the person wear a hat? yes no maybe Describe the face."] * 3, 330)
SMALL = NetworkConfig(
    size=32, stem=4, widths=(6, 8), blocks=(1, 1), readers=READERS, hidden=16, layers=2, heads=2, intermediate=24,
    positions=160,
)  # fmt: skip
YES_NO = ("yes", "no")


def native(seed: int = 0) -> NativeModel:
    torch.manual_seed(seed)
    network = DialogueNetwork(SMALL, len(WORDS))
    for parameter in network.language.parameters():  # far from uniform, so that answers differ clearly
        parameter.data *= 4
    return NativeModel.of(network, WORDS)


MODEL = native()


def crop(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (32, 32, 3)).astype(np.uint8)


def test_it_is_a_dialogue_model() -> None:
    assert isinstance(MODEL, DialogueModel)
    assert (MODEL.size, MODEL.margin) == (32, 1.3)


def test_packed_answers_are_those_of_single_questions() -> None:
    a, b = crop(0), crop(1)
    asked = [
        Asked(a, "Is the person smiling?", YES_NO), Asked(a, "Does the person wear a hat?", ("yes", "no", "maybe")),
        Asked(b, "Is the person smiling?", YES_NO), Asked(None, "Is the person smiling?", YES_NO),
        Asked(a, "Is the person smiling?", YES_NO, (Turn("Does the person wear a hat?", "no", YES_NO),)),
    ]  # fmt: skip
    together = MODEL.choose_many(asked)
    for one, p in zip(asked, together, strict=True):
        assert p.sum() == pytest.approx(1)
        np.testing.assert_allclose(MODEL.choose(one.image, one.question, one.options, one.history), p, atol=1e-4)
    assert not np.allclose(together[0], together[2], atol=1e-6)
    assert not np.allclose(together[0], together[3], atol=1e-6)
    assert not np.allclose(together[0], together[4], atol=1e-6)


def test_probabilities_are_those_of_the_tokens() -> None:
    """Oracle: one sequence for each option, its tokens' probabilities among what the options leave, by hand."""
    image, question, options = crop(2), "Is the person smiling?", ("yes", "no", "not smiling", "not a hat")
    ways = [[*WORDS.encode(option), END] for option in options]
    expected = []
    for way in ways:
        prompt = prompt_of(WORDS, question, options)
        logits = plainly(image, prompt + way).double()
        p = 1.0
        for k, token in enumerate(way):
            left = sorted({w[k] for w in ways if w[:k] == way[:k]})
            among = torch.softmax(logits[MODEL.network.visual + len(prompt) - 1 + k][left], 0)
            p *= float(among[left.index(token)])
        expected.append(p)
    assert sum(expected) == pytest.approx(1)
    np.testing.assert_allclose(MODEL.choose(image, question, options), expected, atol=1e-4)


def plainly(image: np.ndarray, ids: list[int]) -> torch.Tensor:
    """Logits (n, vocabulary) of visual tokens and one sequence, in one pass without packing and without a cache."""
    network = MODEL.network
    with torch.inference_mode():
        look = network.see(normalise(torch.from_numpy(image[None])))
        text = network.language.embed_tokens(torch.tensor([ids]))
        mask = MODEL._prefix(look.tokens.shape[1], len(ids))
        network.look(look.readings)
        out = network.language(inputs_embeds=torch.cat([look.tokens, text], 1), attention_mask=mask).last_hidden_state
        return network.logits(out[0])


def test_words_are_the_most_likely_tokens_one_by_one() -> None:
    """Oracle: the whole sequence anew for every token, without a cache."""
    image, prompt = crop(3), "Describe the face."
    told: list[int] = []
    for _ in range(5):
        logits = plainly(image, prompt_of(WORDS, prompt) + told)[-1].clone()
        logits[[0, ASK, ANSWER, OPTION]] = -torch.inf
        if int(logits.argmax()) == END:
            break
        told.append(int(logits.argmax()))
    assert "".join(MODEL.generate(image, prompt, 5)).strip() == WORDS.decode(told)


def test_only_answers_are_learnt() -> None:
    turns = [Turn("Is the person smiling?", "yes", YES_NO), Turn("Does the person wear a hat?", "no", YES_NO)]
    part = segment_of(WORDS, turns)
    learnt = [t for t in part.targets if t != IGNORED]
    assert learnt == [*WORDS.encode("yes"), END, *WORDS.encode("no"), END]
    last = segment_of(WORDS, turns, last_only=True)
    assert [t for t in last.targets if t != IGNORED] == [*WORDS.encode("no"), END]
    assert last.ids == part.ids
    assert part.ids.count(OPTION) == 4


def test_segments_do_not_see_each_other() -> None:
    network = MODEL.network
    first, second = (segment_of(WORDS, [Turn(q, "yes")]) for q in ("Is the person smiling?", "Describe the face."))
    third = segment_of(WORDS, [Turn("Does the person wear a hat?", "yes")])
    images = normalise(torch.from_numpy(crop(4)[None]))
    with torch.inference_mode():
        one, at = network(images, pack([[first, second]], [True]))
        other, _ = network(images, pack([[first, third]], [True]))
    mine = at[:, 1] < len(first.ids)
    torch.testing.assert_close(one[mine], other[: int(mine.sum())], atol=1e-4, rtol=1e-4)


def test_a_row_without_a_picture_does_not_look_at_it() -> None:
    network = MODEL.network
    rows = pack([[segment_of(WORDS, [Turn("Is the person smiling?", "yes")])]], [False])
    with torch.inference_mode():
        one, _ = network(normalise(torch.from_numpy(crop(5)[None])), rows)
        other, _ = network(normalise(torch.from_numpy(crop(6)[None])), rows)
    torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-5)


def test_the_loss_counts_answers_by_their_weight() -> None:
    parts = [segment_of(WORDS, [Turn("Is the person smiling?", "yes")], 1.0, 0),
             segment_of(WORDS, [Turn("Describe the face.", "no")], 0.0, 1)]  # fmt: skip
    rows = pack([parts], [True])
    at = (rows.target >= 0).nonzero()
    logits = torch.randn(len(at), len(WORDS), generator=torch.Generator().manual_seed(0))
    total, each = answer_loss(logits, at, rows, ("a", "b", "c"))
    assert set(each) == {"a", "b"}
    assert float(total) == pytest.approx(SPEAKING * float(each["a"]), rel=1e-5)


def test_choosing_is_learnt_among_the_options() -> None:
    rows = pack(
        [[segment_of(WORDS, [Turn("Is it so?", "no", YES_NO)]), segment_of(WORDS, [Turn("Say.", "yes")])]], [True]
    )
    yes, no = WORDS.encode("yes")[0], WORDS.encode("no")[0]
    assert rows.choices.tolist() == [[no, yes]]
    at = (rows.target >= 0).nonzero()
    logits = torch.zeros(len(at), len(WORDS))
    logits[0, no], logits[0, yes], logits[0, 20] = 2.0, 1.0, 50.0  # what else it might say does not matter here
    _, each = answer_loss(logits, at, rows, ("a",))
    assert float(each["choice"]) == pytest.approx(np.log(1 + np.exp(-1.0)), rel=1e-5)


def test_odd_questions_are_one_sentence() -> None:
    with pytest.raises(InputError, match="empty"):
        MODEL.choose(crop(0), " ", YES_NO)
    with pytest.raises(InputError, match="two options"):
        MODEL.choose(crop(0), "Is it so?", ("yes",))
    with pytest.raises(InputError, match="tokens long"):
        MODEL.choose(crop(0), "Is it so? " * 80, YES_NO)
    with pytest.raises(InputError, match="tokens long"):
        MODEL.generate(crop(0), "Is it so? " * 80)


def test_answers_in_words_are_options_or_failures() -> None:
    assert accepted(" Yes.", ("no", "yes")) == 1
    assert accepted("perhaps", ("no", "yes")) is None


def test_the_encoder_is_lent_by_the_attributes_network() -> None:
    """Every sub-network of the attributes room finds its place, and its answers are the readings' raw numbers."""
    from omokage.attributes.config import NetworkConfig as AttributesNetworkConfig
    from omokage.attributes.model import AttributeNetwork, pose_of_rotation
    from omokage.schema import SHIPPED

    plan = AttributesNetworkConfig(
        size=32, stem=4, widths=(6, 8), blocks=(1, 1), squeeze=3, hidden=6, points_squeeze=3, points_refine=0
    )
    theirs = AttributeNetwork(SHIPPED, plan).eval()
    network = DialogueNetwork(SMALL, len(WORDS)).eval()
    assert adopt(network, theirs.state_dict()) == len(network.encoder.state_dict())
    images = normalise(torch.from_numpy(np.stack([crop(k) for k in range(3)])))
    with torch.inference_mode():
        seen = network.encoder(images)
        out = theirs.decode(theirs(images))
    told = dict(zip(NAMES, torch.tanh(seen.readings).T, strict=True))
    close = {"atol": 1e-2, "rtol": 1e-2}
    torch.testing.assert_close(told["smiling"], 2 * torch.sigmoid(out.shares["smiling"]) - 1, **close)
    torch.testing.assert_close(told["hat"], 2 * torch.sigmoid(out.shares["wearing_hat"]) - 1, **close)
    happy = torch.softmax(out.classes["expression"], 1)[:, SHIPPED["expression"].classes.index("happiness")]
    torch.testing.assert_close(told["happy"], 2 * happy - 1, **close)
    older = torch.softmax(out.bins["age"], 1)[:, 40:].sum(1)
    torch.testing.assert_close(told["older 40"], 2 * older - 1, **close)
    pose = pose_of_rotation(out.rotations["pose"].value)
    torch.testing.assert_close(told["turned right"], torch.tanh((pose[:, 0] - 14) / 5), **close)
    torch.testing.assert_close(told["head up raised"], torch.tanh((pose[:, 1] - 10) / 4), **close)


def test_a_centred_reading_is_even_where_its_fact_is() -> None:
    """Oracle: two normals of one width, one class four times as frequent; the zero lies in the middle all the same."""
    rng = np.random.default_rng(0)
    there = np.arange(2000) % 5 == 0
    values = np.zeros((2000, len(NAMES)), np.float32)
    values[:, NAMES.index("lipstick")] = rng.normal(np.where(there, 1.0, -3.0), 1.0)
    values[:, NAMES.index("male man")] = rng.normal(np.where(there, -2.0, 2.0), 1.5)
    facts = [{"wearing_lipstick": bool(t), "female": bool(t), "bald": True} for t in there]
    truths = [Truth(k, str(k), f) for k, f in enumerate(facts)]
    slope, shift = centred(torch.from_numpy(values), truths)
    at = NAMES.index("lipstick")
    assert float(-shift[at] / slope[at]) == pytest.approx(-1.0, abs=0.15)
    assert float(slope[at]) == pytest.approx(2.0, rel=0.2)  # half of the distance over the variance
    man = NAMES.index("male man")
    assert float(-shift[man] / slope[man]) == pytest.approx(0.0, abs=0.2)
    assert float(slope[man]) > 0
    for name in ("bald", "makeup"):  # nobody without it; a fact that nobody asks for
        assert (float(slope[NAMES.index(name)]), float(shift[NAMES.index(name)])) == (1.0, 0.0)


def test_what_readings_say_is_trained() -> None:
    assert set(SAYS) <= set(NAMES)
    assert {fact for fact, _ in SAYS.values()} <= set(TRAIN)


def test_colours_change_what_is_seen() -> None:
    network = DialogueNetwork(SMALL, len(WORDS)).eval()
    images = normalise(torch.from_numpy(np.stack([crop(1), crop(1)[..., ::-1]])))
    with torch.inference_mode():
        look = network.see(images)
    assert look.readings.shape == (2, len(NAMES) + len(HUES))
    assert look.tokens.shape == (2, network.visual, SMALL.hidden)
    assert not torch.allclose(look.tokens[0], look.tokens[1], atol=1e-3)


def test_a_readings_own_word_finds_it() -> None:
    words = Words.trained(["smiling hat beard"] * 3, 330)
    torch.manual_seed(0)
    network = DialogueNetwork(replace(SMALL, hidden=64, colours=False), len(words))
    network.name_readings(words)
    layer = network.language.layers[0]
    assert isinstance(layer, Looking)
    token = network.language.embed_tokens(torch.tensor([words.encode("hat")]))
    for name, finds in (("hat", True), ("beard", False)):
        values = torch.zeros(1, len(NAMES))
        values[0, NAMES.index(name)] = 1.0
        with torch.inference_mode():
            found = layer.looked_up(token, network.names(), torch.ones(len(NAMES), 64), values)
        assert (float(found[0, 0, 0]) > 0.5) == finds


def test_what_a_stage_may_say() -> None:
    with pytest.raises(TrainingError, match="part"):
        Stage("x", (("eyes", 1.0),), (("questions", 1.0),))
    with pytest.raises(TrainingError, match="source"):
        Stage("x", (("language", 1.0),), (("films", 1.0),))
    with pytest.raises(TrainingError, match="nothing"):
        Stage("x", (), ())
    with pytest.raises(TrainingError, match="training data"):
        DialogueConfig("out", (Stage("x", (("language", 1.0),), (("questions", 1.0),)),))


def test_an_example_knows_its_options() -> None:
    with pytest.raises(ValueError, match="none of the options"):
        Example(0, "attributes", "smiling", "Is it?", ("yes", "no"), "maybe")
    example = Example(0, "attributes", "smiling", "Is it?", YES_NO, "yes", "paraphrase")
    assert Conversation.of(example) == Conversation(0, (Turn("Is it?", "yes", YES_NO),), "attributes", "paraphrase")

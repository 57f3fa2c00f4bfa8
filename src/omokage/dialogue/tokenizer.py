"""Words as numbers: a byte-level BPE that is trained on the texts of the run, so that no text is unreadable to it.

Text is lower-cased: the model learns from a few thousand phrasings, and a capital must not be another word. What a
person types can never become one of the marks that structure a conversation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from omokage.errors import MissingExtraError, WeightsError

try:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers
except ImportError as error:
    raise MissingExtraError("asking about a face in words", "dialogue", error) from error

PAD, END, ASK, ANSWER, OPTION = 0, 1, 2, 3, 4
MARKS = ("<pad>", "<end>", "<ask>", "<answer>", "<option>")


class Words:
    """A trained tokenizer. `len` is the size of its vocabulary, marks included."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokenizer.encode_special_tokens = True  # "<end>" in a question is five characters, not the mark

    def __len__(self) -> int:
        return int(self._tokenizer.get_vocab_size())

    @classmethod
    def trained(cls, texts: Iterable[str], vocabulary: int) -> Words:
        """Learn at most `vocabulary` tokens (at least 256 bytes and the marks) from texts."""
        tokenizer = Tokenizer(models.BPE())
        tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
        tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
        tokenizer.decoder = decoders.ByteLevel()
        trainer = trainers.BpeTrainer(
            vocab_size=vocabulary,
            special_tokens=list(MARKS),
            initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
            show_progress=False,
        )
        tokenizer.train_from_iterator(texts, trainer)
        return cls(tokenizer)

    def encode(self, text: str) -> list[int]:
        """The tokens of a text, without marks."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).ids)

    def decode(self, ids: Sequence[int]) -> str:
        """The text of tokens; marks say nothing."""
        return str(self._tokenizer.decode([i for i in ids if i >= len(MARKS)], skip_special_tokens=False)).strip()

    def to_json(self) -> str:
        return str(self._tokenizer.to_str())

    @classmethod
    def from_json(cls, text: str) -> Words:
        """The tokenizer that `to_json` wrote. Raises WeightsError when it is damaged."""
        try:
            return cls(Tokenizer.from_str(text))
        except Exception as error:  # the library raises bare exceptions
            raise WeightsError(f"the tokenizer of these dialogue weights is damaged ({error}); restore them") from error

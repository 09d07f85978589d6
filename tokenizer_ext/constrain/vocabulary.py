"""A vocabulary as a mask sees it: the symbols of each id.

Added tokens are atomic. Those of the grammar are one symbol each, which no letters spell and no literal holds. Learned tokens are text,
and tokens of the grammar in it; they never begin inside a literal. The control tokens of the tokenizer (``</s>``) stand for no text.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, NamedTuple

from simpy_grammar.dialect import ALONE, SPECIAL_TOKEN, Dialect
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.constrain.lexer import symbols_of
from tokenizer_ext.constrain.utf8 import WHOLE, Rest, read
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.grammar_tokens import extension_tokens, lacking

_ENDS = (
    "</s>",
    "<|endoftext|>",
    "<|im_end|>",
    "<|eot_id|>",
    "<|end_of_text|>",
    "<eos>",
    "<end_of_turn>",
    "<\N{FULLWIDTH VERTICAL LINE}end\u2581of\u2581sentence\N{FULLWIDTH VERTICAL LINE}>",
)
_ANGLES = re.compile(f"<{ALONE}{SPECIAL_TOKEN[1:]}")


class Spellings(NamedTuple):
    """What ids stand for.

    Attributes:
        symbols: id -> its symbols.
        rests: id -> what its last character still needs, if that has only begun.
    """

    symbols: dict[int, str]
    rests: dict[int, Rest]


class Vocabulary:
    """The ids of a tokenizer, as symbols of a lexer.

    Args:
        tokenizer: one that ``tokenizer_ext.extend`` has extended for the dialect; any for a dialect that is Python.
        dialect: the dialect.
        specials: token in angle brackets -> its symbol.
        ends: the ids that end a text; ``None`` to take those of the tokenizer.

    Attributes:
        dialect: the dialect.
        size: one more than the largest id.
        spellings: what ids stand for where a character begins; the own ones come last.
        own: the ids of the tokens that the tokenizer has been extended with.
        pieces: id -> the bytes of an ordinary id.
        atomic: the ids of learned tokens, which never begin inside a literal.
        ends: the ids that end a text.
        dummy: a blank that an ordinary id loses at the beginning of a text and after an added token.

    Raises:
        TokenizerError: the tokenizer has not been extended for this dialect, or no adapter accepts it.
    """

    def __init__(self, tokenizer: Any, dialect: Dialect, specials: dict[str, str], ends: Collection[int] | None = None) -> None:
        self.dialect = dialect
        adapter = adapter_of(tokenizer)
        own = {} if dialect.is_python else extension_tokens(adapter.added, dialect)
        if not dialect.is_python and (not own or lacking(list(own), dialect) is None):
            raise TokenizerError(
                f"the tokenizer has not been extended for {dialect.name}", hint="extend it first: tokenizer_ext.extend(tokenizer)"
            )
        ordinary = adapter.ordinary(list(own))
        self.dummy = ordinary.dummy
        self.own = frozenset(own.values())
        self.pieces = {number: piece for number, piece in ordinary.pieces().items() if number not in self.own}
        self.spellings = _spellings(self.pieces.items())
        for text, number in own.items():
            self.spellings.symbols[number] = "".join(specials.get(part, part and symbols_of(part)) for part in _parts(text))
        self._specials = specials
        self._texts = {**ordinary.control, **{number: text for text, number in own.items()}}
        self.atomic = frozenset(number for text, number in own.items() if text not in specials)
        self.ends = frozenset(_ends(tokenizer, ordinary.control) if ends is None else ends)
        self.size = max((*self.pieces, *own.values(), *ordinary.control, *self.ends), default=-1) + 1

    def text(self, number: int) -> str:
        """An id for people."""
        if number in self.pieces:
            return repr(self.pieces[number].decode("utf-8", "replace"))
        return self._texts.get(number, "none of the vocabulary")

    def plain(self, number: int) -> str:
        """The text of an id."""
        return self._texts[number] if number in self.own else self.pieces[number].decode(errors="replace")

    def bytes_of(self, number: int) -> bytes:
        """The bytes of an id; none if it is a control token."""
        return self.pieces.get(number) or (self._texts[number].encode() if number in self.own else b"")

    def parts(self, number: int) -> list[bytes]:
        """The bytes of each symbol of an added token."""
        parts = _parts(self._texts[number])
        return [one.encode() for part in parts for one in ([part] if part in self._specials else part)]

    def continuing(self, rest: Rest) -> Spellings:
        """What those ids stand for that may follow a begun character."""
        return _spellings(((number, piece) for number, piece in self.pieces.items() if piece and rest.low <= piece[0] <= rest.high), rest)


def _spellings(pieces: Iterable[tuple[int, bytes]], before: Rest = WHOLE) -> Spellings:
    """What those ids stand for whose bytes may follow."""
    symbols: dict[int, str] = {}
    rests: dict[int, Rest] = {}
    for number, piece in pieces:
        if piece.isascii() and before is WHOLE:
            symbols[number] = piece.decode()
        elif (found := read(piece, before)) is not None:
            symbols[number], rest = found
            if rest.left:
                rests[number] = rest
    return Spellings(symbols, rests)


def _parts(text: str) -> Iterator[str]:
    """A learned token, cut at its tokens of the grammar."""
    at = 0
    for match in _ANGLES.finditer(text):
        yield text[at : match.start()]
        yield match[0]
        at = match.end()
    yield text[at:]


def _ends(tokenizer: Any, control: Any) -> list[int]:
    """The ids that a tokenizer ends its texts with."""
    named = getattr(tokenizer, "eos_token_id", None)
    if isinstance(named, int):
        return [named]
    texts = {text: number for number, text in control.items()}
    return [texts[text] for text in _ENDS if text in texts]

"""Masks for the reply of a chat: from fence to fence the code of a block is held to its dialect, and prose is free.

A block is held if its fence stands at the beginning of a line and is marked as Python or SimPy; code in quotes and lists is free.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import Any

from dualcode.conversion.fenced_code import CodePiece, FencedCode
from dualcode.conversion.fences import Fence
from tokenizer_ext.constrain import Constraint, Mask, State
from tokenizer_ext.errors import TokenizerError

_MARKS = "`~"
_LAST = 24  # ids before the end of a budget from which on no block may begin


class ProgramMasks:
    """The states of an answer that goes on with a program.

    >>> import tiktoken
    >>> from tokenizer_ext import extend
    >>> bytes_only = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
    >>> state = ProgramMasks(Constraint(extend(bytes_only)).start("<return>f(a"))
    >>> state.mask(1)[ord(")") // 8] >> ord(")") % 8 & 1, state.mask(1)[ord("b") // 8] >> ord("b") % 8 & 1
    (1, 0)
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def within(self, number: int, budget: int) -> ProgramMasks | None:
        """The state after an id."""
        state = _within(self._state, number, budget)
        return None if state is None else ProgramMasks(state)

    def sure(self, budget: int) -> int | None:
        """An id that may come, if one is known."""
        return next(iter(self._state.way(budget) or ()), None)

    def mask(self, budget: int) -> Any:
        """The ids that may come next."""
        return self._state.mask(budget).packed

    def rough_mask(self, budget: int) -> Any:
        """The same, where ``within`` may refuse more of them, at less cost."""
        return self._state.rough_mask(budget).packed


class ReplyTexts:
    """What ids say in a reply, and which of them say something of a kind.

    Args:
        constraint: what code is held to.
    """

    def __init__(self, constraint: Constraint) -> None:
        self.constraint = constraint
        vocabulary = constraint.vocabulary
        self.size = (vocabulary.size + 31) // 32 * 4
        own = {number: vocabulary.text(number).encode() for number in vocabulary.own}
        self._bytes = {number: vocabulary.pieces.get(number) or own.get(number, b"") for number in range(vocabulary.size)}
        self._texts = {number: piece.decode("utf-8", "replace") for number, piece in self._bytes.items()}
        self._masks: dict[tuple[str, str], int] = {}
        self.all = (1 << vocabulary.size) - 1
        self.ends = self._bits(lambda number: number in vocabulary.ends)
        self.marks = {char: [number for number, text in self._texts.items() if char in text] for char in _MARKS}

    def bytes_of(self, number: int) -> bytes:
        """What an id says; nothing if it is a control token."""
        return self._bytes.get(number, b"")

    def text(self, number: int) -> str:
        """The same as text."""
        return self._texts.get(number, "")

    def begin(self, rest: str) -> int:
        """The ids that say a beginning of a text, or all of it and more."""
        return self._kept("begin", rest, lambda text: bool(text) and (rest.startswith(text) or text.startswith(rest)))

    def hold(self, chars: str) -> int:
        """The ids that say one of some characters."""
        return self._kept("hold", chars, lambda text: any(char in text for char in chars))

    def _kept(self, kind: str, key: str, holds: Callable[[str], bool]) -> int:
        if (kind, key) not in self._masks:
            self._masks[kind, key] = self._bits(lambda number: holds(self._texts[number]))
        return self._masks[kind, key]

    def _bits(self, holds: Callable[[int], bool]) -> int:
        bits = bytearray(self.size)
        for number in self._bytes:
            if holds(number):
                bits[number >> 3] |= 1 << (number & 7)
        return int.from_bytes(bits, "little")


class ReplyMasks:
    """The states of the reply of a chat.

    Args:
        texts: what ids say.
        code: the lines of the reply so far.
        state: that of the code in the block that is open; ``None`` outside of blocks, and where the code has ended.
        closing: what of the closing line has been said; ``None`` if nothing.
        rest: the bytes of a character that is not whole.
    """

    def __init__(
        self,
        texts: ReplyTexts,
        code: FencedCode | None = None,
        state: State | None = None,
        closing: str | None = None,
        rest: bytes = b"",
    ) -> None:
        self._texts = texts
        self._code = code or FencedCode()
        self._state = state
        self._closing = closing
        self._rest = rest

    @classmethod
    def begin(cls, texts: ReplyTexts, begun: str) -> ReplyMasks:
        """The state after a beginning of the reply that the request holds.

        Raises:
            TokenizerError: it ends in code that is not the beginning of a program.
        """
        code = FencedCode()
        pieces = code.feed(begun)
        return cls(texts, code, _start(texts.constraint, code, pieces))

    def sure(self, budget: int) -> int | None:
        """An id that may come, if one is known."""
        fence = self._code.fence
        way = self._state.way(max(self._room(fence, budget), 1)) if self._state is not None and fence is not None else None
        return next(iter(way or ()), None)

    @staticmethod
    def _room(fence: Fence, budget: int) -> int:
        """How many ids the code may take: each says at least one character of the closing line."""
        return budget - len(_closing(fence))

    def within(self, number: int, budget: int) -> ReplyMasks | None:
        """The state after an id."""
        said = self._texts.bytes_of(number)
        text, rest = _decoded(self._rest + said)
        code = self._code.copy()
        if not code.length:
            text = text.removeprefix(self._texts.constraint.vocabulary.dummy)
        fence, pieces = self._code.fence, code.feed(text)
        if self._state is None and self._closing is None:
            return self._outside(code, pieces, rest)
        if fence is None:
            return None
        state = None
        if self._state is not None and number not in self._texts.constraint.vocabulary.ends:
            state = _within(self._state, number, max(self._room(fence, budget), 1))
        closing = self._closes(fence, text) if text or not said else self._closing
        if closing is not None and closing.startswith(_closing(fence)):
            return self._outside(code, pieces, rest)
        if (state is None and closing is None) or code.fence is not fence:
            return None
        return ReplyMasks(self._texts, code, state, closing, rest)

    def _outside(self, code: FencedCode, pieces: list[CodePiece], rest: bytes) -> ReplyMasks | None:
        """The state outside of code, or at the beginning of some."""
        try:
            return ReplyMasks(self._texts, code, _start(self._texts.constraint, code, pieces), rest=rest)
        except TokenizerError:
            return None

    def _closes(self, fence: Fence, text: str) -> str | None:
        """What of the closing line has been said after a text; ``None`` if the text does not go on with one."""
        if self._closing is None and not (self._state is not None and self._state.may_end()):
            return None
        said = (self._said if self._closing is None else self._closing) + text
        whole = _closing(fence)
        return said if whole.startswith(said) or said.startswith(whole) else None

    @property
    def _said(self) -> str:
        """The line break of a closing line, if it has been written."""
        return "" if self._code.line else "\n"

    def mask(self, budget: int) -> bytes:
        """The ids that may come next."""
        return self._mask(budget, State.mask)

    def rough_mask(self, budget: int) -> bytes:
        """The same, where ``within`` may refuse more of them, at less cost."""
        return self._mask(budget, State.rough_mask)

    def _mask(self, budget: int, of_code: Callable[[State, int], Mask]) -> bytes:
        texts, fence = self._texts, self._code.fence
        if fence is None or (self._state is None and self._closing is None):
            return self._prose(budget).to_bytes(texts.size, "little")
        whole = _closing(fence)
        bits = 0
        said = self._closing
        if said is None and self._state is not None and self._state.may_end():
            said = self._said
        if said is not None:
            left = whole[len(said) :]
            bits |= texts.begin(left) | (texts.ends if left == "\n" else 0)
        room = self._room(fence, budget)
        if self._state is not None and not (room <= 0 and bits):
            bits |= of_code(self._state, max(room, 1)).bits & ~texts.ends & ~self._closing_early(fence)
        return bits.to_bytes(texts.size, "little")

    def _closing_early(self, fence: Fence) -> int:
        """The ids that would end the block in the middle of its code: a line of a string that reads as the closing line."""
        bits = 0
        for number in self._texts.marks[fence.char]:
            *lines, last = (self._code.line + self._texts.text(number)).split("\n")
            if any(map(fence.closes, lines)) or fence.closes(last):
                bits |= 1 << number
        return bits

    def _prose(self, budget: int) -> int:
        """All ids; near the end of the budget none that begins a block."""
        texts = self._texts
        if budget > _LAST:
            return texts.all
        return texts.all & ~texts.hold("\n" if self._code.line.lstrip()[:1] in tuple(_MARKS) else _MARKS)


def _within(state: State, number: int, budget: int) -> State | None:
    """The state after an id; only where rules hold that a mask does not tell, the budget has to be asked for again."""
    return state.within(number, budget) if state.asks else state.after(number)


def _start(constraint: Constraint, code: FencedCode, pieces: list[CodePiece]) -> State | None:
    """The state in the block that is open, of whose code some pieces have come; ``None`` outside of blocks that are held.

    Raises:
        TokenizerError: the code is not the beginning of a program.
    """
    fence = code.fence
    if fence is None or fence.indent:
        return None
    said = "".join(piece.text or "" for piece in pieces if piece.fence is fence)
    try:
        return constraint.start(said + code.breaks)
    except TokenizerError:
        return constraint.start(said)  # the last line break is the fence's


def _closing(fence: Fence) -> str:
    return f"\n{fence.char * fence.length}\n"


def _decoded(said: bytes) -> tuple[str, bytes]:
    """The whole characters of some bytes, and what begins another one."""
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(said)
    return text, decoder.getstate()[0]

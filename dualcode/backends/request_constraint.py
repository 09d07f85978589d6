"""The constraint of one request: which ids a local model may write next, and whether it must stop.

Both are pure functions of the ids so far. What is remembered makes them fast and changes nothing, so one constraint serves beams, batches,
drafts of an assistant that are taken back, and generations that begin anew. Masks come from ``tokenizer_ext.constrain``.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from dualcode.backends.detokenizer import Detokenizer

_MOST = 1024  # prefixes that are remembered


class MaskState(Protocol):
    """How far an answer has come; a value."""

    def within(self, number: int, budget: int) -> MaskState | None:
        """The state after an id, where so many may still come, it included; ``None`` if it must not come here."""
        ...

    def mask(self, budget: int) -> Any:
        """The ids that may come next, where so many may still come: a packed mask as bytes, the first id in the lowest bit.

        There may be some in it that ``within`` refuses.
        """
        ...

    def rough_mask(self, budget: int) -> Any:
        """The same, where more of them may be refused by ``within``, at less cost."""
        ...

    def sure(self, budget: int) -> int | None:
        """An id that ``within`` does not refuse, if one is known."""
        ...


class RequestConstraint:
    """What holds one answer.

    Args:
        start: the state before the first id; ``None`` if all ids may come.
        budget: how many ids may come.
        is_whole: whether a text holds all that is wanted; a pure function. ``None`` if that is never so.
        tokenizer: turns ids into text.
        asks: whether masks do not tell all, so that each id has to be asked for (``takes``).

    >>> class Digits:  # at most as many as the budget, each larger than the last
    ...     def __init__(self, last=-1): self.last = last
    ...     def within(self, number, budget): return Digits(number) if number > self.last else None
    ...     def sure(self, budget): return self.last + 1
    ...     def mask(self, budget): return bytes([0xFF << self.last + 1 & 0xFF])
    ...     rough_mask = mask
    >>> constraint = RequestConstraint(Digits(), 8)
    >>> constraint.mask([2, 3]), constraint.mask([2]), constraint.mask([3, 2]), constraint.must_stop([2])
    (b'\\xf0', b'\\xf8', None, False)
    >>> constraint.takes([2], 3), constraint.takes([2], 1), constraint.sure([2])
    (True, False, 3)
    """

    def __init__(
        self,
        start: MaskState | None,
        budget: int,
        is_whole: Callable[[str], bool] | None = None,
        tokenizer: Any = None,
        *,
        asks: bool = False,
    ) -> None:
        self.asks = asks
        self._start = start
        self._budget = budget
        self._is_whole = is_whole
        self._tokenizer = tokenizer
        self._states: OrderedDict[tuple[int, ...], MaskState | None] = OrderedDict()
        self._ids: tuple[int, ...] = ()
        self._detokenizer = Detokenizer(tokenizer)
        self._text = ""

    @property
    def masks(self) -> bool:
        """Whether not all ids may come."""
        return self._start is not None

    def mask(self, ids: Sequence[int]) -> Any:
        """The ids that may come after some; ``None`` if all may, which is so after ids that must not have come."""
        state = self._state(tuple(ids))
        return None if state is None else state.mask(self._budget - len(ids))

    def rough_mask(self, ids: Sequence[int]) -> Any:
        """The same, where ``takes`` may refuse more of them, at less cost."""
        state = self._state(tuple(ids))
        return None if state is None else state.rough_mask(self._budget - len(ids))

    def takes(self, ids: Sequence[int], number: int) -> bool:
        """Whether an id may come after some; any may after ids that must not have come."""
        return self._state(tuple(ids)) is None or self._state((*ids, number)) is not None

    def sure(self, ids: Sequence[int]) -> int | None:
        """An id that may come after some, if one is known without asking."""
        state = self._state(tuple(ids))
        return None if state is None else state.sure(self._budget - len(ids))

    def must_stop(self, ids: Sequence[int]) -> bool:
        """Whether an answer of these ids holds all that is wanted."""
        if self._is_whole is None:
            return False
        given = tuple(ids)
        known = len(self._ids)
        if given[:known] != self._ids:
            self._detokenizer, self._text, known = Detokenizer(self._tokenizer), "", 0
        self._text += self._detokenizer.feed(given[known:])
        self._ids = given
        return self._is_whole(self._text)

    def _state(self, ids: tuple[int, ...]) -> MaskState | None:
        states = self._states
        known = len(ids)
        while known and ids[:known] not in states:
            known -= 1
        state = states[ids[:known]] if known else self._start
        for at in range(known, len(ids)):
            state = state.within(ids[at], self._budget - at) if state is not None else None
            states[ids[: at + 1]] = state
        if ids:
            states.move_to_end(ids)
        while len(states) > _MOST:
            states.popitem(last=False)
        return state

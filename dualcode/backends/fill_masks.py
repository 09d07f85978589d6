"""Masks for what is filled into a gap: with prefix and suffix it has to be a program of the dialect."""

from __future__ import annotations

from collections.abc import Callable, Collection

from tokenizer_ext.constrain import Mask, State
from tokenizer_ext.constrain.groups import bits_of


class FillMasks:
    """The states of what is filled into a gap.

    Args:
        begin: the state before the first id, which knows the suffix.
        ends: the ids that end what is filled in, besides those that end a text.
        end_of_unit: the offset in an answer after which nothing is wanted; ``None`` if more is, or if all is wanted.
        state: the state now.

    >>> import tiktoken
    >>> from tokenizer_ext import extend
    >>> from tokenizer_ext.constrain import Constraint, Suffix
    >>> bytes_only = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
    >>> begin = Constraint(extend(bytes_only)).start("<return>f(a+").before(Suffix(" c)"))
    >>> masks = FillMasks(begin, (255,))
    >>> masks.within(255, 5) is None, masks.within(ord("b"), 5).within(255, 4) is None, masks.sure(1) is None
    (True, False, False)
    """

    def __init__(
        self,
        begin: State,
        ends: Collection[int] = (),
        end_of_unit: Callable[[str], int | None] | None = None,
        state: State | None = None,
    ) -> None:
        self._begin = begin
        self._ends = ends
        self._end_of_unit = end_of_unit
        self._state = state or begin

    @property
    def said(self) -> str:
        """What has been filled in so far."""
        return self._state.said

    @property
    def ended(self) -> bool:
        """Whether an id has ended what is filled in."""
        return self._state.ended

    def within(self, number: int, budget: int) -> FillMasks | None:
        """The state after an id."""
        if number in self._ends:
            return self._after(self._state.finished())
        if self._end_of_unit is not None:
            state = self._state.read(number)
            at = self._end_of_unit(state.said) if state is not None and not state.ended else None
            if state is not None and at is not None:  # it ends here, whatever could follow
                return self._after(state) if self._begin.may_end_after(state.said[:at]) else None
        return self._after(self._state.within(number, budget))

    def _after(self, state: State | None) -> FillMasks | None:
        return None if state is None else FillMasks(self._begin, self._ends, self._end_of_unit, state)

    def sure(self, budget: int) -> int | None:
        """An id that may come, if one is known."""
        way = self._state.way(budget)
        return None if way is None else next(iter(way or sorted({*self._ends, *self._state.engine.vocabulary.ends})), None)

    def mask(self, budget: int) -> bytes:
        """The ids that may come next; there may be some among them that ``within`` refuses."""
        return self._with_ends(self._state.mask(budget))

    def rough_mask(self, budget: int) -> bytes:
        """The same, where ``within`` may refuse more of them, at less cost."""
        return self._with_ends(self._state.rough_mask(budget))

    def _with_ends(self, mask: Mask) -> bytes:
        ends = bits_of(self._ends) if not self._state.ended and self._state.may_end() else 0
        return (mask.bits | ends).to_bytes(len(mask.packed), "little")

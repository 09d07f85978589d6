"""Names that have come, as values that share what they have in common."""

from __future__ import annotations

from collections.abc import Iterator


class Names:
    """Names, the last one first. Whether a name is among them takes the logarithm of how many they are.

    Names stand in segments of 1, 3, 7, ... names, the smallest ones first: a name that comes before two segments of one size
    joins them to one (the positions are a skew-binary number; Okasaki, *Purely Functional Data Structures*, 1998, section 9.3).

    Attributes:
        name: the last name.
        before: those before it.

    >>> names = Names("c", Names("b", Names("a")))
    >>> "a" in names, "c" in names.before, list(names)
    (True, False, ['c', 'b', 'a'])
    """

    __slots__ = ("_all", "_rest", "_size", "before", "name")

    def __init__(self, name: str, before: Names | None = None) -> None:
        self.name = name
        self.before = before
        self._all: frozenset[str] | None = None
        self._size: int = 1
        self._rest: Names | None = before
        second = before._rest if before is not None else None
        if before is not None and second is not None and before._size == second._size:
            self._size, self._rest = 2 * before._size + 1, second._rest

    def __contains__(self, name: str) -> bool:
        at: Names | None = self
        while at is not None:
            if name in at._segment():
                return True
            at = at._rest
        return False

    def __iter__(self) -> Iterator[str]:
        at: Names | None = self
        while at is not None:
            yield at.name
            at = at.before

    def _segment(self) -> frozenset[str]:
        """The names of the segment, put together when somebody first asks for one."""
        if self._all is None:
            first = self.before if self._size > 1 else None
            second = first._rest if first is not None else None
            self._all = frozenset((self.name,))
            if first is not None and second is not None:
                self._all |= first._segment() | second._segment()
        return self._all


def contains(names: Names | None, name: str) -> bool:
    """Whether a name is among names."""
    return names is not None and name in names

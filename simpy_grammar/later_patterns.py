"""Regular expressions that are compiled when they are first used: compiling all of them takes longer than converting a small file."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    import re
    from typing import AnyStr


class _LaterPattern:
    def __init__(self, pattern: str | bytes, flags: int) -> None:
        self.pattern = pattern
        self._wanted = flags

    def __getattr__(self, name: str) -> object:
        import re  # not needed before

        found: object = getattr(re.compile(self.pattern, self._wanted), name)
        setattr(self, name, found)  # so that the next use finds it at once
        return found


def later_pattern(pattern: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """What ``re.compile`` returns, for all that is done by its methods.

    >>> later_pattern("[a-z]+").findall("a 1 bc"), later_pattern("a").pattern
    (['a', 'bc'], 'a')
    """
    return _LaterPattern(pattern, flags)  # type: ignore[return-value]  # it has the same methods

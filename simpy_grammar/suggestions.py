"""Names that a person may have meant, for hints."""

from __future__ import annotations

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Iterable


def did_you_mean(word: str, names: Iterable[str], otherwise: str = "") -> str:
    """A hint that names what is most like a word.

    Args:
        word: what was written.
        names: what it may have meant.
        otherwise: the hint if no name is like it.

    >>> did_you_mean("encod", ["encode", "decode", "edit"])
    'did you mean encode?'
    >>> did_you_mean("SIMPY_SERVE_PROT", ["SIMPY_SERVE_PORT"])
    'did you mean SIMPY_SERVE_PORT?'
    >>> did_you_mean("zzz", ["encode"], "see simpy --help")
    'see simpy --help'
    """
    from difflib import get_close_matches  # slow to import, and wanted after a mistake only

    lowered = {name.lower(): name for name in names}
    found = get_close_matches(word.lower(), lowered, n=1, cutoff=0.7)
    return f"did you mean {lowered[found[0]]}?" if found else otherwise

"""Numbers in options: each function makes what ``type=`` of an option takes, with an error that says what is wanted."""

from __future__ import annotations

import argparse

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Callable


def whole(what: str = "", *, least: int = 0, called: str = "") -> Callable[[str], int]:
    """Whole numbers, in digits.

    Args:
        what: what is counted; empty where the option says it.
        least: the smallest number.
        called: what the number is to be called instead, such as "a line number".

    >>> whole()("12")
    12
    >>> whole("tokens", least=1)("0")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: '0' is not a number of tokens from 1
    """

    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and int(text) >= least):
            wanted = (f"a number of {what}" if what else "a whole number") + (f" from {least}" if least else "")
            raise argparse.ArgumentTypeError(f"{text!r} is not {called or wanted}")
        return int(text)

    return read


def decimal(what: str = "", *, above: float | None = None, most: float = 1e6) -> Callable[[str], float]:
    """Numbers from 0, or above another.

    Args:
        what: what is counted; empty where the option says it.
        above: the number that all are above; ``None`` for those from 0.
        most: the largest number.

    >>> decimal()("1e-3")
    0.001
    >>> decimal("megabytes", above=0)("0")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: '0' is not a number of megabytes above 0
    """
    wanted = f"a number of {what}" if what else "a number"
    wanted += " from 0" if above is None else f" above {above:g}"
    wanted += f", {most:g} at most" if most < 1e6 else ""

    def read(text: str) -> float:
        found = _float(text)
        if not (found >= 0 if above is None else found > above) or found > most:
            raise argparse.ArgumentTypeError(f"{text!r} is not {wanted}")
        return found

    return read


def share(*, whole: bool = True) -> Callable[[str], float]:
    """Shares above 0.

    Args:
        whole: whether 1 is a share.

    >>> share()("1"), share(whole=False)("0.5")
    (1.0, 0.5)
    >>> share(whole=False)("1")
    Traceback (most recent call last):
        ...
    argparse.ArgumentTypeError: '1' is not a share between 0 and 1
    """

    def read(text: str) -> float:
        found = _float(text)
        if not (0 < found < 1 or whole and found == 1):
            raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
        return found

    return read


def _float(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return -1.0

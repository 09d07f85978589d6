"""Strings of several lines that were quoted with other blanks at the starts of their lines than the file has.

To dedent a function is to dedent its docstring, which changes the string. If a piece is not found as it was quoted, such strings are
replaced by those of the file, in the old piece and in the new one. The rest of the piece stays.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

from simpy_grammar.errors import EditError, PlaceError
from transpiler.edits.pieces import read_pieces
from transpiler.edits.tokens import STRING, Tokens

_MOST_WAYS = 64  # combinations of strings of the file that are tried


def with_lines_of_file(tokens: Tokens, old: str, new: str) -> Iterator[tuple[str, str]]:
    """The ways to read a piece whose strings differ from those of the file only in the blanks at the starts of their lines.

    Args:
        tokens: the file.
        old, new: the piece and what comes in its place. A string that only ``new`` has is shifted as those of ``old`` are.

    Raises:
        EditError: it is not certain what the lines of a changed string are to begin with.

    >>> tokens = Tokens("class C:\\n    def f():\\n        '''A\\n        b.'''\\n")
    >>> list(with_lines_of_file(tokens, "def f():\\n    '''A\\n    b.'''", "def g():\\n    '''A\\n    c.'''"))
    [("def f():\\n    '''A\\n        b.'''", "def g():\\n    '''A\\n        c.'''")]
    """
    ours: dict[str, dict[str, None]] = {}
    for text in _strings(tokens):
        ours.setdefault(_without_blanks(text), {})[text] = None
    quoted = _strings_of_piece(old)
    choices = [[text] if text in ours.get(_without_blanks(text), {}) else list(ours.get(_without_blanks(text), {})) for text in quoted]
    if not quoted or choices == [[text] for text in quoted]:
        return
    for chosen in itertools.islice(itertools.product(*choices), _MOST_WAYS):
        yield _replaced(old, dict(zip(quoted, chosen, strict=True))), _replaced(new, _moved(new, quoted, chosen))


def _strings(tokens: Tokens) -> Iterator[str]:
    for key, start, end in zip(tokens.keys, tokens.starts, tokens.ends, strict=True):
        if key == STRING and "\n" in tokens.text[start:end]:
            yield tokens.text[start:end]


def _strings_of_piece(text: str) -> list[str]:
    """The strings of several lines that a piece holds, each once."""
    try:
        return list(dict.fromkeys(string for piece in read_pieces(text) for string in _strings(piece.tokens))) if text.strip() else []
    except PlaceError:
        return []


def _without_blanks(text: str) -> str:
    first, *rest = text.split("\n")
    return "\n".join((first, *(line.lstrip(" \t") for line in rest)))


def _replaced(text: str, strings: dict[str, str]) -> str:
    """A piece with other strings. All are replaced at once, since one may become what another one was."""
    if not strings:
        return text
    longest_first = sorted(strings, key=len, reverse=True)
    return re.sub("|".join(map(re.escape, longest_first)), lambda match: strings[match[0]], text)


def _moved(new: str, quoted: list[str], chosen: tuple[str, ...]) -> dict[str, str]:
    """What becomes of the strings of the new piece.

    Raises:
        EditError: a string is not in the old piece, and the strings of that are not all shifted alike.
    """
    strings = dict(zip(quoted, chosen, strict=True))
    others = [text for text in _strings_of_piece(new) if text not in strings]
    if others:
        shifts = {_shift(one, other) for one, other in strings.items()}
        shift = shifts.pop() if len(shifts) == 1 else None
        for text in others:
            strings[text] = _shifted(text, shift)
    return strings


def _shift(one: str, other: str) -> tuple[str, str] | None:
    """What to remove at the start of each line of one string, and what to put there, to make the other; ``None`` if lines differ."""
    found: set[tuple[str, str]] = set()
    for line, wanted in zip(one.split("\n")[1:], other.split("\n")[1:], strict=True):
        if line.strip():
            blanks, wanted_blanks = (text[: len(text) - len(text.lstrip(" \t"))] for text in (line, wanted))
            longer = max(blanks, wanted_blanks, key=len)
            common = min(blanks, wanted_blanks, key=len)
            if not longer.endswith(common):
                return None
            extra = longer[: len(longer) - len(common)]
            found.add((extra, "") if longer == blanks else ("", extra))
    return found.pop() if len(found) == 1 else None


def _shifted(text: str, shift: tuple[str, str] | None) -> str:
    first, *rest = text.split("\n")
    if shift is None or any(line.strip() and not line.startswith(shift[0]) for line in rest):
        raise EditError("it is not certain what the lines of the new string are to begin with", hint="quote the string as the file has it")
    moved = (shift[1] + line[len(shift[0]) :] if line.strip() else line for line in rest)
    return "\n".join((first, *moved))

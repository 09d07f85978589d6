"""What every form of patch is read into: a list of changes, each of one place in one file.

A change quotes the text that it replaces. It does not say where that text stands: finding the place belongs to the edits.
"""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["update", "create", "delete", "move"]


class Elision(NamedTuple):
    """A line that stands for code that stays as it is.

    Attributes:
        line: its line number in the piece of code that was given anew, from 1.
        indent: the blanks that it begins with.
        text: the line as written, with its line break.
        bare: whether it is a lone ``...``, which is also a statement of Python. Where the source has that statement at this
            place, the two readings mean the same.
    """

    line: int
    indent: str
    text: str
    bare: bool


class Elided(NamedTuple):
    """Code with parts left out, cut at the elisions.

    The code is ``pieces[0], elisions[0], pieces[1], ..., pieces[-1]``, so there is one piece more than there are elisions.
    Joined with the lines of the elisions they are the text as written. A piece is empty where the code begins or ends with
    an elision, or where two elisions follow each other.
    """

    pieces: tuple[str, ...]
    elisions: tuple[Elision, ...]


class Change(NamedTuple):
    """One change of one file.

    Attributes:
        path: the file as the patch names it, or ``None`` where the patch does not say.
        kind: ``create``: the file is new (or empty) and ``new`` is its text. ``delete``: the file goes; ``old`` is its text
            as far as the patch gives it. ``move``: the file is renamed to ``moved_to``. ``update``: ``old`` becomes ``new``.
        old: the text to replace, every character as written.
        new: the text to put in its place.
        line: where ``old`` begins, from 1. A hint: models count badly.
        within: lines that stand above the change, joined by ``\\n``: what follows the ``@@`` of a hunk. A hint, and in
            a unified diff not always the enclosing definition.
        rewritten: ``new`` gives the whole file or block anew, and ``old`` is empty.
        everywhere: every occurrence of ``old`` is meant, not exactly one.
        moved_to: the new name of a file that moves.
        elided: ``new``, cut at the lines that stand for code that stays, if it is rewritten and has such lines.
    """

    path: str | None
    kind: Kind
    old: str = ""
    new: str = ""
    line: int | None = None
    within: str | None = None
    rewritten: bool = False
    everywhere: bool = False
    moved_to: str | None = None
    elided: Elided | None = None


class Patch(NamedTuple):
    """The changes of a patch, in its order."""

    changes: tuple[Change, ...]

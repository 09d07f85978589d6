"""What models write when they change code, read into changes: one file for each form, and the table of them.

A new form is a file, a row in ``FORMS``, and the shape that it is known by in ``patch_text.SHAPES``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from transpiler.patches.applying import FileEdit, apply_patch, apply_piece
from transpiler.patches.change import Change, Elided, Elision, Patch
from transpiler.patches.openai_patch import parse_apply_patch
from transpiler.patches.patch_text import SHAPES, PatchText
from transpiler.patches.rewritten import cut_at_elisions, parse_rewritten
from transpiler.patches.search_replace import parse_search_replace
from transpiler.patches.string_pairs import parse_string_pairs
from transpiler.patches.unified_diff import parse_unified_diff

__all__ = [
    "FORMS",
    "Change",
    "Elided",
    "Elision",
    "FileEdit",
    "Patch",
    "apply_patch",
    "apply_piece",
    "cut_at_elisions",
    "form_of",
    "read_patch",
]

FORMS: dict[str, Callable[[PatchText], Iterator[Change]]] = {
    "search_replace": parse_search_replace,
    "unified_diff": parse_unified_diff,
    "apply_patch": parse_apply_patch,
    "string_pairs": parse_string_pairs,
    "rewritten": parse_rewritten,
}
"""Name of a form -> what reads it."""


def form_of(text: str) -> str | None:
    """The form of a patch, by what shows first in it; ``None`` for a text that shows none.

    >>> form_of("*** Begin Patch\\n*** End Patch\\n"), form_of("def f(): pass\\n")
    ('apply_patch', None)
    """
    found = {form: shape.search(text) for form, shape in SHAPES.items()}
    first = min((match.start(), form) for form, match in found.items() if match) if any(found.values()) else None
    if first is not None:
        return first[1]
    return "rewritten" if "```" in text or "~~~" in text or cut_at_elisions(text).elisions else None


def read_patch(text: str, form: str | None = None, *, path: str | None = None) -> Patch:
    """Read a patch.

    Args:
        text: the patch, with prose around it or without.
        form: one of ``FORMS``, or ``None`` to tell by the text.
        path: the file that the patch comes from, for errors.

    Raises:
        PatchError: the text has no known form, or is not what its form asks for. Nothing is guessed.

    >>> read_patch("a.py\\n<<<<<<< SEARCH\\nx\\n=======\\ny\\n>>>>>>> REPLACE\\n").changes[0][:4]
    ('a.py', 'update', 'x\\n', 'y\\n')
    """
    patch = PatchText(text, path)
    form = form or form_of(text)
    if form is None:
        raise patch.error(f"not a patch in a known form: expected one of {', '.join(FORMS)}", 0)
    changes = tuple(change for change in FORMS[form](patch) if change.kind != "update" or change.old != change.new)
    if not changes:
        raise patch.error("the patch changes nothing", 0)
    return Patch(changes)

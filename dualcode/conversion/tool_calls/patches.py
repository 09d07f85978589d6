"""A patch that quotes shortened code, written anew against the person's lines in the same form."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from dualcode.conversion.tool_calls.hunks import WRITERS, hunks_of
from dualcode.conversion.tool_calls.pairs import Given
from dualcode.conversion.tool_calls.shown_texts import Pair, ShownText, is_unique
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import EditError
from transpiler.patches import Change, Patch, read_patch

_APPLY_PATCH = re.compile(r"\*\*\* Begin Patch[ \t]*\r?\n[\s\S]*?^\*\*\* End Patch[ \t]*$", re.MULTILINE)
_HEREDOC = re.compile(r"<<-?[ \t]*(?P<quote>['\"]?)\w+(?P=quote)[ \t]*\r?\n\Z")
GivePair = Callable[["ShownText | None", "str | None", Pair], "tuple[ShownText, Given]"]
"""Gives a pair back. It takes the text that the pair must stand in, if that is settled, the file and the pair, and returns the text in
which the pair stands and what became of it."""


class PatchGiven(NamedTuple):
    """What becomes of a patch.

    Attributes:
        text: the patch; as received if it can stay.
        pairs: how many pairs it has.
        states: each text that changes, as it was and as it is after the patch.
    """

    text: str
    pairs: int
    states: tuple[tuple[ShownText, ShownText], ...]


def patch_in(text: str, form: str) -> tuple[int, int]:
    """The range of a text that is a patch: all of it, or for ``apply_patch`` what stands between its marks.

    Raises:
        EditError: there is none, or a shell would expand what stands in it.

    >>> patch_in("apply_patch <<'EOF'\\n*** Begin Patch\\n*** End Patch\\nEOF", "apply_patch")
    (20, 49)
    """
    if form != "apply_patch":
        return 0, len(text)
    found = _APPLY_PATCH.search(text)
    if found is None:
        raise EditError("there is no patch between '*** Begin Patch' and '*** End Patch'")
    before = text[: found.start()]
    heredoc = _HEREDOC.search(before)
    if before.strip() and (heredoc is None or not heredoc["quote"]):
        raise EditError("the shell may expand what stands in the patch")
    return found.start(), found.end()


def give_back_patch(asked: str, form: str, path: str | None, dialect: Dialect, give: GivePair) -> PatchGiven:
    """Write a patch against the person's lines.

    Args:
        asked: the patch, as the model wrote it.
        form: its form.
        path: the file of changes that name none.
        dialect: what the model reads and writes.
        give: gives one pair back.

    Raises:
        SimPyError: one of its changes cannot be given back, so the whole patch cannot; or the new patch is not proved.
    """
    patch = read_patch(asked, form)
    before: dict[str, ShownText] = {}
    after: dict[str, ShownText] = {}
    stays, pairs = True, 0
    for change in patch.changes:
        if change.kind != "update":
            continue
        if change.rewritten or change.everywhere:
            raise EditError("the patch holds more than pairs of an old and a new text")
        name = change.path or path or ""
        pair = Pair(change.old, change.new)
        text, given = give(after.get(name), name or None, pair)
        pairs += 1
        stays = stays and given.stays
        before.setdefault(name, text)
        after[name] = text.edited(given.after, pair, dialect)
    states = tuple((before[name], after[name]) for name in before)
    if stays:
        return PatchGiven(asked, pairs, states)
    written = _written(asked, form, patch, before, after)
    _prove(written, form, path, before, after)
    return PatchGiven(written, pairs, states)


def _written(asked: str, form: str, patch: Patch, before: dict[str, ShownText], after: dict[str, ShownText]) -> str:
    """The patch: a section for each changed file, in order of first appearance, and its other sections."""
    if form not in WRITERS:
        raise EditError(f"a patch in the form {form} cannot be written anew")
    context, write = WRITERS[form]
    parts: list[str] = []
    done: set[str] = set()
    for change in patch.changes:
        name = change.path or next(iter(before), "")
        if change.kind != "update":
            if form != "apply_patch":
                raise EditError("the patch makes, moves or deletes files too")
            parts.append(_section(change, patch))
        elif name not in done:
            done.add(name)
            hunks = hunks_of(_whole_lines(before[name].python), _whole_lines(after[name].python), context)
            move = next((other.moved_to for other in patch.changes if other.kind == "move" and other.path == change.path), None)
            section = write(name, hunks, asked)
            parts.append(section.replace("\n", f"\n*** Move to: {move}\n", 1) if move else section)
    if form == "apply_patch":
        return f"*** Begin Patch\n{''.join(parts)}*** End Patch"
    return "".join(parts)


def _section(change: Change, patch: Patch) -> str:
    if change.kind == "create":
        return f"*** Add File: {change.path}\n" + "".join(f"+{line}\n" for line in change.new.removesuffix("\n").split("\n"))
    if change.kind == "delete":
        return f"*** Delete File: {change.path}\n"
    updated = any(other.kind == "update" and other.path == change.path for other in patch.changes)
    return "" if updated else f"*** Update File: {change.path}\n*** Move to: {change.moved_to}\n"


def _prove(written: str, form: str, path: str | None, before: dict[str, ShownText], after: dict[str, ShownText]) -> None:
    """Apply a patch by plain replacement, and compare.

    Raises:
        EditError: it does not give what was asked for.
    """
    texts = {name: _whole_lines(text.python) for name, text in before.items()}
    for change in read_patch(written, form).changes:
        if change.kind != "update":
            continue
        name = change.path or path or ""
        if name not in texts or not is_unique(texts[name], change.old):
            raise EditError("the new patch cannot be applied")
        texts[name] = texts[name].replace(change.old, change.new)
    if any(texts[name] != _whole_lines(text.python) for name, text in after.items()):
        raise EditError("the new patch does not give what was asked for")


def _whole_lines(text: str) -> str:
    """A text whose last line has a line break: what was shown of a file often lacks it."""
    return text if text.endswith("\n") or not text else text + "\n"

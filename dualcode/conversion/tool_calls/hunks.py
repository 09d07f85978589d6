"""The difference of two texts as hunks that stand at one place each, and patches written from them in the form of a tool."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

from dualcode.conversion.tool_calls.shown_texts import is_unique
from transpiler.source import split_lines

_ESCAPED = re.compile(
    r"\\*(?:<{5,9} (?:SEARCH|ORIGINAL)|-{7}$|-{5,9} SEARCH|={5,9}$|[>+]{5,9} (?:REPLACE|UPDATED)|:start_line:|:end_line:)"
)
_ROO = re.compile(r"(?m)^:start_line:")
_ANGLES = re.compile(r"(?m)^[ \t]*<{5,9} SEARCH")


class Hunk(NamedTuple):
    """A place where two texts differ.

    Attributes:
        line, new_line: its first line in the old and in the new text, from 1.
        lines: each line with its sign (a blank, ``-`` or ``+``) and its line break.
    """

    line: int
    new_line: int
    lines: tuple[str, ...]

    @property
    def old(self) -> str:
        """What stands there before, with its context."""
        return "".join(line[1:] for line in self.lines if line[0] != "+")

    @property
    def new(self) -> str:
        """What stands there afterwards, with its context."""
        return "".join(line[1:] for line in self.lines if line[0] != "-")


def hunks_of(old: str, new: str, context: int) -> list[Hunk]:
    """The hunks of the difference of two texts whose last lines are whole, each with as much context as makes it unique.

    Args:
        old, new: the texts.
        context: lines of context on each side, at least.

    >>> [hunk.old for hunk in hunks_of("a\\nx\\nb\\nx\\n", "a\\nx\\nb\\ny\\n", 0)]
    ['b\\nx\\n']
    """
    before, after = split_lines(old), split_lines(new)
    changes = [code[1:] for code in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes() if code[0] != "equal"]
    groups: list[list[tuple[int, int, int, int]]] = []
    bounds: list[tuple[int, int]] = []
    for change in changes:
        start, end = max(change[0] - context, 0), min(change[1] + context, len(before))
        if groups and start <= bounds[-1][1]:
            groups[-1].append(change)
            bounds[-1] = bounds[-1][0], end
        else:
            groups.append([change])
            bounds.append((start, end))
    return _hunks(before, after, groups, bounds)


def _hunks(
    before: Sequence[str],
    after: Sequence[str],
    groups: list[list[tuple[int, int, int, int]]],
    bounds: list[tuple[int, int]],
) -> list[Hunk]:
    """Widen each group until its lines stand at one place; groups that meet become one."""
    text = "".join(before)
    i = 0
    while i < len(groups):
        start, end = bounds[i]
        while not _stands_once(text, before[start:end]) and (start > 0 or end < len(before)):
            start, end = max(start - 1, 0), min(end + 1, len(before))
        bounds[i] = start, end
        if i + 1 < len(groups) and end >= bounds[i + 1][0]:
            groups[i : i + 2] = [groups[i] + groups[i + 1]]
            bounds[i : i + 2] = [(start, max(end, bounds[i + 1][1]))]
        elif i and bounds[i - 1][1] >= start:
            groups[i - 1 : i + 1] = [groups[i - 1] + groups[i]]
            bounds[i - 1 : i + 1] = [(min(bounds[i - 1][0], start), end)]
            i -= 1
        else:
            i += 1
    found = []
    for group, (start, end) in zip(groups, bounds, strict=True):
        lines: list[str] = []
        place = start
        for first, last, other, stop in group:
            lines += [" " + line for line in before[place:first]]
            lines += ["-" + line for line in before[first:last]] + ["+" + line for line in after[other:stop]]
            place = last
        lines += [" " + line for line in before[place:end]]
        found.append(Hunk(start + 1, group[0][2] - (group[0][0] - start) + 1, tuple(lines)))
    return found


def _stands_once(text: str, lines: Sequence[str]) -> bool:
    """Whether some lines are not all blank and stand in a text once, also for a tool that compares characters."""
    old = "".join(lines)
    return bool(old.strip()) and is_unique(text, old)


# --------------------------------------------------------------------------------------------------------------- the forms


def _search_replace(path: str, hunks: Sequence[Hunk], asked: str) -> str:
    """SEARCH/REPLACE blocks, with the markers of the patch that the model wrote, and line numbers if it has them."""
    angles = _ANGLES.search(asked) is not None
    opening, closing = ("<<<<<<< SEARCH", ">>>>>>> REPLACE") if angles else ("------- SEARCH", "+++++++ REPLACE")
    blocks = []
    for hunk in hunks:
        number = f":start_line:{hunk.line}\n-------\n" if _ROO.search(asked) else ""
        blocks.append(f"{opening}\n{number}{_escaped(hunk.old)}=======\n{_escaped(hunk.new)}{closing}\n")
    return "".join(blocks)


def _escaped(text: str) -> str:
    return "".join("\\" + line if _ESCAPED.match(line.rstrip("\r\n")) else line for line in split_lines(text))


def _apply_patch(path: str, hunks: Sequence[Hunk], asked: str) -> str:
    """One section of OpenAI's ``apply_patch``."""
    return f"*** Update File: {path}\n" + "".join(f"@@\n{''.join(hunk.lines)}" for hunk in hunks)


def _unified_diff(path: str, hunks: Sequence[Hunk], asked: str) -> str:
    """The hunks of one file of a unified diff."""
    names = [path, path]
    for i, sign in enumerate(("---", "+++")):
        found = re.search(rf"(?m)^{re.escape(sign)} ([^\t\n]*{re.escape(path)})[ \t]*$", asked)
        names[i] = found[1] if found else path
    text = f"--- {names[0]}\n+++ {names[1]}\n"
    for hunk in hunks:
        old, new = (sum(line[0] != sign for line in hunk.lines) for sign in "+-")
        text += f"@@ -{hunk.line},{old} +{hunk.new_line},{new} @@\n" + "".join(hunk.lines)
    return text


WRITERS: dict[str, tuple[int, Callable[[str, Sequence[Hunk], str], str]]] = {
    "search_replace": (1, _search_replace),
    "apply_patch": (3, _apply_patch),
    "unified_diff": (3, _unified_diff),
}
"""Form of a patch -> lines of context, and what writes the changes of one file, given its name, the hunks, and the patch that the
model wrote."""

"""The text of a patch, cut into lines that keep their line breaks, and the errors that point into it."""

from __future__ import annotations

import re

from simpy_grammar.errors import PatchError

SHAPES = {
    "string_pairs": re.compile(
        r"""\A\s*(?:```\w*\s*)?(?=[\[{])(?=[\s\S]*"(?:edits|old_?(?:string|str|text)|search|file_text|content)\\?"\s*:)""", re.IGNORECASE
    ),
    "apply_patch": re.compile(r"^\*\*\* (?:Begin Patch|(?:Update|Add|Delete|Move) File: )", re.MULTILINE),
    "search_replace": re.compile(
        r"^[ \t]*(?:<{5,9} (?:SEARCH|ORIGINAL)|-{5,9} SEARCH|[>+]{5,9} (?:REPLACE|UPDATED))>?[ \t\r]*$", re.MULTILINE
    ),
    "unified_diff": re.compile(r"^(?:diff --git |@@(?:[ \r]|$)|--- .*\n\+\+\+ )", re.MULTILINE),
}
"""Form -> what shows that a text has it. The one that shows first in a text is its form."""


class PatchText:
    """A patch to be read.

    Attributes:
        text: the whole text.
        path: the file that it comes from, for errors.
        lines: its lines, each with its line break. Only ``\\n`` ends a line; the last line always has a line break.
    """

    def __init__(self, text: str, path: str | None = None) -> None:
        self.text = text
        self.path = path
        self.lines = text.split("\n")
        self.lines = [line + "\n" for line in self.lines[:-1]] + ([self.lines[-1] + "\n"] if self.lines[-1] else [])

    def bare(self, index: int) -> str:
        """A line without its line break, or an empty text behind the last line."""
        return self.lines[index].rstrip("\r\n") if index < len(self.lines) else ""

    def error(self, message: str, index: int, *, hint: str = "") -> PatchError:
        """An error at a line, by index."""
        index = max(0, min(index, len(self.lines) - 1))
        return PatchError(message, path=self.path, line=index + 1, source_line=self.bare(index), hint=hint)

    def error_at(self, message: str, offset: int, *, hint: str = "") -> PatchError:
        """An error at an offset into the text."""
        return PatchError.at(self.text, offset, message, path=self.path, hint=hint)

    def check_prose(self, index: int) -> None:
        """Refuse a line outside of the changes if it begins a change in any form: it would be left out in silence."""
        two = self.bare(index) + "\n" + self.bare(index + 1)
        for form, shape in SHAPES.items():
            if form != "string_pairs" and shape.match(two):
                raise self.error(f"the patch goes on in another form ({form}), or a change before this line is not finished", index)

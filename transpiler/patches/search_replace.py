"""SEARCH/REPLACE blocks: the text to find, a divider, the text to put in its place.

    app.py
    ------- SEARCH
    x = 1
    =======
    x = 2
    +++++++ REPLACE

That is Cline's form. Aider's has seven ``<`` and ``>`` in place of the signs, and Roo's has ``:start_line:`` and a rule below
the first marker. Everything outside of the blocks is prose.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from transpiler.patches.change import Change
from transpiler.patches.file_names import name_above
from transpiler.patches.patch_text import PatchText

_OPEN = re.compile(r"(?P<indent>[ \t]*)(?P<sign>(?P<char>[<-])(?P=char){4,8}) (?P<word>SEARCH|ORIGINAL)>?[ \t]*$")
_CLOSE = re.compile(r"(?P<indent>[ \t]*)(?P<sign>(?P<char>[>+])(?P=char){4,8}) (?P<word>REPLACE|UPDATED)>?[ \t]*$")
_CLOSING = {"<": (">", {"SEARCH": "REPLACE", "ORIGINAL": "UPDATED"}), "-": ("+", {"SEARCH": "REPLACE"})}
"""Sign of the first marker -> sign of the last one, and its word by that of the first."""
_ESCAPED = re.compile(
    r"\\+(?:<{5,9} (?:SEARCH|ORIGINAL)|-{7}$|-{5,9} SEARCH|={5,9}$|[>+]{5,9} (?:REPLACE|UPDATED)|:start_line:|:end_line:)"
)
_LINE_NUMBER = re.compile(r":(?P<which>start|end)_line: *(?P<number>\d+)[ \t]*$")
_RULE = "-------"  # what ends the line numbers


def parse_search_replace(patch: PatchText) -> Iterator[Change]:
    """The changes of all blocks. A block without a file name is about the file of the block before it.

    >>> list(parse_search_replace(PatchText("a.py\\n<<<<<<< SEARCH\\nx\\n=======\\ny\\n>>>>>>> REPLACE\\n")))[0][:4]
    ('a.py', 'update', 'x\\n', 'y\\n')
    """
    at, path = 0, None
    while at < len(patch.lines):
        opening = _OPEN.match(patch.bare(at))
        if opening and opening["word"] in _CLOSING[opening["char"]][1]:
            path = name_above(patch, at) or path
            change, at = _block(patch, at, opening, path)
            yield change
            continue
        if _CLOSE.match(patch.bare(at)):
            raise patch.error(f"{patch.bare(at).strip()!r} without the marker that begins the block", at)
        patch.check_prose(at)
        at += 1


def _block(patch: PatchText, start: int, opening: re.Match[str], path: str | None) -> tuple[Change, int]:
    """The block that begins in a line, and the index of the line after it. All its markers are indented alike."""
    char, words = _CLOSING[opening["char"]]
    last_word, indent = words[opening["word"]], opening["indent"]
    divider = "=" * len(opening["sign"])
    line, body = _line_number(patch, start + 1)
    middle = end = -1
    for at in range(body, len(patch.lines)):
        text = patch.bare(at)
        closing = _CLOSE.match(text)
        nested = _OPEN.match(text)
        if nested and nested["indent"] == indent:
            raise patch.error(f"a block begins before the one of line {start + 1} has ended", at, hint=_hint(opening, divider))
        if text.rstrip(" \t") == indent + divider:
            if middle >= 0:
                raise patch.error(f"a second divider in the block that begins in line {start + 1}", at, hint=_escape_hint(divider))
            middle = at
        elif closing and (closing["indent"], closing["char"], closing["word"]) == (indent, char, last_word):
            end = at
            break
    if end < 0 or middle < 0:
        missing = f"{divider!r}" if middle < 0 else repr(f"{char * len(divider)} {last_word}")
        raise patch.error(f"expected {missing} in the block that begins in line {start + 1}", end if end >= 0 else len(patch.lines) - 1)
    if _LINE_NUMBER.match(patch.bare(middle + 1)):
        raise patch.error("line numbers belong into the SEARCH part", middle + 1)
    old, new = (_unescaped(patch.lines[first:last]) for first, last in ((body, middle), (middle + 1, end)))
    return Change(path, "update" if old.strip() else "create", old if old.strip() else "", new, line), end + 1


def _line_number(patch: PatchText, at: int) -> tuple[int | None, int]:
    """The line number that Roo's blocks begin with, if any, and the index of the line where the text begins."""
    line = None
    begin = at
    while number := _LINE_NUMBER.match(patch.bare(at)):
        line = int(number["number"]) if number["which"] == "start" else line
        at += 1
    if patch.bare(at).strip() == _RULE:
        return line, at + 1
    if at > begin and patch.bare(at).startswith(_RULE):
        raise patch.error(f"expected a line break after {_RULE!r}", at)
    return line, at


def _unescaped(lines: list[str]) -> str:
    """The lines as one text. A backslash before a marker says that the marker belongs to the text."""
    return "".join(line[1:] if _ESCAPED.match(line.rstrip("\r\n")) else line for line in lines)


def _hint(opening: re.Match[str], divider: str) -> str:
    char, words = _CLOSING[opening["char"]]
    end = f"{char * len(divider)} {words[opening['word']]}"
    return f"a block is {opening[0].strip()!r}, the old text, {divider!r}, the new text, {end!r}"


def _escape_hint(divider: str) -> str:
    return f"where the text itself has such a line, write '\\{divider}'"

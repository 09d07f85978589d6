"""Code given anew, as a whole or with lines that stand for what stays: ``# ... existing code ...``.

    app.py
    ```python
    import os
    # ... existing code ...
    def f():
        return 2
    ```

Which code a line stands for, only the merge with the source can tell. Here the text is cut into the pieces between them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from simpy_grammar.dialect import Dialect
from simpy_grammar.table_cache import load_tables
from transpiler.patches.change import Change, Elided, Elision
from transpiler.patches.file_names import FENCE, name_above, name_in_fence
from transpiler.patches.patch_text import PatchText
from transpiler.source import split_lines

_DOTS = r"(?:\.{3}|…)"
_LEFT_OUT = (
    r"(?:existing|unchanged|remaining|omitted|unmodified|rest\ of|the\ rest|rest\ unchanged|same\ as\ before|as\ before|stays?\ the\ same"
    r"|remains?\ (?:the\ same|unchanged)|keep\ the|previous\ code|other\ (?:code|methods|functions|imports|classes))"
)
_COMMENT = re.compile(
    rf"""[ \t]*\#+[ \t]*(?:
        {_DOTS}                                    # `# ...`
      | {_DOTS}.*?{_DOTS}                          # `# ... anything ...`
      | {_DOTS}[^\n]*\b{_LEFT_OUT}\b[^\n]*         # `# ... rest of the code`
      | [\[(<{{]?[^\n]*\b{_LEFT_OUT}\b[^\n]*{_DOTS}[\])>}}]?   # `# existing code ...`
      | [\[(<{{]?(?:the\ )?rest\ of\ (?:the\ |this\ )?(?:code|file|function|method|class|module|implementation|body|imports)
        (?:\ (?:is\ |remains?\ |stays?\ )?(?:unchanged|(?:the\ )?same|as\ before|here))?\.?[\])>}}]?
    )[ \t]*$""",
    re.VERBOSE | re.IGNORECASE,
)
_WORDS = re.compile(rf"[ \t]*{_DOTS}[ \t]*(?:\(|\[)?[A-Za-z][^\n]*$")  # `... rest unchanged ...`, which is not Python
_BARE = re.compile(r"[ \t]*(?:\.{3}|…)[ \t]*$")
_GOES_ON = re.compile(r"[,(\[{=+\-*/%|&^@<>\\]$|\b(?:and|or|not|in|is|lambda|return|if|else|for|yield|await)$")
_PYTHON = ("", "python", "py", "python3", "pyi", "py3")


def parse_rewritten(patch: PatchText) -> Iterator[Change]:
    """A change for each fenced block of Python, or one for the whole text where there is no fence.

    >>> change, = parse_rewritten(PatchText("x = 1\\n# ... existing code ...\\ny = 2\\n"))
    >>> change.elided.pieces
    ('x = 1\\n', 'y = 2\\n')
    """
    at, fences = 0, 0
    while at < len(patch.lines):
        fence = FENCE.match(patch.bare(at))
        if not fence:
            at += 1
            continue
        end = next((i for i in range(at + 1, len(patch.lines)) if _closes(patch.bare(i), fence)), None)
        if end is None:
            raise patch.error(f"expected the end of the fence, {fence['fence']!r}: the text may have been cut off", at)
        fences += 1
        path = name_in_fence(fence["info"]) or name_above(patch, at)
        if path or fence["info"].split(" ")[0].strip().lower() in _PYTHON:
            yield _change(path, "".join(patch.lines[at + 1 : end]))
        at = end + 1
    if not fences:
        yield _change(None, patch.text)


def cut_at_elisions(code: str) -> Elided:
    """Cut code at the lines that stand for code that stays as it is. Lines inside of strings are never among them.

    A line that is ``...`` alone is one if other code stands beside it in the same block; otherwise it is the body of its
    block, a statement as any other.

    >>> cut_at_elisions("def f():\\n    a\\n    # ... rest of the function\\n").pieces
    ('def f():\\n    a\\n', '')
    >>> cut_at_elisions("def f():\\n    ...\\n").elisions
    ()
    """
    lines = split_lines(code)
    inside = _lines_in_strings(code)
    pieces, elisions, piece = [], [], ""
    for index, line in enumerate(lines):
        text = line.rstrip("\r\n")
        bare = bool(_BARE.match(text))
        if index in inside or not (_COMMENT.match(text) or _WORDS.match(text) or (bare and _has_sibling(lines, index, inside))):
            piece += line
            continue
        elisions.append(Elision(index + 1, text[: len(text) - len(text.lstrip())], line, bare))
        pieces.append(piece)
        piece = ""
    return Elided((*pieces, piece), tuple(elisions))


def _change(path: str | None, code: str) -> Change:
    elided = cut_at_elisions(code)
    return Change(path, "update", new=code, rewritten=True, elided=elided if elided.elisions else None)


def _closes(line: str, fence: re.Match[str]) -> bool:
    return line.startswith(fence["indent"] + fence["fence"]) and not line.strip().strip(fence["fence"][0])


def _lines_in_strings(code: str) -> set[int]:
    """Indexes of the lines that begin inside of a string."""
    string = load_tables(Dialect.load("python")).patterns["STRING"][1]
    inside: set[int] = set()
    line = done = 0
    for match in re.finditer(rf"#[^\n]*|{string}", code):
        breaks = code.count("\n", match.start(), match.end())
        line += code.count("\n", done, match.start())
        inside.update(range(line + 1, line + breaks + 1))
        line, done = line + breaks, match.end()
    return inside


def _has_sibling(lines: list[str], index: int, inside: set[int]) -> bool:
    """Whether other code than a docstring stands beside a line, in its block."""
    indent = _indent(lines[index])
    above = next((i for i in range(index - 1, -1, -1) if lines[i].strip() and not lines[i].lstrip().startswith("#")), None)
    below = next((i for i in range(index + 1, len(lines)) if lines[i].strip()), None)
    if above is not None and _GOES_ON.search(lines[above].split("#")[0].rstrip()):
        return False
    if (
        below is not None
        and below not in inside
        and _indent(lines[below]) == indent
        and not lines[below].lstrip().startswith((")", "]", "}"))
    ):
        return True
    if above is None or above in inside or _indent(lines[above]) < indent:
        return False
    return not lines[above].lstrip().lstrip("rRuU").startswith(("'", '"'))


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip(" \t"))

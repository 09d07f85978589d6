"""The name of the file that a block of code is about: on a line above it, in the line of its fence, or in XML around it."""

from __future__ import annotations

import re

from transpiler.patches.patch_text import PatchText

FENCE = re.compile(r"(?P<indent>[ \t]*)(?P<fence>`{3,}|~{3,})(?P<info>[^`]*)$")
"""A line that opens or closes a fence."""
_TAG = re.compile(r"<(?P<tag>path|file_path|file|filename)>(?P<name>.+)</(?P=tag)>$")
_WORDS = re.compile(r"^(?:#+ +|\d+\. +|[-*] +)?(?:(?:file|filename|path|in) *:? +)?", re.IGNORECASE)
_NAME = re.compile(r"(?:[\w.@+~-]+:)?[\w./\\@+~-]+")
_SKIPPED = re.compile(r"\s*(?:<diff>|<content>|<!\[CDATA\[)?\s*$")  # what may stand between the name and the block


def name_above(patch: PatchText, index: int) -> str | None:
    """The file name on the lines above a block, or ``None``.

    >>> name_above(PatchText("**`src/app.py`**:\\n\\n```python\\nx = 1\\n"), 3)
    'src/app.py'
    """
    fence_seen = False
    for at in range(index - 1, max(-1, index - 7), -1):
        line = patch.bare(at)
        fence = FENCE.match(line)
        if fence and not fence_seen:
            fence_seen = True
            name = name_in_fence(fence["info"])
            if name:
                return name
        elif not _SKIPPED.match(line):
            return file_name(line)
    return None


def name_in_fence(info: str) -> str | None:
    """The file name in the line of a fence: ```` ```python src/app.py ````, ```` ```src/app.py ````, ``title="src/app.py"``.

    >>> name_in_fence("python"), name_in_fence("python:src/app.py"), name_in_fence('py title="a.py"')
    (None, 'src/app.py', 'a.py')
    """
    for word in re.split(r"[\s={}]+|(?<=\w):(?=\w)", info):
        name = file_name(word)
        if name:
            return name
    return None


def file_name(line: str) -> str | None:
    """The file name that a line consists of, without the marks that models put around it, or ``None``.

    >>> file_name("### File: `src/app.py`:"), file_name("<path>a b.py</path>"), file_name("# app.py"), file_name("Here it is:")
    ('src/app.py', 'a b.py', 'app.py', None)
    """
    tag = _TAG.match(line.strip())
    if tag:
        return tag["name"].strip()
    text = line.strip().rstrip(":").strip("*").strip()
    text = _WORDS.sub("", text).strip().rstrip(":").strip("*").strip()
    quoted = len(text) > 2 and text[0] == text[-1] and text[0] in "`\"'"
    text = text[1:-1] if quoted else text
    is_name = ("." in text.strip(".") or "/" in text) and (quoted and "\n" not in text or _NAME.fullmatch(text))
    return text if is_name else None

"""A griffe extension: the doctests of our docstrings stand without a heading, so that Markdown would read them as quotations."""

from __future__ import annotations

import re
from typing import Any

import griffe

_EXAMPLE = re.compile(r"^([ ]*)>>> .*?(?=\n[ ]*\n|\Z)", re.MULTILINE | re.DOTALL)


def fenced(docstring: str) -> str:
    r"""A docstring with each doctest in a fence.

    >>> fenced("Add.\n\n>>> add(1, 2)\n3\n\nMore.")
    'Add.\n\n```pycon\n>>> add(1, 2)\n3\n```\n\nMore.'
    """
    return _EXAMPLE.sub(lambda match: f"{match[1]}```pycon\n{match[0]}\n{match[1]}```", docstring)


class DocstringExamples(griffe.Extension):
    """Fences the doctests of everything that has a docstring."""

    def on_object(self, *, obj: griffe.Object, **_: Any) -> None:
        """Called for each object when its members are known."""
        if obj.docstring:
            obj.docstring.value = fenced(obj.docstring.value)

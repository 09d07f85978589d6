"""How blocks of code are marked: the words after a fence, and lines that name a file."""

from __future__ import annotations

import re

from transpiler.source import PYTHON_SUFFIXES

_PATH = r"[^\s`*\"'<>|{}()\[\],;:#]*\.py[iw]?"
_PYTHON = re.compile(
    r"(?:python3?|py3?|ipython3?)(?=$|[\s,{:;=])"  # python, py3, python:app.py, python {.numberLines}
    r"|\{[ ]*\.?(?:python3?|py3?)(?=[\s,}.])"  # {.python}, {python}
    rf"|(?:\d+:\d+:)?{_PATH}(?=$|[\s,{{:#])",  # 12:15:app.py, src/app.py
    re.IGNORECASE,
)
_SIMPY = re.compile(r"simpy(?=$|[\s,{:])", re.IGNORECASE)
_NAMES_FILE = re.compile(
    rf"[ \t>#*_-]*(?:(?:file|filename|path)\b[ \t]*:?[ \t]*)?[`*\"_]*(?:\./|/)?{_PATH}[`*\"_]*[ \t]*:?[ \t*`_]*\r?", re.IGNORECASE
)
_LONGEST_NAME = 300  # a line that names a file, in characters


def is_python(info: str) -> bool:
    """Whether the words after a fence mark its block as Python.

    >>> [is_python(info) for info in ("python3", "{.python}", "python:a.py", "12:15:src/a.py", 'py title="a.py"')]
    [True, True, True, True, True]
    >>> [is_python(info) for info in ("pycon", "python2", "pyret", "text", "")]
    [False, False, False, False, False]
    """
    return _PYTHON.match(info) is not None


def is_simpy(info: str) -> bool:
    """Whether the words after a fence mark its block as SimPy.

    >>> is_simpy("simpy"), is_simpy("simpython")
    (True, False)
    """
    return _SIMPY.match(info) is not None


def marked_python(info: str) -> str:
    """The words after a fence, with ``python`` instead of ``simpy``.

    >>> marked_python("simpy title")
    'python title'
    """
    return _SIMPY.sub("python", info, count=1)


def is_python_path(path: str) -> bool:
    """Whether a path is that of a Python file.

    >>> is_python_path("src/app.py"), is_python_path("app.pyc")
    (True, False)
    """
    return path.strip().lower().endswith(PYTHON_SUFFIXES)


def names_python_file(line: str) -> bool:
    """Whether a line is nothing but the name of a Python file, as it stands above a fence.

    >>> [names_python_file(line) for line in ("src/app.py", "**app.py**:", "#### `app.pyi`", "File: app.py")]
    [True, True, True, True]
    >>> names_python_file("run app.py"), names_python_file("app.js")
    (False, False)
    """
    return len(line) <= _LONGEST_NAME and _NAMES_FILE.fullmatch(line.removesuffix("\n")) is not None

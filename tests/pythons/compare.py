"""Compares programs with what they decode to, in the Python that runs it. What converts them is the job of ``run``.

Runs inside pyodide, where none of the converter's dependencies exist: it imports the standard library and ``simpy_cli.proof``.
"""

from __future__ import annotations

import io
import json
import platform
import zipfile
from collections.abc import Mapping
from pathlib import Path
from tokenize import detect_encoding

from simpy_cli.proof import Reading, difference

SOURCES, DECODED, RESULT = "sources.zip", "decoded.json", "result.json"
"""The files of a working folder: the programs, what they decode to, and what the comparison says."""


def text_of(source: bytes) -> str:
    """The text of a program, read as Python reads a file.

    Raises:
        SyntaxError: it declares an encoding that does not exist, or is not in it.

    >>> text_of(b"# coding: latin-1\\r\\nx = '\\xe9'")
    "# coding: latin-1\\nx = 'é'"
    """
    encoding, _ = detect_encoding(io.BytesIO(source).readline)
    try:
        return io.TextIOWrapper(io.BytesIO(source), encoding).read()
    except UnicodeDecodeError as error:
        raise SyntaxError(str(error)) from None


def compare(source: bytes, decoded: Mapping[str, str]) -> dict[str, str | None]:
    """What each text that a program decodes to does not have in common with it; ``None`` where nothing was lost.

    Args:
        source: the program.
        decoded: dialect -> the text that came back from it.

    >>> compare(b"x = 0x1  # one", {"classic": "x = 0x1  # one", "dense": "x = 1  # one"})
    {'classic': None, 'dense': "a literal differs: '0x1' became '1'"}
    """
    try:
        before = Reading(text_of(source))
    except SyntaxError as error:
        return dict.fromkeys(decoded, f"this Python does not read the source: {_where(error)}")
    seen: dict[str, str | None] = {}  # most dialects decode to the same text
    for text in decoded.values():
        if text not in seen:
            try:
                seen[text] = difference(before, Reading(text))
            except SyntaxError as error:
                seen[text] = f"decodes to what this Python does not read: {_where(error)}"
    return {dialect: seen[text] for dialect, text in decoded.items()}


def compare_all(work: Path) -> None:
    """Compare every program of a working folder, and write there what was found and by which Python."""
    decoded: dict[str, dict[str, str]] = json.loads((work / DECODED).read_text(encoding="utf-8"))
    with zipfile.ZipFile(work / SOURCES) as archive:
        verdicts = {name: compare(archive.read(name), texts) for name, texts in decoded.items()}
    result = {"python": platform.python_version(), "verdicts": verdicts}
    (work / RESULT).write_text(json.dumps(result), encoding="utf-8")


def _where(error: SyntaxError) -> str:
    return f"{error.msg} (line {error.lineno})" if error.lineno else str(error.msg)

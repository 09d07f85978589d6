"""Case files: a text in sections, each opened by a line ``=== name``. Reads and writes them; the tests compare.

A golden case holds ``python`` (the source), one section for each dialect that it shows, and ``decoded`` where the layout
that comes back is not that of the source. An error case holds the faulty text and the exact ``message``. A line
``=== since 3.12`` says which Python first reads the source.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

CASES = Path(__file__).parent / "cases"
ERRORS = Path(__file__).parent / "errors"

_HEADER = re.compile(r"^=== ([a-z-]+)(?: ([0-9.]+))?\n", re.MULTILINE)


@dataclass
class Case:
    """One case file.

    Attributes:
        path: the file.
        sections: section name -> its text; only ``python`` and ``decoded`` end in a line break that counts.
        since: the first Python that reads the source.
    """

    path: Path
    sections: dict[str, str]
    since: tuple[int, ...] = (3, 8)

    @property
    def is_readable(self) -> bool:
        """Whether the running Python reads the source."""
        return sys.version_info >= self.since

    @property
    def python(self) -> str:
        """The source."""
        return self.sections["python"]

    @property
    def decoded(self) -> str:
        """What decoding gives."""
        return self.sections.get("decoded", self.python)

    @classmethod
    def read(cls, path: Path) -> Case:
        """Read a case file."""
        parts = _HEADER.split(path.read_bytes().decode("utf-8"))
        sections: dict[str, str] = {}
        since: tuple[int, ...] = (3, 8)
        for name, version, text in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            if name == "since":
                since = tuple(map(int, version.split(".")))
            else:
                sections[name] = text if name in _WHOLE_LINES else text.removesuffix("\n")
        return cls(path, sections, since)

    def write(self) -> None:
        """Write the case file."""
        lines = [] if self.since == (3, 8) else [f"=== since {'.'.join(map(str, self.since))}\n"]
        for name, text in self.sections.items():
            lines.append(f"=== {name}\n{text}" + ("" if name in _WHOLE_LINES else "\n"))
        self.path.write_bytes("".join(lines).encode("utf-8"))


_WHOLE_LINES = ("python", "decoded")


def check_rows(name: str, request: pytest.FixtureRequest, inputs: Callable[[], Iterable[str]], now: Callable[[str], list[str]]) -> None:
    """Compare the rows of a file, each an input and what becomes of it, with what the converter gives now."""
    path = CASES / name
    if request.config.getoption("--update-cases"):
        written = [[text, *now(text)] for text in inputs()]
        path.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in written) + "\n]\n", encoding="utf-8")
    rows = json.loads(path.read_text(encoding="utf-8"))
    assert len(rows) >= 10
    for text, *expected in rows:
        assert now(text) == expected, text


def cases() -> list[Case]:
    """All golden cases, in the order of their names."""
    return [Case.read(path) for path in sorted(CASES.glob("*.txt"))]


def errors() -> list[Case]:
    """All error cases, in the order of their names."""
    return [Case.read(path) for path in sorted(ERRORS.glob("*.txt"))]

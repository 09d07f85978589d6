"""Real changes of real files: two releases of a package, and each Python file that differs between them.

    python benchmarks/release_pairs.py FOLDER            fetch the releases of `RELEASES` into FOLDER/NAME/old and FOLDER/NAME/new
    python benchmarks/release_pairs.py FOLDER --count    only count the changed files of what lies there

Wheels are fetched with pip from the index that pip is set up for, and unpacked; nothing is installed. A file counts as
changed if it stands at the same path in both releases, this Python can parse both sides, and their texts differ.
"""

from __future__ import annotations

import argparse
import ast
import subprocess
import sys
import tempfile
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from simpy_grammar.errors import SimPyError
from transpiler.source import read_source

RELEASES = {
    "attrs": ("25.3.0", "25.4.0"),
    "click": ("8.1.8", "8.2.0"),
    "flask": ("3.0.3", "3.1.0"),
    "httpx": ("0.27.2", "0.28.0"),
    "jinja2": ("3.0.3", "3.1.0"),
    "more-itertools": ("10.7.0", "10.8.0"),
    "networkx": ("3.4.2", "3.5"),
    "packaging": ("24.2", "25.0"),
    "tornado": ("6.4.2", "6.5"),
    "werkzeug": ("3.0.6", "3.1.0"),
}
"""Package -> two releases, an older and a newer one. networkx and tornado ship their tests."""


class ChangedFile(NamedTuple):
    """A file that differs between two releases. The texts keep their line breaks."""

    path: str
    old: str
    new: str


def changed_files(old: Path, new: Path) -> Iterator[ChangedFile]:
    """Each changed Python file of two folders, by path relative to both, in the order of the paths."""
    for path in sorted(old.rglob("*.py")):
        other = new / path.relative_to(old)
        if not other.is_file() or path.read_bytes() == other.read_bytes():
            continue
        texts = [_program(path), _program(other)]
        if texts[0] is not None and texts[1] is not None and texts[0] != texts[1]:
            yield ChangedFile(path.relative_to(old).as_posix(), texts[0], texts[1])


def changed_files_below(folder: Path) -> Iterator[tuple[str, ChangedFile]]:
    """The changed files of every pair in a folder, each with the name of its package."""
    for package in sorted(path for path in folder.iterdir() if (path / "old").is_dir() and (path / "new").is_dir()):
        for changed in changed_files(package / "old", package / "new"):
            yield package.name, changed


def fetch(folder: Path, name: str, old: str, new: str) -> None:
    """Unpack two releases of a package into ``folder/name/old`` and ``folder/name/new``, unless they lie there."""
    for side, version in (("old", old), ("new", new)):
        place = folder / name / side
        if place.is_dir():
            continue
        with tempfile.TemporaryDirectory() as wheels:
            options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--dest", wheels]
            subprocess.run([sys.executable, "-m", "pip", "download", *options, f"{name}=={version}"], check=True)
            with zipfile.ZipFile(next(Path(wheels).glob("*.whl"))) as wheel:
                wheel.extractall(place)


def _program(path: Path) -> str | None:
    """The text of a file, or ``None`` if this Python cannot parse it."""
    try:
        text = read_source(path.read_bytes())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SimPyError, SyntaxError, ValueError, RecursionError):
        return None
    return text


def main(arguments: list[str] | None = None) -> int:
    """Fetch, then count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", action="store_true", help="fetch nothing")
    options = parser.parse_args(arguments)
    if not options.count:
        for name, (old, new) in RELEASES.items():
            fetch(options.folder, name, old, new)
    counts: dict[str, int] = {}
    for name, _ in changed_files_below(options.folder):
        counts[name] = counts.get(name, 0) + 1
    for name, count in counts.items():
        print(f"{name:20} {count:5}")
    print(f"{'in all':20} {sum(counts.values()):5}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

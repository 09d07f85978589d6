"""The standard library of the running Python, in every dialect: a sample in every run, all of it with ``--corpus=full``."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest

from simpy_grammar.errors import PythonSyntaxError
from tests.helpers import CONVERTED, assert_round_trip, dump
from transpiler.source import read_source

LIBRARY = Path(sysconfig.get_paths()["stdlib"])

# Files about syntax; always read.
SYNTAX = tuple(
    f"test/test_{name}.py"
    for name in (
        *("grammar", "fstring", "patma", "unparse", "exception_group", "except_star", "type_params", "type_aliases", "named_expressions"),
        *(
            "decorators",
            "positional_only_arg",
            "unpack_ex",
            "with",
            "generators",
            "coroutines",
            "global",
            "string_literals",
            "tstring",
            "pep646_syntax",
        ),
    )
)
EVERY = 24
LARGEST = 200_000  # bytes; of a file in the sample


def library_files() -> list[Path]:
    """The Python files of the standard library, without what is installed into it."""
    return sorted(path for path in LIBRARY.rglob("*.py") if "site-packages" not in path.parts)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test a file, or one a folder for the whole library."""
    if "path" in metafunc.fixturenames:
        files = library_files()
        if metafunc.config.getoption("--corpus") == "sample":
            named = [LIBRARY / name for name in SYNTAX if (LIBRARY / name).exists()]
            files = sorted({*named, *(path for path in files[::EVERY] if path.stat().st_size < LARGEST)})
        metafunc.parametrize("path", files, ids=lambda path: path.relative_to(LIBRARY).as_posix())


def test_library_file(path: Path) -> None:
    source = path.read_bytes()
    try:
        readable = dump(read_source(source)) is not None
    except PythonSyntaxError:
        readable = False  # a file that is bad on purpose
    if not readable:
        pytest.skip("this Python does not read the file")
    assert_round_trip(source, CONVERTED, chunkings=(4096,))

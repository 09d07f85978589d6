"""The native core: that it is there where it can be, that it is used, and that it can be left out."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import transpiler
from fuzz.native import pure_python
from simpy_grammar import native
from simpy_grammar.dialect import Dialect
from tests.golden import cases
from tests.helpers import CLOSED, OPEN
from transpiler import native_conversion

PYTHON = Dialect.load("python")
needs_core = pytest.mark.skipif(native.core is None, reason="the native core is not built, or SIMPY_PURE is set")


@needs_core
@pytest.mark.parametrize("name", [*CLOSED, *OPEN])
def test_the_core_converts_every_program(name: str) -> None:
    dialect = Dialect.load(name)
    refused = []
    for case in cases():
        simpy = native_conversion.converted(case.python, PYTHON, dialect, 88)
        python = None if simpy is None else native_conversion.converted(simpy, dialect, PYTHON, 88)
        if python is None:
            refused.append(case.python)
        else:
            assert python == transpiler.decode(transpiler.encode(case.python, dialect=name, verify=False), dialect=name)
    assert all("<debug" in program for program in refused), "only a field with such a text is left to the Python path"


@needs_core
@pytest.mark.quick
def test_where_the_core_cannot_go_on_the_python_path_does() -> None:
    source = "def f(a):\n    x = f'{a + \"<debug\" = }'\n    return x\n"
    decoder = transpiler.Decoder(dialect="dense")
    simpy = transpiler.encode(source, dialect="dense")
    found = "".join([*map(decoder.feed, simpy), decoder.close()])
    assert native_conversion.converted(simpy, Dialect.load("dense"), PYTHON, 88) is None
    assert found == transpiler.decode(simpy, dialect="dense")


@needs_core
@pytest.mark.quick
def test_another_table_of_terminals_makes_the_core_useless(monkeypatch: pytest.MonkeyPatch) -> None:
    assert native._load() is native.core
    monkeypatch.setattr(native, "table_check", lambda: "another table")
    assert native._load() is None


def test_without_the_core_all_is_pure_python() -> None:
    program = "import sys, transpiler; from simpy_grammar.native import core; print(core, transpiler.encode('return a'))"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env={**os.environ, "SIMPY_PURE": "1"}
    )
    assert done.stdout == "None <return>a\n"


@pytest.mark.quick
def test_threads_give_what_one_gives() -> None:
    sources = [case.python for case in cases()][:60]
    with pure_python():
        expected = [transpiler.encode(source, verify=False) for source in sources]
    with ThreadPoolExecutor(8) as pool:
        for _ in range(3):
            assert [*pool.map(lambda source: transpiler.encode(source, verify=False), sources)] == expected


@needs_core
@pytest.mark.quick
def test_a_converter_that_is_at_its_end_gives_nothing() -> None:
    converter = native_conversion.converter(Dialect.load("classic"), PYTHON, 88, "    ", "")
    assert native.core.finish(converter, "x=1") == "x = 1\n"
    assert native.core.feed(converter, "y") is None
    assert native.core.finish(converter, "") is None


@needs_core
@pytest.mark.quick
@pytest.mark.parametrize("arguments", [(), (1,), (None, "x"), ("x", None, 2)])
def test_arguments_that_are_none_are_errors_and_never_a_crash(arguments: tuple[object, ...]) -> None:
    for name in (
        "convert",
        "read",
        "write",
        "same_stream",
        "converter",
        "feed",
        "finish",
        "position",
        "source",
        "layout",
        "spelled",
    ):
        with pytest.raises((TypeError, ValueError)):
            getattr(native.core, name)(*arguments)


@pytest.mark.quick
@pytest.mark.skipif(sys.version_info < (3, 13), reason="CPython 3.12 itself crashes at the end of such an interpreter")
def test_in_an_interpreter_of_its_own() -> None:
    program = (
        "import _interpreters\n"
        "found = _interpreters.run_string(_interpreters.create(), 'import transpiler; from simpy_grammar.native import core; "
        'print(core is not None, transpiler.encode("return a", verify=False), flush=True)\')\n'
        "assert found is None, found\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{native.core is not None} <return>a\n"

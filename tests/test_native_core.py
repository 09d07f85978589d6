"""The native core: that it is there where it can be, that it is used, and that it can be left out."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from array import array
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest

import transpiler
from fuzz.native import pure_python
from simpy_grammar import native
from simpy_grammar.dialect import Dialect
from simpy_grammar.native_spelling import native_spelling
from simpy_grammar.table_cache import load_tables
from simpy_grammar.terminals import ID as TERMINAL
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


def valid_calls() -> dict[str, tuple[object, ...]]:
    """For each function of the core, arguments that it takes."""
    core = native.core
    tables = load_tables(PYTHON)
    made, source, target = core.tables(tables.data), native_conversion._source(PYTHON), core.compact("")
    spelling = native_spelling(Dialect.load("dense"))
    costs, templates = core.costs(["<if>"], True), core.templates([["a", 0, "b"]])
    walker = core.start_masks(2, 1, 8, b"", b"")
    numbers, states = array("I", (1, 1)).tobytes(), array("I", (0, 0, 2, 1, 1, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0)).tobytes()
    assert core.add_forest(walker, b"\x00\x01", numbers, numbers, b"\x00\x00", b"\x00") == 0 and core.learn_lexer(walker, states)
    finder = core.finder(["self.x", "((", "'a'"])
    none, sets = bytes(len(tables)), array("I", (1, 3)).tobytes()
    walks = core.start_walks(made, 8, -1, -1, bytes(4 * len(tables)), none, none, bytes(18))
    shelf = array("I", (0, 0, 0, 0xFFFFFFFF, 0, 0, 0, 0)).tobytes(), sets, b"", array("I", (0, 0, 0, 1, 0, 0)).tobytes()
    assert core.add_shelf(walks, 0, *shelf)

    def count(texts: list[str]) -> list[int]:
        return [len(text) for text in texts]

    return {
        "tables": (tables.data,),
        "source": (made, True, 0),
        "layout": (88, "    ", "", "os\n"),
        "compact": ("",),
        "spelled": (spelling,),
        "convert": (source, "a = 1\n", target),
        "read": (source, "a = 1\n", True),
        "write": (target, bytes([TERMINAL["NAME"]]), ["a"]),
        "same_stream": (source, "a", source, "(a)"),
        "converter": (source, target),
        "feed": (core.converter(source, target), "a"),
        "finish": (core.converter(source, target), "a"),
        "position": (core.converter(source, target),),
        "finder": (["a"],),
        "find": (finder, "self.x (("),
        "pieces": (finder, "self.x (("),
        "same_tree": ([1, 2.0], [1, 3.0]),
        "costs": (["<if>"], False),
        "text_costs": (costs, ["a", "b"], count),
        "choose": ([("", "a", "b", "")] * 2, [1, 2], [0, 1], 2, 1, 3, 9, 3, 1, costs, count, bool, list),
        "segmented_totals": ([("", "a", "b", "")], [1], [("a", "b")], [0, 1], costs, count),
        "templates": ([["a", 0]],),
        "template_costs": (templates, [("a", "b")], [0], costs, count),
        "start_masks": (2, 1, 8, b"", b""),
        "add_forest": (walker, b"\x00\x01", numbers, numbers, b"\x00\x00", b"\x00"),
        "learn_lexer": (walker, bytes(20)),
        "find_tries": (walker, 0, bytes(4), 0),
        "export_tries": (walker, 0, 0),
        "start_walks": (made, 8, -1, -1, bytes(4 * len(tables)), none, none, bytes(18)),
        "add_shelf": (walks, 0, *shelf),
        "add_block": (walks, 0, 1, 1),
        "walk_trie": (walks, 0, 1, 0, 0),
        "walk_further": (walks, 0, 0),
        "unite_sets": (walks, (0, 1)),
        "size_of_walks": (walks,),
    }


ARGUMENTS: tuple[object, ...] = (
    *(None, True, -1, 0, 1, 3, 255, 2**31, 2**63, -(2**70), 1.5, "", "a", "é\0", "\ud800", b"", b"\xff", b"abcd" * 5, bytearray(b"abcd")),
    *([], [1], ["", "a"], [None], ["\ud800"], [[]], [()], (), ("a",), (1, 2, 3), {}, {1}, object(), int, len, str, range(3)),
)
OTHERS = {"spelling", "simpy_tokens", "read_simpy", "read_simpy_pieces"}  # whose arguments are many, or that are for tests


@needs_core
@pytest.mark.quick
def test_arguments_of_any_kind_never_crash_it() -> None:
    calls = valid_calls()
    random = Random(0)
    values = [*ARGUMENTS, iter("ab"), memoryview(b"abcd"), *(arguments[0] for arguments in calls.values())]
    functions = {name for name in dir(native.core) if callable(getattr(native.core, name))}
    assert functions - set(calls) <= OTHERS
    for name in sorted(functions):
        function, arguments = getattr(native.core, name), calls.get(name, ())
        if arguments:
            assert function(*arguments) is not None
        for _ in range(400):
            changed = list(arguments)
            for _ in range(random.choice((1, 1, 2, 3))):
                at = random.randrange(len(changed) + 1)
                changed[at : at + random.choice((0, 1, 1, 1, 1, 1, 1))] = random.choices(values, k=random.choice((0, 1, 1, 1, 1, 1, 1)))
            with contextlib.suppress(TypeError, ValueError, OverflowError):
                function(*changed)


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

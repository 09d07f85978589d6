"""How many of the faults that mutmut can think of the tests notice: mutation testing of the converter.

    python benchmarks/mutation.py --sample 500        a random sample of all mutants (the same one each time)
    python benchmarks/mutation.py --module compact    every mutant of transpiler/compact.py
    python benchmarks/mutation.py --show              the survivors of the last run, as diffs

Each mutant is one change that mutmut makes to one module. It is tried in a process of its own, which imports the broken
module, so that what runs while importing is tested too, and then calls the tests until one fails. A mutant that makes
them run out of time or memory is noticed as well. Needs a POSIX system and mutmut (the extra ``fuzz``).
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import functools
import importlib
import importlib.machinery
import inspect
import itertools
import json
import os
import random
import resource
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "mutation.json"
_READING = ("errors", "golden", "comments", "literals", "beginnings", "streaming")
_CONVERTING = ("errors", "golden", "comments", "streaming")
_LAYOUT = ("pep8", "golden", "comments", "errors")
_COMPACT = ("compact", "parentheses", "golden", "comments")
MODULES = {
    **{f"simpy_grammar.python_{name}": _READING for name in "tokens lexer brackets reader".split()},
    **{f"simpy_grammar.{name}": _CONVERTING for name in "reader simpy_lexer speller".split()},
    **{f"transpiler.{name}": _CONVERTING for name in "conversion streams".split()},
    **{f"transpiler.{name}": _LAYOUT for name in "pep8 blank_lines line_breaks break_queue".split()},
    **{f"transpiler.{name}": _COMPACT for name in "compact parentheses precedence".split()},
    "transpiler.unfinished": ("beginnings",),
    "transpiler.diagnostics": ("errors", "diagnostics"),
}
"""Module -> the tests that are tried on it, those that fail soonest first."""
# Module -> dialects that have nothing to tell about it that the others have not.
_SKIPPED = {name: ("dense-newline", "compact") for name, tests in MODULES.items() if tests is not _COMPACT}
_SKIPPED |= {name: ("dense", "dense-newline") for name, tests in MODULES.items() if tests is _COMPACT}
SECONDS = 180  # of processor time for one mutant: the tests take a third of this
MEMORY = 2 << 30
_KILLED, _SURVIVED = 1, 0


class Mutant(NamedTuple):
    """A broken module.

    Attributes:
        module: its name.
        number: which of the module's mutants it is.
        render: gives its text.
    """

    module: str
    number: int
    render: Callable[[], str]

    def diff(self) -> str:
        """How it differs from the sound one."""
        sound = _path(self.module).read_text(encoding="utf-8").splitlines(keepends=True)
        lines = difflib.unified_diff(sound, self.render().splitlines(keepends=True), n=1)
        return "".join(line for line in lines if line[:3] not in ("---", "+++"))


def main() -> int:
    """Read the command line; run."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--sample", type=int, default=0, help="how many mutants to try; all if not given")
    parser.add_argument("--seed", type=int, default=5, help="of the sample")
    parser.add_argument("--module", action="append", help="only mutants of this module, e.g. compact")
    parser.add_argument("--again", action="store_true", help="only the survivors of the last run")
    parser.add_argument("--show", action="store_true", help="show the survivors of the last run")
    args = parser.parse_args()
    if args.show:
        for row in json.loads(RESULTS.read_text(encoding="utf-8"))["survivors"]:
            print(f"{row['module']} {row['number']}\n{row['diff']}")
        return 0
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    names = [name for name in MODULES if not args.module or name.rpartition(".")[2] in args.module]
    mutants = [mutant for name in names for mutant in mutants_of(name)]
    total = len(mutants)
    if args.again:
        survived = {(row["module"], _changed(row["diff"])) for row in json.loads(RESULTS.read_text(encoding="utf-8"))["survivors"]}
        modules = {module for module, _ in survived}
        mutants = [mutant for mutant in mutants if mutant.module in modules and (mutant.module, _changed(mutant.diff())) in survived]
    elif args.sample:
        mutants = random.Random(args.seed).sample(mutants, min(args.sample, total))
    for library in ("pytest", "hypothesis", "lark", "tree_sitter_python", "tests.conftest", "tests.golden"):  # what every process imports
        importlib.import_module(library)
    _warm()
    if run(None, dict.fromkeys(itertools.chain(*(MODULES[name] for name in names)))) != _SURVIVED:
        print("the tests fail without any mutant: nothing can be told", file=sys.stderr)
        return 1
    rows = {name: [0, 0] for name in names}
    survivors = []
    for done, mutant in enumerate(mutants, 1):
        killed = run(mutant, MODULES[mutant.module]) != _SURVIVED
        rows[mutant.module][0] += 1
        rows[mutant.module][1] += killed
        if not killed:
            survivors.append(mutant)
        if done % 20 == 0 or not killed:
            print(f"{done} of {len(mutants)}: {done - len(survivors)} killed, {len(survivors)} survived", flush=True)
        write(total, args, rows, survivors)
    print(
        *(f"{name:28}{killed:5} of {tried:5} killed  {100 * killed / max(tried, 1):5.1f} %" for name, (tried, killed) in rows.items()),
        sep="\n",
    )
    print(f"{100 * (1 - len(survivors) / max(len(mutants), 1)):.1f} % of {len(mutants)} mutants killed, of {total} that there are")
    return 0


def write(total: int, args: argparse.Namespace, rows: dict[str, list[int]], survivors: list[Mutant]) -> None:
    """Keep what is known so far, so that a run that is stopped has not been for nothing."""
    tried = sum(row[0] for row in rows.values())
    result = {
        "mutants": total,
        "seed": args.seed,
        "tried": tried,
        "killed": tried - len(survivors),
        "modules": {name: {"tried": row[0], "killed": row[1]} for name, row in rows.items()},
        "survivors": [{"module": m.module, "number": m.number, "diff": m.diff()} for m in survivors],
    }
    RESULTS.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def mutants_of(name: str) -> list[Mutant]:
    """Every mutant of a module that mutmut makes, in the order of the text."""
    from mutmut.mutation.file_mutation import create_mutations, deep_replace

    module, mutations, _, _ = create_mutations(str(_path(name)), _path(name).read_text(encoding="utf-8"))

    def text(mutation: Any) -> str:
        broken: Any = deep_replace(module, mutation.original_node, mutation.mutated_node)
        return str(broken.code)

    return [Mutant(name, number, functools.partial(text, mutation)) for number, mutation in enumerate(mutations)]


def _changed(diff: str) -> str:
    """The lines of a diff that differ, wherever they stand: how a mutant is found again when the code has moved."""
    return "\n".join(line for line in diff.splitlines() if line[:1] in "+-")


def _path(module: str) -> Path:
    return ROOT / (module.replace(".", "/") + ".py")


def run(mutant: Mutant | None, names: Iterable[str]) -> int:
    """Try a mutant on some tests in a process of its own; the exit code, or minus the signal that ended it."""
    child = os.fork()
    if not child:
        code = _KILLED
        try:
            if mutant is not None:
                resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
                resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
                resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
                _break(mutant)
                null = os.open(os.devnull, os.O_WRONLY)
                os.dup2(null, 1)
                os.dup2(null, 2)
            for test, arguments in tests(mutant and mutant.module, names):
                _call(test, arguments)
            code = _SURVIVED
        except BaseException as error:
            if mutant is None:
                print(f"{type(error).__name__}: {error}", file=sys.stderr)
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _warm() -> None:
    """Load the tables, which no process then has to. No module that is broken may be loaded with them."""
    from simpy_grammar.dialect import BUILT_IN, PYTHON, Dialect
    from simpy_grammar.table_cache import load_tables

    for name in BUILT_IN:
        load_tables(Dialect.load(name))
    load_tables(Dialect.load(PYTHON))
    loaded = MODULES.keys() & sys.modules.keys()
    if loaded:
        raise RuntimeError(f"loaded too soon: {', '.join(loaded)}")


def _break(mutant: Mutant) -> None:
    """Make the import of the module give the mutant."""
    sound = importlib.machinery.SourceFileLoader.get_code
    source = mutant.render()

    def get_code(self: Any, fullname: str) -> Any:
        if fullname == mutant.module:
            return compile(source, self.path, "exec")
        return sound(self, fullname)

    importlib.machinery.SourceFileLoader.get_code = get_code  # type: ignore[method-assign]  # what it is for


def tests(mutated: str | None, names: Iterable[str]) -> Iterator[tuple[Callable[..., None], dict[str, Any]]]:
    """The test functions with each set of their arguments, as pytest's marks say."""
    for name in (f"tests.test_{one}" for one in names):
        module = importlib.import_module(name)
        for test in vars(module).values():
            if inspect.isfunction(test) and test.__name__.startswith("test_") and test.__module__ == name:
                if not _FIXTURES.issuperset(inspect.signature(test).parameters.keys() - _named(test)):
                    continue  # it wants what only pytest can give
                yield from ((test, row) for row in _arguments(test) if row.get("dialect") not in _SKIPPED.get(mutated or "", ()))


_FIXTURES = frozenset({"request", "monkeypatch"})  # those that tests get here


def _named(test: Callable[..., None]) -> set[str]:
    """The arguments that marks give to a test."""
    return {name for row in itertools.islice(_arguments(test), 1) for name in row}


def _arguments(test: Callable[..., None]) -> Iterator[dict[str, Any]]:
    axes = []
    for mark in getattr(test, "pytestmark", ()):
        if mark.name == "parametrize":
            keys, values = mark.args[0], list(mark.args[1])
            keys = [key.strip() for key in keys.split(",")] if isinstance(keys, str) else list(keys)
            axes.append([dict(zip(keys, value if len(keys) > 1 else (value,), strict=True)) for value in values])
    for row in itertools.product(*axes):
        yield {key: value for one in row for key, value in one.items()}


def _call(test: Callable[..., None], arguments: dict[str, Any]) -> None:
    import pytest

    wanted = inspect.signature(test).parameters
    if "request" in wanted:
        arguments = {**arguments, "request": _Request()}
    with warnings.catch_warnings(), pytest.MonkeyPatch.context() as patch:
        warnings.simplefilter("ignore")
        if "monkeypatch" in wanted:
            arguments = {**arguments, "monkeypatch": patch}
        with contextlib.suppress(pytest.skip.Exception):
            test(**arguments)


class _Request:
    """pytest's ``request``, as far as these tests ask it: no option is set."""

    config: Any = property(lambda self: self)

    def getoption(self, name: str) -> bool:
        """An option that was not given."""
        return False


if __name__ == "__main__":
    sys.exit(main())

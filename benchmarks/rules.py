"""The rules of valid Python: what they refuse wrongly, and what CPython refuses that they let through.

    python benchmarks/rules.py                                  the standard library and the installed packages, then samples
    python benchmarks/rules.py --part 3/20 FOLDER ...            every twentieth file of some folders, from the third on
    python benchmarks/rules.py --human-eval FILE                 the solutions of HumanEval, too
    python benchmarks/rules.py --samples 2000 --mutants 20000    more programs drawn from the tables; more mutated ones

Prints two Markdown tables. Completeness: programs that this CPython compiles, read as Python and in each dialect that is named;
none of them may be refused. Soundness: programs that the reader takes, drawn from the tables or mutated, by whether the rules keep
them and whether CPython takes them. Ends non-zero if a valid program was refused.
"""

from __future__ import annotations

import argparse
import ast
import gzip
import json
import sys
import sysconfig
import time
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from simpy_grammar.dialect import PYTHON, Dialect  # noqa: E402  # the path must be set first
from simpy_grammar.errors import SimPyError  # noqa: E402  # the path must be set first
from simpy_grammar.python_reader import PythonReader  # noqa: E402  # the path must be set first
from simpy_grammar.python_tokens import LexError  # noqa: E402  # the path must be set first
from simpy_grammar.reader import StuckError  # noqa: E402  # the path must be set first
from tests.mutated_programs import mutated  # noqa: E402  # the path must be set first
from tests.sampled_programs import Walk  # noqa: E402  # the path must be set first
from transpiler.conversion import read_stream, write_stream  # noqa: E402  # the path must be set first
from transpiler.rules import refused  # noqa: E402  # the path must be set first
from transpiler.versions import RUNNING, needed_version  # noqa: E402  # the path must be set first


@dataclass
class Row:
    """Figures of one source of programs.

    Attributes:
        programs: how many the reader took.
        lexemes: how many they have.
        wrong: how many the rules refused and CPython compiles.
        right: how many both refuse.
        slips: of those that the rules keep, the messages of CPython for what it refuses, by stage.
        seconds: processor time of the rules.
        stuck: walks that came to no end.
    """

    programs: int = 0
    lexemes: int = 0
    wrong: int = 0
    right: int = 0
    slips: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    stuck: int = 0

    @property
    def kept(self) -> int:
        """How many programs the rules let through."""
        return self.programs - self.wrong - self.right


def refusal(program: str) -> str | None:
    """Who in CPython refuses a program, and with which words."""
    try:
        ast.parse(program)
    except (SyntaxError, ValueError) as error:
        return f"ast.parse: {getattr(error, 'msg', error)}"
    try:
        compile(program, "<program>", "exec", dont_inherit=True)
    except SyntaxError as error:
        return f"compile: {error.msg}"
    return None


def sources(folders: Iterable[Path], part: int, of: int) -> Iterator[str]:
    """The texts of Python files."""
    files = sorted(path for folder in folders for path in folder.rglob("*.py"))
    for path in files[part::of]:
        try:
            yield path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError):
            continue


def completeness(programs: Iterable[str], dialect: str) -> Row:
    """Programs that CPython compiles, read in a dialect."""
    row, chosen, python = Row(), Dialect.load(dialect), Dialect.load(PYTHON)
    for program in programs:
        try:
            stream = read_stream(program, python)
            if refusal(program) is not None:
                continue
            if not chosen.is_python:
                stream = read_stream(write_stream(stream, chosen), chosen)
        except (SimPyError, RecursionError):
            continue
        row.programs += 1
        row.lexemes += len(stream)
        start = time.process_time()
        error = refused(stream, version=RUNNING)
        row.seconds += time.process_time() - start
        if error is not None:
            row.wrong += 1
            around = " ".join(stream.texts[max(0, error.index - 10) : error.index + 1])
            print(f"wrongly refused: {error.message}: {around}", file=sys.stderr)
    return row


def sampled(dialect: str, samples: int, seed: int) -> Row:
    """Programs drawn from the tables of a dialect with the rules beside them."""
    row, chosen, python = Row(), Dialect.load(dialect), Dialect.load(PYTHON)
    for number in range(samples):
        random = Random(seed + number)
        stream = Walk(chosen, random, version=RUNNING).program(random.randint(3, 60))
        if stream is None:
            row.stuck += 1
            continue
        row.programs += 1
        row.lexemes += len(stream)
        found = refusal(write_stream(stream, python))
        if found is not None:
            row.slips[found] += 1
    return row


def mutants(programs: list[str], count: int, seed: int) -> Row:
    """Mutated statements of programs, as far as the reader takes them."""
    row, random, python = Row(), Random(seed), Dialect.load(PYTHON)
    pieces = [piece for program in programs for piece in statements(program)]
    for _ in range(count if pieces else 0):
        try:
            program = mutated(random.choice(pieces), random)
            reader = PythonReader(python)
            reader.read_all(program)
        except (StuckError, LexError, SyntaxError, IndexError):
            continue
        if needed_version(reader.stream) > RUNNING:
            continue
        row.programs += 1
        row.lexemes += len(reader.stream)
        error, found = refused(reader.stream, version=RUNNING), refusal(program)
        row.wrong += error is not None and found is None
        row.right += error is not None and found is not None
        if error is None and found is not None:
            row.slips[found] += 1
    return row


def statements(program: str) -> Iterator[str]:
    """The statements of a module that have at most 25 lines."""
    try:
        body = ast.parse(program).body
    except (SyntaxError, ValueError):
        return
    lines = program.splitlines(keepends=True)
    for node in body:
        first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
        if node.end_lineno is not None and node.end_lineno - first <= 25:
            yield "".join(lines[first - 1 : node.end_lineno])


def human_eval(path: Path) -> Iterator[str]:
    """The solutions of HumanEval behind their prompts."""
    data = path.read_bytes()
    text = (gzip.decompress(data) if path.suffix == ".gz" else data).decode("utf-8")
    for problem in map(json.loads, text.splitlines()):
        yield problem["prompt"] + problem["canonical_solution"]


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="*", type=Path, help="folders of Python files; the standard library and the installed packages")
    parser.add_argument("--part", default="0/1", help="which files: K/N is every N-th, from the K-th on")
    parser.add_argument("--human-eval", type=Path, help="HumanEval.jsonl or HumanEval.jsonl.gz")
    parser.add_argument("--dialects", nargs="*", default=[PYTHON, "classic", "dense"], help="dialects to read and to sample")
    parser.add_argument("--samples", type=int, default=500, help="programs drawn from the tables of each dialect")
    parser.add_argument("--mutants", type=int, default=5_000, help="mutated programs to try")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    part, of = map(int, options.part.split("/"))
    folders = options.folders or [Path(sysconfig.get_path("stdlib")), Path(sysconfig.get_path("purelib"))]
    programs = list(dict.fromkeys(sources(folders, part, of)))
    if options.human_eval:
        programs += human_eval(options.human_eval)
    wrong = 0
    print("| completeness | programs | lexemes | wrongly refused | us a lexeme |\n| --- | ---: | ---: | ---: | ---: |")
    for dialect in options.dialects:
        row = completeness(programs, dialect)
        wrong += row.wrong
        print(
            f"| {dialect} | {row.programs:,} | {row.lexemes:,} | {row.wrong} | {row.seconds / max(row.lexemes, 1) * 1e6:.1f} |", flush=True
        )
    print("\n| soundness | read | refused | wrongly | kept | `ast.parse` | `compile` | no end |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    slips: Counter[str] = Counter()
    rows = [(f"drawn from {dialect}", sampled(dialect, options.samples, options.seed)) for dialect in options.dialects]
    rows.append(("mutated", mutants(programs, options.mutants, options.seed)))
    for name, row in rows:
        parsed = row.kept - sum(count for words, count in row.slips.items() if words.startswith("ast.parse"))
        compiled = row.kept - sum(row.slips.values())
        wrong += row.wrong
        slips += row.slips
        share = [f"{100 * count / max(row.kept, 1):.2f} %" for count in (parsed, compiled)]
        print(
            f"| {name} | {row.programs:,} | {row.right + row.wrong} | {row.wrong} | {row.kept:,} | {share[0]} | {share[1]} | {row.stuck} |"
        )
    for words, count in slips.most_common():
        print(f"\n- {count} kept, though CPython says {words}")
    return 1 if wrong else 0


if __name__ == "__main__":
    raise SystemExit(main())

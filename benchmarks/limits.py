"""Extreme texts: is each converted or refused with an error of ours, in time linear in the text, in how much memory?

    python benchmarks/limits.py                      every text, at an eighth, a quarter, half and all of its size
    python benchmarks/limits.py --scale 0.1          smaller
    python benchmarks/limits.py --only NAME --what encode
    python benchmarks/limits.py --patterns           the time of every regular expression on texts made to be bad for it

Each measurement is a process of its own, so that a crash is seen and the peak of memory is its own; the time
is the processor's. Ends non-zero if something crashes or takes a time that grows faster than the text.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import inspect
import json
import pkgutil
import re
import resource
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import transpiler
from dualcode import MixedText
from simpy_grammar.dialect import BUILT_IN, Dialect
from simpy_grammar.errors import SimPyError
from simpy_grammar.python_tokens import token_pattern
from simpy_grammar.simpy_lexer import simpy_automaton
from simpy_grammar.table_cache import load_tables

TOO_STEEP = 2.5  # times the time a byte, at four times the size: linear gives 1, quadratic 4
PIECE = 64  # characters, of a stream


class Text(NamedTuple):
    """An extreme text.

    Attributes:
        size: how many of what makes it extreme.
        make: the text of some size.
    """

    size: int
    make: Callable[[int], str]


def _blocks(count: int) -> str:
    return "".join(f"{' ' * i}if a:\n" for i in range(count)) + " " * count + "b\n"


def _library(characters: int) -> str:
    """Files of the standard library, one after the other, as one program."""
    found: list[str] = []
    length = 0
    root = Path(sysconfig.get_paths()["stdlib"])
    files = [path for path in sorted(root.glob("*.py")) if path.stat().st_size < 200_000]
    while length < characters:
        for path in files:
            text = path.read_text(encoding="utf-8", errors="replace").replace("from __future__", "from future")
            found.append(text if text.endswith("\n") else text + "\n")
            length += len(text)
            if length >= characters:
                break
    return "".join(found)


PROGRAMS = {
    "nested brackets": Text(10_000, lambda n: "([{0:" * (n // 3) + "a" + "}])" * (n // 3) + "\n"),
    "nested calls": Text(10_000, lambda n: "f(" * n + ")" * n + "\n"),
    "nested subscripts": Text(10_000, lambda n: "a[" * n + "1" + "]" * n + "\n"),
    "nested blocks": Text(10_000, _blocks),
    "nested conditions": Text(10_000, lambda n: "a if b else " * n + "c\n"),
    "nested lambdas": Text(10_000, lambda n: "lambda:" * n + "1\n"),
    "nested f-strings": Text(10_000, lambda n: "f'{" * n + "1" + "}'" * n + "\n"),
    "nested formats": Text(10_000, lambda n: "f'{1:" + "{1:" * n + "}" * n + "}'\n"),
    "signs": Text(10_000, lambda n: "-" * n + "1\n"),
    "attributes": Text(100_000, lambda n: "a" + ".b" * n + "\n"),
    "sum": Text(100_000, lambda n: "a" + "+a" * n + "\n"),
    "line of 5 MB": Text(5_000_000, lambda n: "x = f(a, 'b')[1] + c; " * (n // 22) + "\n"),
    "file of 50 MB": Text(50_000_000, _library),
    "decorators": Text(100_000, lambda n: "@a\n" * n + "def f(): pass\n"),
    "list of a million": Text(1_000_000, lambda n: "x = [" + "1, " * n + "]\n"),
    "string of 10 MB": Text(10_000_000, lambda n: "x = '" + "a" * n + "'\n"),
    "docstring of 10 MB": Text(10_000_000, lambda n: "'''" + "a'\n" * (n // 3) + "'''\n"),
    "escapes of 10 MB": Text(10_000_000, lambda n: "x = '" + "\\n" * (n // 2) + "'\n"),
    "f-string fields": Text(50_000, lambda n: "x = f'" + "{a}b" * n + "'\n"),
    "f-string braces": Text(500_000, lambda n: "x = f'" + "{{" * n + "'\n"),
    "formats that begin with a sign": Text(50_000, lambda n: "x = f'" + "{a:=8}" * n + "'\n"),
    "fields after a walrus": Text(50_000, lambda n: "(a := 1)\nf'" + "{" * n + "\n"),
    "parameters": Text(50_000, lambda n: f"def f({', '.join(f'a{i}' for i in range(n))}): pass\n"),
    "elifs": Text(50_000, lambda n: "if a:\n b\n" + "elif a:\n b\n" * n),
    "comment lines": Text(100_000, lambda n: "# a\n" * n),
    "comments in brackets": Text(50_000, lambda n: "(\n" + "# a\n" * n + "a)\n"),
    "comments in an expression": Text(50_000, lambda n: "(" + "a + # c\n" * n + "a)\n"),
    "comments without a place": Text(50_000, lambda n: "(a\n" + "# c\n" * n + ".b)\n"),
    "comments after a header": Text(50_000, lambda n: "if a:\n" + " # c\n" * n + " b\n"),
    "comments in a block": Text(50_000, lambda n: "if a:\n b\n" + "  # c\n" * n + "c\n"),
    "comments of two columns": Text(50_000, lambda n: "if a:\n b\n" + "  # c\n # d\n" * (n // 2) + "c\n"),
    "joined lines": Text(50_000, lambda n: "a = \\\n" + "\\\n" * n + "b\n"),
    "semicolons": Text(100_000, lambda n: "a;" * n + "\n"),
    "defaults of types": Text(10_000, lambda n: "class A[T = int]: pass\n" * n),
    "open types": Text(10_000, lambda n: "type A [=" * n + "\n"),
    "open brackets": Text(10_000, lambda n: "(\n" * n),
    "open strings": Text(50_000, lambda n: "f('\n" * n),
    "error at the end": Text(100_000, lambda n: "a = 1\n" * n + "b = = c\n"),
    "errors everywhere": Text(50_000, lambda n: "a b\n" * n),
}
"""Python."""

SIMPY = {
    "nested blocks": Text(10_000, lambda n: "<if_stmt>a<block_start>" * n + "b" + "<block_end>" * n),
    "nested brackets": Text(100_000, lambda n: "(" * n + "a" + ")" * n),
    "open brackets": Text(100_000, lambda n: "(" * n),
    "closing brackets": Text(100_000, lambda n: ")" * n),
    "open string": Text(5_000_000, lambda n: "x='" + "a" * n),
    "open docstring": Text(5_000_000, lambda n: "'''" + "a'" * (n // 2)),
    "open field": Text(5_000_000, lambda n: "f'{<debug>" + "a" * n),
    "open name of a character": Text(1_000_000, lambda n: "f'\\N{" + "A" * n),
    "open f-string": Text(1_000_000, lambda n: "f'" + "{{" * (n // 2)),
    "open comment": Text(5_000_000, lambda n: "# " + "a" * n),
    "name": Text(1_000_000, lambda n: "a" * n),
    "number": Text(1_000_000, lambda n: "1" * n),
    "exponent": Text(1_000_000, lambda n: "1e" * n),
    "blanks": Text(1_000_000, lambda n: " " * n),
    "special tokens": Text(100_000, lambda n: "<block_end>" * n),
    "angles": Text(1_000_000, lambda n: "<" * n),
    "inner comments": Text(100_000, lambda n: "(" + "<comment># c\n" * n + "a)"),
    "error at the end": Text(500_000, lambda n: "a=1<line_sep>" * (n // 10) + "b c d"),
}
"""Texts in the place of SimPy."""

MIXED = {
    "fences": Text(100_000, lambda n: "```py\nx = 1\n```\n" * n),
    "open fences": Text(200_000, lambda n: "```py\n~~~\n" * n),
    "open fence": Text(2_000_000, lambda n: "```py\n" + "x = 1\n" * (n // 6)),
    "ticks": Text(2_000_000, lambda n: "`" * n),
    "lines of ticks": Text(500_000, lambda n: "``\n" * n),
    "list markers": Text(200_000, lambda n: "- " * n + "\n" + "1. " * n + "\n"),
    "block of prose": Text(500_000, lambda n: "```py\n" + "not python at all\n" * (n // 18) + "```\n"),
    "broken SimPy": Text(100_000, lambda n: "```py\n<return>a<l>b?!\n```\n" * (n // 10)),
    "tokens in prose": Text(100_000, lambda n: "<return> \n" * n),
}
"""Markdown."""


def _stream(text: str, dialect: str = "classic") -> None:
    decoder = transpiler.Decoder(dialect=dialect)
    for at in range(0, len(text), PIECE):
        decoder.feed(text[at : at + PIECE])
    decoder.close()


def _person(text: str) -> None:
    stream = MixedText("classic", bare=True).reply_stream()
    for at in range(0, len(text), PIECE):
        stream.feed(text[at : at + PIECE])
    stream.close()


def _encode_stream(text: str) -> None:
    encoder = transpiler.Encoder()
    for at in range(0, len(text), PIECE):
        encoder.feed(text[at : at + PIECE])
    encoder.close()


def _encoded(text: str) -> str:
    return transpiler.encode(text, verify=False)


def _unchanged(text: str) -> str:
    return text


class Operation(NamedTuple):
    """What is measured: on which texts, what is prepared, and what is done."""

    texts: dict[str, Text]
    prepare: Callable[[str], str]
    do: Callable[[str], object]


OPERATIONS = {
    "encode": Operation(PROGRAMS, _unchanged, transpiler.encode),
    "fast": Operation(PROGRAMS, _unchanged, _encoded),
    "decode": Operation(PROGRAMS, _encoded, transpiler.decode),
    "stream": Operation(PROGRAMS, _encoded, _stream),
    "compact": Operation(PROGRAMS, _unchanged, lambda text: transpiler.encode(text, dialect="compact", verify=False)),
    "encode stream": Operation(PROGRAMS, _unchanged, _encode_stream),
    "beginning": Operation(PROGRAMS, lambda text: text[:-2], transpiler.encode_beginning),
    "completion": Operation(PROGRAMS, lambda text: text[:-2], transpiler.completion),
    "read": Operation(SIMPY, _unchanged, transpiler.decode),
    "read dense": Operation(SIMPY, _unchanged, lambda text: transpiler.decode(text, dialect="dense")),
    "read stream": Operation(SIMPY, _unchanged, _stream),
    "to model": Operation(MIXED, _unchanged, lambda text: MixedText("classic", bare=True).to_model(text)),
    "to person": Operation(MIXED, _unchanged, _person),
}


# ---------------------------------------------------------------------------------------------------------------- measuring


def measure(name: str, what: str, size: int) -> dict[str, object]:
    """Do one thing with one text, in this process."""
    operation = OPERATIONS[what]
    text = operation.texts[name].make(size)
    found: dict[str, object] = {"bytes": len(text)}
    for warm in ("x = 1\n", "x=1", "a\n"):  # tables and rows are loaded before
        with contextlib.suppress(SimPyError):
            operation.do(operation.prepare(warm))
    try:
        text = operation.prepare(text)
    except SimPyError as error:
        return {**found, "seconds": 0.0, "memory": 0.0, "outcome": f"not prepared: {error.message}"}
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.process_time()
    try:
        operation.do(text)
        outcome = "done"
    except SimPyError as error:
        outcome = f"{type(error).__name__}: {error.message[:60]}"
    seconds = time.process_time() - start
    memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / max(len(text), 1)
    return {"bytes": len(text), "seconds": seconds, "memory": memory, "outcome": outcome}


def _in_process(name: str, what: str, size: int, limit: float) -> dict[str, object]:
    command = [sys.executable, __file__, "--measure", name, what, str(size)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit, check=False)
    except subprocess.TimeoutExpired:
        return {"bytes": 0, "seconds": limit, "memory": 0.0, "outcome": f"CRASH: not done in {limit:.0f} s"}
    if done.returncode:
        last = (done.stderr.strip().splitlines() or [""])[-1]
        return {"bytes": 0, "seconds": 0.0, "memory": 0.0, "outcome": f"CRASH: exit code {done.returncode} {last[:80]}"}
    return dict(json.loads(done.stdout))


def report(only: str | None, chosen: str | None, scale: float, limit: float) -> int:
    """Measure and print; return how many are too steep or crash."""
    faults = 0
    print("| text | operation | MB | ns a byte at 1/8, 1/4, 1/2, all | memory | outcome |\n| --- | --- | ---: | --- | ---: | --- |")
    for what, operation in OPERATIONS.items():
        for name, text in operation.texts.items():
            if (only and name != only) or (chosen and what != chosen):
                continue
            size = max(int(text.size * scale), 8)
            found = [_in_process(name, what, size // part, limit) for part in (8, 4, 2, 1)]
            speeds = [float(str(one["seconds"])) / max(int(str(one["bytes"])), 1) * 1e9 for one in found]
            whole = found[-1]
            outcome = str(next((one["outcome"] for one in found if str(one["outcome"]).startswith("CRASH")), whole["outcome"]))
            fault = outcome.startswith("CRASH")
            if float(str(whole["seconds"])) > 0.5 and speeds[3] > TOO_STEEP * speeds[1]:
                outcome, fault = f"TOO STEEP; {outcome}", True
            faults += fault
            size_mb, memory = int(str(whole["bytes"])) / 1e6, float(str(whole["memory"]))
            print(
                f"| {name} | {what} | {size_mb:.2f} | {' '.join(f'{speed:.0f}' for speed in speeds)} | {memory:.0f}x | {outcome} |",
                flush=True,
            )
    return faults


# ------------------------------------------------------------------------------------------------------------- patterns

_PACKAGES = ("simpy_grammar", "transpiler", "tokenizer_ext", "simpy_corpus", "dualcode", "simpy_cli")
_ATOMS = (
    *("a", "1", " ", "\t", "'", '"', "\\", "\n", "#", "{", "}", "<", "`", "~", "-", ".", "_", "*", ":", "=", "[", "%", "e", "\r"),
    *("f'", "'''", '"""', "\\'", "{{", "}}", "1_", "1.", "<a", "a(", "{a}", "{'", "\\N{", "# \n", " \n", "\\\n", "- ", "1. ", "\r\n"),
    *("class A[", "type A[", "def ", "~*", "<debug>", "<comment>", "coding:", "# coding", "from ", "return*", "{'a'", "``` "),
)
_BEFORE = ("", "'", '"', "f'", "'''", "{", "#", "# ", "<debug>", "```", "~~~")
_AFTER = ("", "\n!", "\r!", "\0")
_SEARCHES = r"\.(?:search|finditer|findall|sub|split|scanner)\b"  # what is not tried at one place only


class Pattern(NamedTuple):
    """A regular expression of ours.

    Attributes:
        name: its module and its name there.
        value: the expression.
        searched: it is looked for in a text; the others are tried at one place only.
        stops: reading stops at what its last group matches, which is not a token.
    """

    name: str
    value: re.Pattern[str] | re.Pattern[bytes]
    searched: bool
    stops: bool = False


def patterns() -> Iterator[Pattern]:
    """Every pattern of the packages, with its name, and those that are made for each dialect."""
    for package in _PACKAGES:
        folder = importlib.import_module(package)
        for found in pkgutil.walk_packages(folder.__path__, f"{package}."):
            try:
                module = importlib.import_module(found.name)
            except ImportError:
                continue  # an extra is not installed
            source = inspect.getsource(module)
            for name, value in vars(module).items():
                values = value.values() if isinstance(value, dict) else [value]
                searched = re.search(rf"\b{name}{_SEARCHES}", source) is not None or isinstance(value, dict)
                yield from (Pattern(f"{found.name}.{name}", one, searched) for one in values if isinstance(one, re.Pattern))
    from tokenizer_ext.token_finder import TokenFinder

    yield Pattern("python.scan", token_pattern(load_tables(Dialect.load("python"))), searched=True, stops=True)
    for dialect in BUILT_IN:
        chosen = Dialect.load(dialect)
        made = simpy_automaton(chosen)
        yield Pattern(f"{dialect}.scan", made.scan, searched=True, stops=True)
        for state in range(len(made.tables)):
            yield Pattern(f"{dialect}.state", made.pattern_of(state)[0], searched=False)
        finder = TokenFinder([*chosen.special_tokens, "self.", ")"], chosen)
        for name in ("_scan", "_tokens"):
            yield Pattern(f"{dialect}.{name}", getattr(finder, name), searched=True)


def slow_patterns(shorter: int = 1000, longer: int = 4000) -> Iterator[str]:
    """The patterns whose time grows faster than an adversarial text, and on which."""
    known: dict[tuple[str | bytes, int], Pattern] = {}
    for pattern in patterns():
        key = pattern.value.pattern, pattern.value.flags
        if key not in known or pattern.searched:  # one module may try at one place what another looks for
            known[key] = pattern
    for pattern in known.values():
        for before in _BEFORE:
            for atom in _ATOMS:
                for after in _AFTER:
                    texts = [before + atom * (size // len(atom)) + after for size in (shorter, longer)]
                    if _time(pattern, texts[0]) < 1e-4:
                        continue  # a text of this length costs less than reading it does
                    both = [min(_time(pattern, text) for _ in range(3)) for text in texts]
                    if both[1] > 9 * both[0]:
                        yield f"{pattern.name}: {before!r} {atom!r} {after!r}: {both[0]:.5f} s, {both[1]:.5f} s"


def _time(pattern: Pattern, text: str) -> float:
    value = pattern.value
    subject = text.encode() if isinstance(value.pattern, bytes) else text
    start = time.process_time()
    if pattern.searched:
        for match in value.finditer(subject):  # type: ignore[arg-type]  # a text of the pattern's kind
            if pattern.stops and match.lastindex == value.groups:
                break
    else:
        value.match(subject)  # type: ignore[arg-type]  # as above
    return time.process_time() - start


def main() -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scale", type=float, default=1.0, help="a part of the full sizes")
    parser.add_argument("--only", metavar="NAME", help="one text")
    parser.add_argument("--what", choices=OPERATIONS, help="one operation")
    parser.add_argument("--limit", type=float, default=900, help="seconds for one measurement")
    parser.add_argument("--patterns", action="store_true", help="the regular expressions instead")
    parser.add_argument("--measure", nargs=3, metavar=("NAME", "WHAT", "SIZE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        name, what, size = options.measure
        print(json.dumps(measure(name, what, int(size))))
        return 0
    if options.patterns:
        found = list(slow_patterns())
        print("\n".join(found) or "no pattern takes more than its share of any of these texts")
        return bool(found)
    return bool(report(options.only, options.what, options.scale, options.limit))


if __name__ == "__main__":
    sys.exit(main())

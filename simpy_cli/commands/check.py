"""``simpy check``: send Python files to SimPy and back in every dialect, and report what does not come back the same.

The verdict is this command's own (``simpy_cli.proof``); the converter's proof is not asked.
"""

from __future__ import annotations

import argparse
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from simpy_cli.options import FOR_MODELS, add_cache, add_dialect, add_jobs, add_paths, add_tokenizer, add_verbosity, command_parser
from simpy_cli.registry import Subparsers
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError, visible

if TYPE_CHECKING:
    from simpy_cli.result_cache import CachedResult, ResultCache

SAME, FAILED, SKIPPED, ERROR = "same", "failed", "skipped", "error"


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "check",
        description="Encode and decode Python files in every dialect, and compare what comes back: the syntax tree, the comments "
        "and the spelling of literals. Writes nothing. A file that is not Python for this interpreter is skipped, with the reason; "
        "that is an error only if no file is left to check.",
        shown=(
            ("simpy check src", "round-trip a folder in every dialect"),
            ("simpy check --dialect dense app.py", "in one dialect"),
            ("simpy check -j 4 --json src > report.json", "in four processes, for a program to read"),
        ),
    )
    add_paths(parser)
    add_dialect(parser, "--dialect", default="all", help="check this dialect only")
    add_tokenizer(parser)
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    add_cache(parser)
    add_jobs(parser)
    add_verbosity(parser)


class Verdict(NamedTuple):
    """What became of one file.

    Attributes:
        path: the file.
        status: ``same``, ``failed``, ``skipped`` or ``error``.
        reason: why it was skipped, or the error.
        characters: how long the file is.
        dialects: for each dialect how long the SimPy is, or what went wrong.
        digest: what the cache knows the file by, if it is to remember this.
        unchanged: whether an earlier run has said so of the same content.
    """

    path: str
    status: str
    reason: str = ""
    characters: int = 0
    dialects: tuple[tuple[str, int | str], ...] = ()
    digest: str = ""
    unchanged: bool = False

    def as_json(self) -> dict[str, Any]:
        """The entry of this file in the JSON report."""
        return {
            "path": self.path,
            "status": self.status,
            **({"reason": self.reason} if self.reason else {"characters": self.characters}),
            "dialects": {
                name: {"status": FAILED, "reason": found} if isinstance(found, str) else {"status": SAME, "characters": found}
                for name, found in self.dialects
            },
        }


def run(args: argparse.Namespace) -> int:
    """Check everything that was named."""
    import os

    from simpy_cli import files
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.folders import Search, find
    from simpy_cli.main import DONE, FOUND
    from simpy_cli.main import FAILED as EXIT_ERROR
    from simpy_cli.report import Report, count
    from simpy_cli.result_cache import ResultCache
    from simpy_cli.workers import in_order

    if files.STDIN in args.paths and len(args.paths) > 1:
        raise SimPyError("- (standard input) stands alone", path="simpy check", hint="see `simpy check --help`")
    dialects = [load_dialect(name, args.tokenizer) for name in (FOR_MODELS if args.dialect == "all" else (args.dialect,))]
    errors: list[SimPyError] = []
    paths = [source.path for source in find(args.paths, Search.asked(args, notebooks=True), errors)]
    report = Report(quiet=args.quiet, verbose=args.verbose, total=len(paths) if any(map(os.path.isdir, args.paths)) else 0)
    for error in errors:
        report.error(error)
    cache = None
    if not args.no_cache and files.STDIN not in args.paths:
        cache = ResultCache("check", repr([(dialect.name, dialect.digest, dialect.layout) for dialect in dialects]))
    verdicts: list[Verdict] = []
    for verdict in in_order(partial(check_file, dialects, cache), paths, args.jobs):
        verdicts.append(verdict)
        report.step()
        if verdict.status == SKIPPED:
            report.note(f"{verdict.path}: skipped: {verdict.reason}")
        elif verdict.status == ERROR:
            report.error(SimPyError(verdict.reason, path=verdict.path))
        elif verdict.status == FAILED and not args.json:
            report.before_output()
            for name, found in verdict.dialects:
                if isinstance(found, str):
                    print(visible(f"{verdict.path}: {name}: {found}"))
        else:
            report.detail(f"{verdict.path}: {verdict.status}")
    if cache is not None:
        cache.keep((verdict.digest, _remembered(verdict)) for verdict in verdicts if verdict.digest)
    number = {status: sum(verdict.status == status for verdict in verdicts) for status in (SAME, FAILED, SKIPPED)}
    checked = number[SAME] + number[FAILED]
    if number[SKIPPED] and not checked:
        report.error(SimPyError("nothing was checked: no file is Python for this interpreter", path="simpy check"))
    if args.json:
        _print_json(verdicts, errors, [dialect.name for dialect in dialects], {**number, ERROR: report.errors})
    unchanged = sum(verdict.unchanged for verdict in verdicts)
    tail = f" ({unchanged:,} unchanged since an earlier run)" if unchanged else ""
    tail += "".join(f", {number[status]:,} {status}" for status in (FAILED, SKIPPED) if number[status])
    tail += f", {count(report.errors, 'error')}" if report.errors else ""
    report.finish(f"{count(checked, 'file')} checked in {count(len(dialects), 'dialect')}: {number[SAME]:,} the same{tail}")
    if report.errors:
        return EXIT_ERROR
    return FOUND if number[FAILED] else DONE


def _remembered(verdict: Verdict) -> CachedResult:
    """What the cache keeps of a file that came back the same: the lengths in each dialect, and its own."""
    return ",".join(str(length) for _, length in verdict.dialects), verdict.characters, 0


def check_file(dialects: list[Dialect], cache: ResultCache | None, path: str) -> Verdict:
    """Round-trip one file in some dialects, unless the cache knows that it comes back the same."""
    from simpy_cli import files
    from simpy_cli.proof import Reading

    name = files.shown(path)
    try:
        data = files.read(path)[0]
        digest = "" if cache is None else cache.file_digest(data, path)
        found = None if cache is None else cache.find(digest)
        if found is not None:
            lengths_then = map(int, found[0].split(","))
            results = tuple((dialect.name, length) for dialect, length in zip(dialects, lengths_then, strict=True))
            return Verdict(name, SAME, "", found[1], results, unchanged=True)
        programs = [(label, text, Reading(text)) for label, text in _programs(data, path, name)]
    except OSError as error:
        return Verdict(name, ERROR, files.os_error(error, name).message)
    except SimPyError as error:
        return Verdict(name, SKIPPED, error.message + (f" (line {error.line})" if error.line else ""))
    except SyntaxError as error:
        return Verdict(name, SKIPPED, f"{error.msg}" + (f" (line {error.lineno})" if error.lineno else ""))
    lengths: dict[str, int | str] = {dialect.name: 0 for dialect in dialects}  # of the SimPy; or what went wrong first
    for label, text, before in programs:
        seen: dict[str, str | None] = {}  # decoded text -> how it differs: most dialects decode to the same text
        for dialect in dialects:
            so_far, result = lengths[dialect.name], _round_trip(text, dialect, before, seen, name)
            if isinstance(so_far, int):
                lengths[dialect.name] = so_far + result if isinstance(result, int) else f"{label}{result}"
    failed = any(isinstance(length, str) for length in lengths.values())
    characters = sum(len(text) for _, text, _ in programs)
    return Verdict(name, FAILED if failed else SAME, "", characters, tuple(lengths.items()), "" if failed else digest)


def _programs(data: bytes, path: str, name: str) -> list[tuple[str, str]]:
    """The programs of a file, each with what comes before what is said of it: the file itself, or the code cells of a notebook.

    Raises:
        SimPyError: it is not Python.
    """
    from simpy_cli.paths import NOTEBOOK
    from transpiler.source import read_source

    if not path.endswith(NOTEBOOK):
        return [("", read_source(data, path=name))]
    from simpy_cli.notebook_conversion import python_cells  # for notebooks only

    return [(f"{label}: ", text) for label, text in python_cells(data, name)]


def _round_trip(text: str, dialect: Dialect, before: Any, seen: dict[str, str | None], path: str) -> int | str:
    """The characters of the SimPy text, or what went wrong."""
    import transpiler
    from simpy_cli.proof import Reading, difference

    try:
        simpy = transpiler.encode(text, dialect=dialect, verify=False, path=path)
    except SimPyError as error:
        return f"does not encode: {error.message}" + (f" (line {error.line}, column {error.column})" if error.line else "")
    except Exception as error:  # a bug of the converter is what this command looks for
        return f"does not encode: {type(error).__name__}: {error}"
    try:
        python = transpiler.decode(simpy, dialect=dialect, path=path)
    except SimPyError as error:
        return f"does not decode: {error.message}" + (f" (line {error.line}, column {error.column} of the SimPy)" if error.line else "")
    except Exception as error:  # as above
        return f"does not decode: {type(error).__name__}: {error}"
    if python not in seen:
        try:
            seen[python] = difference(before, Reading(python))
        except SyntaxError as error:
            seen[python] = f"decodes to invalid Python: {error.msg}" + (f" (line {error.lineno})" if error.lineno else "")
    problem = seen[python]
    return len(simpy) if problem is None else problem


def _print_json(verdicts: list[Verdict], errors: list[SimPyError], dialects: list[str], number: dict[str, int]) -> None:
    import json

    unread = [Verdict(error.path or "", ERROR, error.message) for error in errors]
    report = {"dialects": dialects, "summary": number, "files": [verdict.as_json() for verdict in (*unread, *verdicts)]}
    print(json.dumps(report, indent=2))

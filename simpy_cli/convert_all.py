"""What encode, decode and convert do with the paths on their command line: plan, convert each file, report, sum up."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from functools import partial

from simpy_cli import files
from simpy_cli.conversion import Outcome, Task, convert_file
from simpy_cli.folders import Search, find
from simpy_cli.main import DONE, FAILED, FOUND
from simpy_cli.options import AUTO, DIALECTS
from simpy_cli.paths import Job, plan, python_name, same_name, simpy_name
from simpy_cli.report import Report, count, print_data, print_diff
from simpy_cli.workers import in_order
from simpy_grammar.dialect import PYTHON as LAYOUT
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import DialectError, SimPyError

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from simpy_cli.formatters import Formatter


def load_dialect(which: str, tokenizer: str | None = None, aliases: int | None = None) -> Dialect:
    """A dialect by name or file; one from a file is compiled now, so that a bad one is reported once.

    Args:
        which: the name or file, or ``auto`` for the built-in dialect that suits a tokenizer best.
        tokenizer: the name of that tokenizer, as ``tokenizer_ext.load_tokenizer`` takes it.
        aliases: how many aliases of names it has; ``None`` to take it as it is.

    Raises:
        DialectError: it does not exist, or is ambiguous, or is ``auto`` without a tokenizer, or Python is to have aliases.
        TokenizerError: there is no such tokenizer.
    """
    if which == AUTO:
        if tokenizer is None:
            raise DialectError(_WHICH_VOCABULARY, path="--dialect auto", hint=_NAME_ONE)
        from tokenizer_ext import fitted_dialect, load_tokenizer  # extra libraries, for this only

        return _with_aliases(fitted_dialect(load_tokenizer(tokenizer)), aliases)
    dialect = _with_aliases(Dialect.load(which), aliases)
    if which not in DIALECTS:
        from simpy_grammar.table_cache import load_tables

        load_tables(dialect)
    return dialect


def _with_aliases(dialect: Dialect, count: int | None) -> Dialect:
    return dialect if count is None else dialect.with_aliases(count)


def load_formatter(name: str | None) -> Formatter | None:
    """The formatter that lays Python out; ``None`` if none is named.

    Raises:
        SimPyError: it is not installed.
    """
    if name is None:
        return None
    from simpy_cli.formatters import find_formatter  # starts programs, which takes long to import

    return find_formatter(name)


_WHICH_VOCABULARY = "this is the dialect that suits a vocabulary best, and none is named"
_NAME_ONE = "add --tokenizer NAME: a tokenizer.json, its folder, a tiktoken name or a hub id"


def chosen(which: str, dialect: Dialect) -> str:
    """What closing lines say of a dialect that was chosen by ``auto``.

    >>> chosen("auto", Dialect.load("dense")), chosen("dense", Dialect.load("dense"))
    (' (dialect dense)', '')
    """
    return f" (dialect {dialect.name})" if which == AUTO else ""


def check_usage(args: argparse.Namespace) -> None:
    """Refuse combinations that ``argparse`` cannot express.

    Raises:
        SimPyError: the arguments contradict each other.
    """
    command = f"simpy {args.command}"
    paths: list[str] = args.paths
    several = len(paths) > 1 or os.path.isdir(paths[0])
    writes = not (args.check or args.diff)
    hint = f"see `{command} --help`"
    if files.STDIN in paths and len(paths) > 1:
        raise SimPyError("- (standard input) stands alone", path=command, hint=hint)
    if files.STDIN in paths and args.in_place:
        raise SimPyError("standard input has no place: --in-place needs files", path=command, hint=hint)
    if several and args.output == files.STDIN:
        raise SimPyError("only one file can go to standard output", path=command, hint="name a folder with -o")
    if several and writes and args.output is None and not args.in_place:
        raise SimPyError("folders and several files need -o DIR or --in-place", path=command, hint=hint)
    if several and args.output is not None and os.path.exists(args.output) and not os.path.isdir(args.output):
        raise SimPyError(f"{args.output} is not a folder, and folders and several files need one", path=command)


def naming(source: Dialect, target: Dialect) -> Callable[[str], str]:
    """What the result of a conversion is called, by the name of what is read.

    >>> naming(Dialect.load("python"), Dialect.load("classic"))("a.py")
    'a.simpy'
    """
    from_python, to_python = (dialect.layout == LAYOUT for dialect in (source, target))
    if from_python == to_python:
        return same_name
    return simpy_name if from_python else python_name


def convert_all(args: argparse.Namespace, task: Task, *, verb: str) -> int:
    """Convert everything that was named; return the exit code."""
    check_usage(args)
    errors: list[SimPyError] = []
    search = Search.asked(args, python=task.source.layout == LAYOUT, notebooks=True, leave_out=args.output)
    jobs = plan(args.paths, find(args.paths, search, errors), naming(task.source, task.target), args.output, args.in_place, errors)
    several = len(args.paths) > 1 or os.path.isdir(args.paths[0])
    report = Report(quiet=args.quiet, verbose=args.verbose, total=len(jobs) if any(map(os.path.isdir, args.paths)) else 0)
    if not args.quiet:
        from simpy_cli.token_counts import Vocabulary

        task.vocabulary = Vocabulary.at_hand(args.tokenizer)
        for number, job in enumerate(jobs):
            job.counted = task.vocabulary.counts(number, len(jobs))
    if several and not (args.no_cache or args.diff or task.formatter):
        from simpy_cli.result_cache import ResultCache

        task.cache = ResultCache("convert", repr((task.source.digest, task.target.digest, task.target.layout, task.proof, task.width)))
    for error in errors:
        report.error(error)
    outcomes = []
    for outcome in in_order(partial(convert_file, task), jobs, args.jobs):
        _tell(outcome, report, args)
        outcome.forget()
        outcomes.append(outcome)
        report.step()
    done = [outcome for outcome in outcomes if outcome.error is None]
    if task.cache is not None:
        task.cache.keep(outcome.cached for outcome in done if outcome.cached is not None)
    changed = sum(outcome.changes for outcome in done)
    summary = f"{count(len(done), 'file')} {'' if task.write else 'would be '}{verb}"
    unchanged = sum(outcome.unchanged for outcome in done)
    if unchanged:
        summary += f", {unchanged:,} of them unchanged since an earlier run"
    counted = [outcome.tokens for outcome in done if outcome.tokens is not None]
    if task.vocabulary is not None and counted:
        summary += f", {task.vocabulary.phrase(counted, sum(o.before for o in done), sum(o.after for o in done))}"
    if args.check and changed:
        summary += f", {changed:,} would change"
    if report.errors:
        summary += f", {count(report.errors, 'error')}"
    report.finish(summary)
    if report.errors:
        return FAILED
    return FOUND if args.check and changed else DONE


def _tell(outcome: Outcome, report: Report, args: argparse.Namespace) -> None:
    if outcome.error is not None:
        report.error(outcome.error)
        return
    job = outcome.job
    if outcome.diff:
        report.before_output()
        print_diff(outcome.diff)
    elif outcome.data or (job.target is None and not (args.check or args.diff)):
        print_data(outcome.data, outcome.text)
    if args.check and outcome.changes:
        report.note(f"would write {job.target}")
    report.detail(_line(job, outcome))


def _line(job: Job, outcome: Outcome) -> str:
    return f"{files.shown(job.source)} -> {job.target or '<stdout>'}: {outcome.before:,} -> {outcome.after:,} characters"

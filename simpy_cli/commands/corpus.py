"""``simpy corpus``: a data set of programs to a data set of SimPy. The options and the report; the work is in ``simpy_corpus``."""

from __future__ import annotations

import argparse

from simpy_cli.corpus import ProgramFiles
from simpy_cli.numbers import decimal, share, whole
from simpy_cli.options import AUTO, add_dialect, add_jobs, add_search, add_verbosity, command_parser
from simpy_cli.registry import Subparsers

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from simpy_corpus.options import Options
    from simpy_grammar.errors import SimPyError

# The names that ``simpy_corpus`` has, which takes long to import; a test compares them.
_FORMATS = ("parquet", "jsonl", "jsonl.gz", "jsonl.zst", "ids")
_DROPPABLE = ("duplicate", "near-duplicate", "generated", "data", "long-lines")
_ENGINES = ("processes", "ray", "datasets")


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "corpus",
        description="Convert a corpus into a folder of shards. It may be folders of Python, JSON lines (.jsonl, .jsonl.gz, .jsonl.zst), "
        "Parquet, a folder of datasets.save_to_disk, or the id of a data set on a hub. Every row stays a row, with its other "
        "columns: it holds the program in the dialect, or the reason why it was refused. A run that was killed goes on where it was.",
        shown=(
            ("simpy corpus src -o out", "the Python below src, as Parquet"),
            ("simpy corpus code.jsonl.zst --column content --fast -j 0 -o out", "JSON lines, without the proof, on all processors"),
            ("simpy corpus data --drop duplicate --drop generated -o out", "each program once, none that a tool wrote"),
            ("simpy corpus data --evaluation human-eval.jsonl.gz -o out", "none that holds a problem of HumanEval"),
            ("simpy corpus data --format ids --tokenizer ./model -o out", "token ids, packed into memory maps"),
        ),
    )
    parser.add_argument("paths", nargs="+", metavar="INPUT", help="a folder, a file of a data set, or the id of one on a hub (OWNER/NAME)")
    parser.add_argument("-o", "--output", required=True, metavar="DIR", help="the folder to write, or that of a run to go on with")
    add_dialect(parser, "--dialect", python=True, help="the dialect to write")
    add_dialect(parser, "--from", default="python", python=True, auto=False, help="the dialect of the input")
    proof = parser.add_mutually_exclusive_group()
    proof.add_argument("--fast", action="store_true", help="skip the proof that each result is the same program")
    proof.add_argument("--proof", choices=("trees", "stream"), default="trees", help="compare syntax trees, or lexemes, which is faster")
    group = parser.add_argument_group("rows")
    group.add_argument("--column", metavar="NAME", help="the column of the programs (default content, text, code, source or program)")
    group.add_argument("--keep", action="append", metavar="NAME", help="keep this column and others so named only; may be given again")
    group.add_argument("--keep-source", action="store_true", help="keep the column of the programs too")
    group.add_argument("--fingerprint", action="store_true", help="add the fingerprint of each program, whatever its layout and comments")
    group.add_argument("--split", metavar="NAME", help="the split of a data set that has several (default train)")
    group.add_argument("--config", metavar="NAME", help="the configuration of a data set of a hub")
    group = parser.add_argument_group("cleaning")
    what = "refuse programs of this kind; may be given again"
    group.add_argument("--drop", action="append", default=[], choices=_DROPPABLE, help=what)
    what = "for near-duplicate: the least share of equal runs of lexemes (default 0.85)"
    group.add_argument("--similarity", type=share(), default=0.85, metavar="SHARE", help=what)
    what = "refuse what holds a program, a function or a docstring of this file or folder; may be given again"
    group.add_argument("--evaluation", action="append", default=[], metavar="PATH", help=what)
    what = "refuse longer programs (default 1,000,000; 0 for none)"
    group.add_argument("--max-characters", type=whole(), default=1_000_000, metavar="N", help=what)
    what = "refuse programs that take longer (default 60; 0 for none)"
    group.add_argument("--max-seconds", type=decimal("seconds"), default=60.0, metavar="S", help=what)
    group = parser.add_argument_group("output")
    group.add_argument("--format", choices=_FORMATS, default="parquet", help="what shards are (default parquet)")
    what = "for ids: a tokenizer.json, a model folder, a tiktoken name or a hub id, extended for the dialect or not"
    group.add_argument("--tokenizer", metavar="T", help=what)
    group.add_argument("--separator", metavar="TOKEN", help="for ids: a token to write after each program, such as <|endoftext|>")
    group.add_argument(
        "--shard-size", type=decimal("megabytes", above=0, most=2_000), default=32.0, metavar="MB", help="text in a shard (default 32)"
    )
    group.add_argument("--restart", action="store_true", help="forget what the folder holds of another run, and begin anew")
    group = parser.add_argument_group("work")
    group.add_argument(
        "--engine", choices=_ENGINES, default="processes", help="who does the work; no byte depends on it (default processes)"
    )
    add_jobs(parser)
    add_search(parser)
    add_verbosity(parser)


def run(args: argparse.Namespace) -> int:
    """Convert the corpus and say what became of it."""
    from simpy_cli.files import os_error
    from simpy_cli.main import DONE, FAILED
    from simpy_cli.report import Report, count
    from simpy_corpus.inputs.finding import find_inputs
    from simpy_corpus.report import shown
    from simpy_corpus.running import build
    from simpy_grammar.errors import SimPyError

    errors: list[SimPyError] = []
    python = getattr(args, "from") in ("python", "compact")
    files = ProgramFiles(args, errors, python=python, leave_out=args.output)
    try:
        options = _options(args)
        found = find_inputs(args.paths, files=files, column=args.column, split=args.split, config=args.config)
        report = Report(quiet=args.quiet, verbose=args.verbose)
        for error in errors:
            report.error(error)
        result = build(found, args.output, options, engine=args.engine, workers=args.jobs, restart=args.restart, progress=report.detail)
    except OSError as error:
        raise os_error(error, args.output) from None
    except SimPyError as error:
        error.path = error.path or "simpy corpus"
        raise
    for line in shown(result) if not args.quiet else ():
        print(line)
    report.finish(f"{count(result['converted'], 'program')} of {result['rows']:,} converted to {options.dialect.name}: {args.output}")
    return FAILED if errors else DONE


def _options(args: argparse.Namespace) -> Options:
    from simpy_cli.convert_all import load_dialect
    from simpy_corpus.converting import Limits
    from simpy_corpus.options import Options

    return Options(
        dialect=load_dialect(args.dialect, args.tokenizer),
        source=load_dialect(getattr(args, "from")),
        verify="stream" if args.proof == "stream" else not args.fast,
        limits=Limits(args.max_characters, args.max_seconds),
        columns=None if args.keep is None else tuple(args.keep),
        keep_source=args.keep_source,
        fingerprint=args.fingerprint,
        drop=tuple(sorted(set(args.drop))),
        similarity=args.similarity,
        evaluations=tuple(args.evaluation),
        format=args.format,
        tokenizer=None if args.dialect == AUTO and args.format != "ids" else args.tokenizer,  # it has chosen the dialect
        separator=args.separator,
        shard_bytes=max(1, round(args.shard_size * 1e6)),
    )

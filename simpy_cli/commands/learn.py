"""``simpy learn``: learned tokens for a tokenizer. The options and the report; the work is in ``tokenizer_ext``."""

from __future__ import annotations

import argparse

from simpy_cli.corpus import add_corpus
from simpy_cli.numbers import share, whole
from simpy_cli.options import AUTO, add_dialect, add_jobs, command_parser
from simpy_cli.registry import Subparsers


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "learn",
        description="Learn the tokens that save most on a corpus: n-grams of SimPy lexemes, to be added to a tokenizer. A part of the "
        "corpus is held out, and the saving on it is printed for growing budgets.",
        shown=(
            ("simpy learn --tokenizer cl100k_base --corpus src --budget 256 -o learned.json", "learn 256 tokens from the Python below src"),
            ("simpy learn -j 2 --tokenizer gpt2 --corpus packages -o learned.json", "read the corpus in two processes"),
            ("simpy learn --tokenizer ./model --corpus a b --dialect dense -o learned.json", "from several packages, in another dialect"),
        ),
    )
    parser.add_argument("--tokenizer", required=True, metavar="T", help="a tokenizer.json, a model folder, a tiktoken name or a hub id")
    add_corpus(parser, "Python files and folders; each folder in one is a package")
    parser.add_argument("--budget", type=whole("tokens", least=1), default=256, metavar="N", help="how many tokens to learn (default 256)")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="where to write them")
    parser.add_argument(
        "--classes",
        choices=("grammar", "punctuation", "identifiers", "literals"),
        default="identifiers",
        help="what may be merged: grammar only, and punctuation, and common identifiers, and common strings (default identifiers)",
    )
    parser.add_argument(
        "--held-out",
        type=share(whole=False),
        default=0.1,
        metavar="SHARE",
        help="share of the files to evaluate on, 3 MB at most (default 0.1)",
    )
    add_jobs(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    add_dialect(parser, "--dialect", default="dense", help="the dialect whose text is merged")


def run(args: argparse.Namespace) -> int:
    """Learn, write the file, print the curve."""
    from simpy_cli import corpus
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.main import DONE, FAILED
    from simpy_cli.report import Report, count
    from tokenizer_ext.fitting import fitted_dialect
    from tokenizer_ext.learning import learn
    from tokenizer_ext.loading import load_tokenizer

    tokenizer = load_tokenizer(args.tokenizer)
    dialect = fitted_dialect(tokenizer) if args.dialect == AUTO else load_dialect(args.dialect)
    programs, errors = corpus.read(args)
    report = Report(quiet=args.quiet, total=len(programs) + args.budget)
    for error in errors:
        report.error(error)
    result = learn(
        tokenizer,
        programs,
        budget=args.budget,
        dialect=dialect if args.dialect == AUTO else args.dialect,  # a file is remembered by its path
        classes=args.classes,
        held_out=args.held_out,
        tokenizer_name=args.tokenizer,
        processes=args.jobs,
        progress=report.step,
    )
    save(args.output, result.learned.format())
    report.before_output()
    if not args.quiet:
        print(result.table())
    skipped = f", {count(result.skipped, 'file')} not encoded" if result.skipped else ""
    report.finish(f"{count(len(result.learned), 'token')} learned from {count(result.files, 'file')}{skipped}: {args.output}")
    return FAILED if errors else DONE


def save(path: str, text: str) -> None:
    """Write a result whole or not at all.

    Raises:
        SimPyError: it cannot be written.
    """
    from simpy_cli import files

    try:
        files.write(path, text.encode())
    except OSError as error:
        raise files.os_error(error, path) from None

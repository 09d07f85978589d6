"""``simpy fit``: a dialect for one vocabulary. The options and the report; the search is in ``tokenizer_ext.fitting``."""

from __future__ import annotations

import argparse

from simpy_cli.corpus import add_corpus
from simpy_cli.options import AUTO, add_dialect, command_parser
from simpy_cli.registry import Subparsers


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "fit",
        description="Search the spelling of each terminal for the fewest tokens on a vocabulary, and write it as a dialect file, "
        "which every --dialect takes.",
        shown=(
            ("simpy fit --tokenizer cl100k_base --corpus src -o mine.lark", "fit a dialect on the Python below src"),
            ("simpy encode --dialect mine.lark app.py", "use it"),
        ),
    )
    parser.add_argument("--tokenizer", required=True, metavar="T", help="a tokenizer.json, a model folder, a tiktoken name or a hub id")
    add_corpus(parser, "Python files and folders to count on")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the dialect file to write")
    parser.add_argument("--sample", type=float, default=0.5, metavar="MB", help="how much of the corpus to count on (default 0.5)")
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    add_dialect(parser, "--start", default=AUTO, help="the dialect to start from")


def run(args: argparse.Namespace) -> int:
    """Fit, write the file, print what was gained."""
    import os
    import random

    from simpy_cli import corpus
    from simpy_cli.commands.learn import save
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.main import DONE, FAILED
    from simpy_cli.report import Report
    from tokenizer_ext.fitting import fit, fitted_dialect
    from tokenizer_ext.loading import load_tokenizer

    tokenizer = load_tokenizer(args.tokenizer)
    start = fitted_dialect(tokenizer) if args.start == AUTO else load_dialect(args.start)
    files, errors = corpus.read(args)
    programs = [program.source for program in files]
    random.Random(0).shuffle(programs)  # a sample of the whole corpus, the same each time
    size, sample = 0, []
    for program in programs:
        sample.append(program)
        size += len(program)
        if size > args.sample * 1e6:
            break
    report = Report(quiet=args.quiet, total=2 * len(start.spellings))
    for error in errors:
        report.error(error)
    name = os.path.splitext(os.path.basename(args.output))[0]
    result = fit(tokenizer, sample, start=start, name=name, progress=lambda done, total: report.step())
    save(args.output, result.dialect.format())
    report.before_output()
    for step in result.steps if not args.quiet else ():
        print(f"{step.terminal}: {' | '.join(map(repr, step.spelling))}  {step.tokens:,} tokens")

    def saved(tokens: int) -> str:
        return f"{100 - 100 * tokens / max(result.python, 1):.2f} %"

    report.finish(f"{start.name} saves {saved(result.before)}, {name} {saved(result.after)} of {result.python:,} tokens: {args.output}")
    return FAILED if errors else DONE

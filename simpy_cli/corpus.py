"""The corpus of ``simpy learn`` and ``simpy fit``: its options, and the programs that they name. ``simpy_cli.folders`` finds the files."""

from __future__ import annotations

from simpy_cli.options import add_search

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    import argparse

    from simpy_grammar.errors import SimPyError
    from tokenizer_ext.learning import CorpusFile


def add_corpus(parser: argparse.ArgumentParser, what: str) -> None:
    """``--corpus``, and what is left out of its folders."""
    parser.add_argument("--corpus", required=True, nargs="+", metavar="PATH", help=what)
    add_search(parser)


def read(args: argparse.Namespace) -> tuple[list[CorpusFile], list[SimPyError]]:
    """The programs that the options name, and what cannot be read.

    Raises:
        SimPyError: a path does not exist, or no path holds Python files.
    """
    import os
    from pathlib import Path

    from simpy_cli.files import os_error
    from simpy_cli.folders import Search, find
    from simpy_grammar.errors import SimPyError
    from tokenizer_ext.learning import read_corpus

    for path in args.corpus:
        if not os.path.exists(path):
            raise os_error(FileNotFoundError(2, "No such file or directory"), path)
    errors: list[SimPyError] = []
    search = Search.asked(args)

    def found(root: Path) -> list[Path]:
        return [Path(source.path) for source in find([str(root)], search, errors)]

    programs = list(read_corpus(args.corpus, files=found))
    if not programs and errors:
        raise errors[0]
    if not programs:
        raise SimPyError("no Python files to learn from", path=args.corpus[0], hint="name files or folders that hold .py files")
    return programs, errors

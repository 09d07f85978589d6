"""Programs that commands read as a corpus: the options of ``simpy learn`` and ``simpy fit``, and the files that they and others find.

``simpy_cli.folders`` searches the folders.
"""

from __future__ import annotations

from simpy_cli.options import add_search

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

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


class ProgramFiles:
    """Finds the programs at and below a path, as every command does; what cannot be read goes to ``errors``.

    Args:
        args: the options of ``simpy_cli.options.add_search``.
        errors: where errors go if other files are found.
        python: whether Python is searched for; otherwise SimPy.
        leave_out: a folder that is left out, since the results go there.
    """

    def __init__(self, args: argparse.Namespace, errors: list[SimPyError], *, python: bool = True, leave_out: str | None = None) -> None:
        self._args = args
        self._errors = errors
        self._python = python
        self._leave_out = leave_out

    def __call__(self, path: str) -> Sequence[tuple[str, str]]:
        """For each program where it is, and how it is called.

        Raises:
            SimPyError: nothing is found, and something cannot be read.
        """
        from simpy_cli.folders import Search, find

        errors: list[SimPyError] = []
        found = find([path], Search.asked(self._args, python=self._python, leave_out=self._leave_out), errors)
        if errors and not found:
            raise errors[0]
        self._errors += errors
        return [(source.path, source.relative) for source in found]

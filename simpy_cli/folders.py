"""Which files a command reads: those that were named, and those in the folders that were named. ``simpy_cli.paths`` decides where
results go, and ``transpiler.ignored`` what git ignores."""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterable, Iterator, Sequence

from simpy_cli.files import STDIN, os_error
from simpy_cli.paths import NOTEBOOK, SIMPY, SIMPY_NOTEBOOK, Source
from simpy_grammar.errors import SimPyError
from simpy_grammar.later_patterns import later_pattern
from transpiler.source import PYTHON_SUFFIXES

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    import argparse

    from transpiler.ignored import Ignored

_SHEBANG = later_pattern(rb"(?:\xef\xbb\xbf)?#!.*python", re.IGNORECASE)
_FORCE = "--force takes it as Python all the same"


class Search:
    """What is searched for in folders, and what is left out.

    Args:
        python: whether Python is searched for; otherwise SimPy.
        notebooks: whether notebooks are read too.
        exclude: patterns of what is left out of folders.
        ignore: whether folders are searched without what git ignores and without what tools make.
        force: whether a named file is taken as Python whatever its name ends in.
        leave_out: a folder that is left out, since the results go there.
    """

    def __init__(
        self,
        *,
        python: bool = True,
        notebooks: bool = False,
        exclude: Sequence[str] = (),
        ignore: bool = True,
        force: bool = False,
        leave_out: str | None = None,
    ) -> None:
        self.python = python
        self.notebooks = notebooks
        self.exclude = exclude
        self.ignore = ignore
        self.force = force
        self.leave_out = leave_out
        self.suffixes = (PYTHON_SUFFIXES if python else SIMPY) + ((NOTEBOOK if python else SIMPY_NOTEBOOK,) if notebooks else ())

    @classmethod
    def asked(cls, args: argparse.Namespace, *, python: bool = True, notebooks: bool = False, leave_out: str | None = None) -> Search:
        """What the options of ``simpy_cli.options.add_search`` ask for."""
        return cls(
            python=python, notebooks=notebooks, exclude=args.exclude, ignore=not args.no_ignore, force=args.force, leave_out=leave_out
        )

    def takes(self, name: str) -> bool:
        """Whether a file of a folder is read, by its name.

        >>> search = Search(notebooks=True)
        >>> [search.takes(name) for name in ("a.py", "a.ipynb", "a.simpy.ipynb", "a.txt")]
        [True, True, False, False]
        """
        return name.endswith(self.suffixes) and not (self.python and name.endswith(SIMPY_NOTEBOOK))


def find(paths: Iterable[str], search: Search, errors: list[SimPyError]) -> list[Source]:
    """The files that were named and those in the folders that were named, each once; what cannot be read goes to ``errors``.

    In folders only names with one of the suffixes count. Hidden folders and ``__pycache__`` are left out, and what ``search``
    leaves out. A named file is never left out, but one that is not Python by its name or its first line is an error.

    Raises:
        SimPyError: a pattern of what is to be left out is not one.
    """
    found: dict[tuple[str, str], Source] = {}
    for path in paths:
        if path == STDIN or not os.path.isdir(path):
            problem = None if path == STDIN else _problem(path, search)
            if problem is not None:
                errors.append(problem)
                continue
            sources: Iterable[Source] = [Source(path, os.path.basename(path), os.path.islink(path))]
        else:
            sources = _in_folder(path, search, errors)
        for source in sources:
            found.setdefault((os.path.normpath(source.path), source.relative), source)
    return list(found.values())


def _problem(path: str, search: Search) -> SimPyError | None:
    """What keeps a named file from being read, if anything does."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        return os_error(error, path)
    name = os.path.basename(path)
    if not name.endswith(search.suffixes) and stat.S_ISREG(mode) and not search.force:
        from simpy_corpus.data_sets import DATA_SETS  # for what is not a program by its name only

        if name.endswith(DATA_SETS):
            return SimPyError("a data set, not a program", path=path, hint=f"convert its programs: simpy corpus {name} -o DIR")
    if name.endswith(NOTEBOOK) and not search.notebooks and not search.force:
        return SimPyError("a notebook, which this command does not read", path=path, hint="convert its code cells with `simpy encode`")
    if not search.python or search.force or not stat.S_ISREG(mode):  # what a pipe or a device holds is not known
        return None
    if name.endswith(SIMPY_NOTEBOOK):
        return SimPyError("the cells of this notebook are SimPy already", path=path, hint="use `simpy decode` or `simpy convert`")
    suffix = os.path.splitext(name)[1]
    if suffix in (*search.suffixes, *SIMPY):  # about a file of SimPy the converter says more
        return None
    if suffix:
        hint = f"{_FORCE}, and so does standard input: simpy ... - < {name}"
        return SimPyError(f"not a Python file, as its name ends in {suffix}", path=path, hint=hint)
    try:
        with open(path, "rb") as file:
            first = file.readline(256)
    except OSError as error:
        return os_error(error, path)
    if _SHEBANG.match(first):
        return None
    hint = f"the first line of a script without a suffix names its interpreter, as in #!/usr/bin/env python3; {_FORCE}"
    return SimPyError("not a Python file by its name, nor by its first line", path=path, hint=hint)


def _in_folder(path: str, search: Search, errors: list[SimPyError]) -> list[Source]:
    from transpiler.ignored import Ignored  # for folders only

    before, reasons = len(errors), dict[str, int]()
    try:
        ignored = Ignored(path, exclude=search.exclude, usual=search.ignore)
        sources = list(_walk(path, search, ignored, errors, reasons))
    except SimPyError as error:
        error.path = error.path or path
        raise
    if not sources and len(errors) == before:
        names = ", ".join(f"*{suffix}" for suffix in search.suffixes)
        kind = "Python" if search.python else "SimPy"
        left = "; ".join(f"{number:,} left out: {reason}" for reason, number in reasons.items() if number)
        by_rule = set(reasons) - {f"the pattern {pattern}" for pattern in search.exclude}
        hint = f"{left} (--no-ignore looks there too)" if search.ignore and by_rule else left
        errors.append(SimPyError(f"no {kind} files ({names}) in this folder", path=path, hint=hint))
    return sources


def _walk(root: str, search: Search, ignored: Ignored, errors: list[SimPyError], reasons: dict[str, int]) -> Iterator[Source]:
    """The files below a folder in a fixed order; links to folders are followed unless they lead back."""
    waiting = [(root, "", False, frozenset[tuple[int, int]]())]
    leave_out = search.leave_out
    while waiting:
        folder, relative, linked, above = waiting.pop()
        try:
            status = os.stat(folder)
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            errors.append(os_error(error, folder))
            continue
        here = (status.st_dev, status.st_ino)
        if here in above:
            errors.append(SimPyError("a symbolic link back to a folder that holds it", path=folder))
            continue
        if leave_out is not None and folder != root and os.path.exists(leave_out) and os.path.samefile(folder, leave_out):
            continue
        deeper = []
        for entry in entries:
            below = os.path.join(relative, entry.name)
            by_link = linked or entry.is_symlink()
            problem: SimPyError | None = None
            try:
                mode = os.stat(entry.path).st_mode
            except OSError as error:
                if error.errno != errno.ELOOP and not search.takes(entry.name):
                    continue
                mode, problem = 0, os_error(error, entry.path)
            is_folder = stat.S_ISDIR(mode)
            if entry.name.startswith(".") if is_folder else not (search.takes(entry.name) or problem):
                continue
            reason = ignored.why_here(folder, entry.name, is_folder=is_folder)
            if reason:
                reasons[reason] = reasons.get(reason, 0) + (entry.name != "__pycache__")
            elif problem is not None:
                errors.append(problem)
            elif is_folder:
                deeper.append((entry.path, below, by_link, above | {here}))
            elif stat.S_ISREG(mode):
                yield Source(entry.path, below, by_link)
            else:  # reading a pipe or a device might never end
                errors.append(SimPyError("not a regular file", path=entry.path))
        waiting += reversed(deeper)

"""Which files a command reads, and where each result goes. Touches no content."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Callable, Iterable, Iterator

from simpy_cli.files import STDIN, os_error
from simpy_grammar.errors import SimPyError

PYTHON = (".py", ".pyi", ".pyw")
SIMPY = (".simpy",)
_KIND = {PYTHON: "Python", SIMPY: "SimPy"}


class Source:
    """A file to read.

    Attributes:
        path: its path, or ``-``.
        relative: its path below the folder that was named; its own name if the file was named.
        linked: whether a symbolic link led to it.
    """

    __slots__ = ("linked", "path", "relative")

    def __init__(self, path: str, relative: str, linked: bool = False) -> None:
        self.path = path
        self.relative = relative
        self.linked = linked


class Job:
    """A file to convert.

    Attributes:
        source: its path, or ``-``.
        target: where the result goes; ``None`` for standard output.
        in_place: whether the original goes away.
    """

    __slots__ = ("in_place", "source", "target")

    def __init__(self, source: str, target: str | None, in_place: bool = False) -> None:
        self.source = source
        self.target = target
        self.in_place = in_place


def simpy_name(name: str) -> str:
    """The name of the SimPy file of a Python file.

    >>> simpy_name("a.py"), simpy_name("a.pyi"), simpy_name("script")
    ('a.simpy', 'a.pyi.simpy', 'script.simpy')
    """
    return name.removesuffix(".py") + ".simpy"


def python_name(name: str) -> str:
    """The name of the Python file of a SimPy file.

    >>> python_name("a.simpy"), python_name("a.pyi.simpy"), python_name("notes")
    ('a.py', 'a.pyi', 'notes.py')
    """
    bare = name.removesuffix(".simpy")
    return bare if bare.endswith(PYTHON[1:]) else f"{bare}.py"


def same_name(name: str) -> str:
    """The name of a SimPy file in another dialect.

    >>> same_name("a.simpy")
    'a.simpy'
    """
    return name


def find(paths: Iterable[str], suffixes: tuple[str, ...], errors: list[SimPyError], *, leave_out: str | None = None) -> list[Source]:
    """The files that were named and those in the folders that were named, each once; what cannot be read goes to ``errors``.

    In folders only names with one of the suffixes count, hidden folders and ``__pycache__`` are left out, and so is the
    folder ``leave_out``, which the results go to.
    """
    found: dict[tuple[str, str], Source] = {}
    for path in paths:
        if path == STDIN or not os.path.isdir(path):
            sources: Iterable[Source] = [Source(path, os.path.basename(path), os.path.islink(path))]
            if path != STDIN:
                try:
                    os.stat(path)
                except OSError as error:
                    errors.append(os_error(error, path))
                    continue
        else:
            before = len(errors)
            sources = list(_walk(path, suffixes, errors, leave_out))
            if not sources and len(errors) == before:
                names = ", ".join(f"*{suffix}" for suffix in suffixes)
                errors.append(SimPyError(f"no {_KIND[suffixes]} files ({names}) in this folder", path=path))
        for source in sources:
            found.setdefault((os.path.normpath(source.path), source.relative), source)
    return list(found.values())


def _walk(root: str, suffixes: tuple[str, ...], errors: list[SimPyError], leave_out: str | None) -> Iterator[Source]:
    """The files below a folder in a fixed order; links to folders are followed unless they lead back."""
    waiting = [(root, "", False, frozenset[tuple[int, int]]())]
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
            try:
                mode = os.stat(entry.path).st_mode
            except OSError as error:
                if error.errno == errno.ELOOP or entry.name.endswith(suffixes):
                    errors.append(os_error(error, entry.path))
                continue
            if stat.S_ISDIR(mode):
                if not entry.name.startswith(".") and entry.name != "__pycache__":
                    deeper.append((entry.path, below, by_link, above | {here}))
            elif entry.name.endswith(suffixes):
                if stat.S_ISREG(mode):
                    yield Source(entry.path, below, by_link)
                else:  # reading a pipe or a device might never end
                    errors.append(SimPyError("not a regular file", path=entry.path))
        waiting += reversed(deeper)


def plan(
    paths: list[str], sources: list[Source], rename: Callable[[str], str], output: str | None, in_place: bool, errors: list[SimPyError]
) -> list[Job]:
    """Decide where each result goes; what would overwrite an input or another result goes to ``errors``.

    One file goes to ``output`` itself, unless that is a folder; folders and several files go below it.
    """
    single = len(paths) == 1 and not os.path.isdir(paths[0])
    whole = single and output is not None and not (os.path.isdir(output) or output.endswith(("/", os.sep)))
    inputs = {os.path.realpath(source.path): source.path for source in sources if source.path != STDIN}
    taken: dict[str, str] = {}
    jobs = []
    for source in sources:
        path = source.path
        if in_place:
            target: str | None = os.path.join(os.path.dirname(path), rename(os.path.basename(path)))
        elif output is None or output == STDIN:
            target = None
        elif whole:
            target = output
        else:
            relative = "stdin" if path == STDIN else source.relative
            target = os.path.join(output, os.path.dirname(relative), rename(os.path.basename(relative)))
        problem = _problem(source, target, in_place, inputs, taken)
        if problem is not None:
            errors.append(problem)
            continue
        if target is not None:
            taken[os.path.realpath(target)] = path
        jobs.append(Job(path, target, in_place))
    return jobs


def _problem(source: Source, target: str | None, in_place: bool, inputs: dict[str, str], taken: dict[str, str]) -> SimPyError | None:
    path = source.path
    if in_place and source.linked:
        return SimPyError("reached by a symbolic link, which --in-place does not follow", path=path, hint="name the file that it points to")
    if in_place and not os.path.isfile(path):
        return SimPyError("not a regular file, so --in-place cannot replace it", path=path)
    if target is None:
        return None
    real = os.path.realpath(target)
    own = path != STDIN and os.path.isfile(real) and os.path.samefile(real, path)
    if own and not in_place:
        return SimPyError("the output is the input itself", path=path, hint="use --in-place to replace a file")
    if real in taken:
        return SimPyError(f"its result would overwrite that of {taken[real]}: both go to {target}", path=path)
    if real in inputs and not own:
        return SimPyError(f"its result would overwrite {inputs[real]}, which is an input too", path=path)
    return None

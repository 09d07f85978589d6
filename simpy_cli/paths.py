"""What files are called, and where each result goes. Touches no content; ``simpy_cli.folders`` finds the files."""

from __future__ import annotations

import os
from collections.abc import Callable

from simpy_cli.files import STDIN
from simpy_grammar.errors import SimPyError
from transpiler.source import PYTHON_SUFFIXES

SIMPY = (".simpy",)
"""What the name of a SimPy file ends in."""
NOTEBOOK, SIMPY_NOTEBOOK = ".ipynb", ".simpy.ipynb"
"""What the names of notebooks end in; their cells hold Python, or SimPy."""


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
        counted: whether its tokens are counted.
    """

    __slots__ = ("counted", "in_place", "source", "target")

    def __init__(self, source: str, target: str | None, in_place: bool = False) -> None:
        self.source = source
        self.target = target
        self.in_place = in_place
        self.counted = False


def simpy_name(name: str) -> str:
    """The name of the SimPy file of a Python file.

    >>> simpy_name("a.py"), simpy_name("a.pyi"), simpy_name("script"), simpy_name("a.ipynb")
    ('a.simpy', 'a.pyi.simpy', 'script.simpy', 'a.simpy.ipynb')
    """
    if name.endswith(NOTEBOOK):
        return name.removesuffix(NOTEBOOK) + SIMPY_NOTEBOOK
    return name.removesuffix(".py") + ".simpy"


def python_name(name: str) -> str:
    """The name of the Python file of a SimPy file.

    >>> python_name("a.simpy"), python_name("a.pyi.simpy"), python_name("notes"), python_name("a.simpy.ipynb")
    ('a.py', 'a.pyi', 'notes.py', 'a.ipynb')
    """
    if name.endswith(NOTEBOOK):
        return name.removesuffix(NOTEBOOK).removesuffix(SIMPY[0]) + NOTEBOOK
    bare = name.removesuffix(".simpy")
    return bare if bare.endswith(PYTHON_SUFFIXES[1:]) else f"{bare}.py"


def same_name(name: str) -> str:
    """The name of a SimPy file in another dialect.

    >>> same_name("a.simpy")
    'a.simpy'
    """
    return name


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

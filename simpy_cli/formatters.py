"""The formatters that people have installed: found on ``PATH`` or as a module, and run over decoded Python."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from typing import NamedTuple

from simpy_cli import files
from simpy_grammar.errors import SimPyError
from transpiler.source import read_source

# What follows the formatter's own name. It reads standard input; a file name tells it which configuration applies.
_ARGUMENTS = {"ruff": ("format", "--quiet"), "black": ("--quiet",)}
_UTF8_ONLY = ("ruff",)  # whatever encoding the program declares


class Formatter(NamedTuple):
    """A formatter that is installed.

    Attributes:
        name: what it is called in messages.
        command: how to start it.
    """

    name: str
    command: tuple[str, ...]

    def format(self, text: str, target: str, path: str) -> str:
        """The formatted text of a program.

        Args:
            text: the program.
            target: the file that it is for, or ``-``.
            path: the file that it comes from, for messages.

        Raises:
            SimPyError: the formatter failed.
        """
        utf8 = self.name in _UTF8_ONLY
        name = () if target.startswith(files.STDIN) else ("--stdin-filename", os.path.abspath(target))
        command = [*self.command, *_ARGUMENTS[self.name], *name, "-"]
        data = text.encode("utf-8", "surrogatepass") if utf8 else files.python_bytes(text, path)
        try:
            done = subprocess.run(command, input=data, capture_output=True, check=False)
        except OSError as error:
            raise SimPyError(f"{self.name} does not start: {error.strerror or error}", path=path, hint=_WITHOUT) from error
        if done.returncode:
            said = done.stderr.decode("utf-8", "replace").strip().split("\n")[0] or f"exit code {done.returncode}"
            raise SimPyError(f"{self.name} cannot format the decoded program: {said}", path=path, hint=_WITHOUT)
        return done.stdout.decode("utf-8").replace("\r\n", "\n") if utf8 else read_source(done.stdout, path=path)


_WITHOUT = "leave out --format for a layout that needs no other program"


def find_formatter(name: str) -> Formatter:
    """A formatter by name.

    Raises:
        SimPyError: it is not installed.

    >>> find_formatter("no such formatter")
    Traceback (most recent call last):
    simpy_grammar.errors.SimPyError: --format no such formatter: error: no such formatter is not installed
    hint: pip install no such formatter, or leave out --format for a layout that needs no other program
    """
    found = shutil.which(name)
    if found is not None:
        return Formatter(name, (found,))
    if find_spec(name) is not None:
        return Formatter(name, (sys.executable, "-m", name))
    raise SimPyError(f"{name} is not installed", path=f"--format {name}", hint=f"pip install {name}, or {_WITHOUT}")

"""Converting one file: read, convert, prove, compare, write. Which files, and what is said about them, is decided elsewhere."""

from __future__ import annotations

from typing import NamedTuple

import transpiler
from simpy_cli import files
from simpy_cli.paths import Job
from simpy_grammar.dialect import BUILT_IN, COMPACT, Dialect
from simpy_grammar.errors import PythonSyntaxError, RoundTripError, SimPyError, SimPySyntaxError, locate
from transpiler.source import read_source


class Task(NamedTuple):
    """What to do with each file; goes to worker processes as it is.

    Attributes:
        source: the dialect of the input; ``None`` is plain Python.
        target: the dialect of the result; ``None`` is plain Python.
        proof: whether to prove that the result is the same program.
        write: whether to write the result; otherwise it is compared with what is there.
        diff: whether to make a diff.
    """

    source: Dialect | None
    target: Dialect | None
    proof: bool = True
    write: bool = True
    diff: bool = False


class Outcome(NamedTuple):
    """What became of one file.

    Attributes:
        job: the file.
        error: why it was not converted.
        before: characters of the input.
        after: characters of the result.
        changes: whether the target is missing or holds something else.
        diff: the diff, if one was asked for.
        data: the result, if it is for standard output; ``text`` is the same as text.
    """

    job: Job
    error: SimPyError | None = None
    before: int = 0
    after: int = 0
    changes: bool = False
    diff: str = ""
    data: bytes = b""
    text: str = ""


def convert_file(task: Task, job: Job) -> Outcome:
    """Convert one file. Whatever goes wrong is in the outcome, and then nothing has been written."""
    path = files.shown(job.source)
    try:
        return _convert_file(task, job, path)
    except SimPyError as error:
        if error.path is None:
            error.path = path
        return Outcome(job, error)
    except OSError as error:
        return Outcome(job, files.os_error(error, path))
    except (RecursionError, MemoryError):
        return Outcome(job, SimPyError("the program is too large or too deeply nested for this machine", path=path))
    except Exception as error:  # a bug of ours must not cost the user the other files
        what = f"internal error: {type(error).__name__}: {error}"
        return Outcome(job, SimPyError(what, path=path, hint="this is a bug of the converter: please report it with the file"))


def _convert_file(task: Task, job: Job, path: str) -> Outcome:
    data, stamp = files.read(job.source)
    before, after = convert(data, task, path)
    is_python = task.target is None or task.target.is_python
    result = files.python_bytes(after, path) if is_python else after.encode("utf-8")
    outcome = Outcome(job, None, len(before), len(after))
    there: bytes | None = None
    if job.target is not None and not task.write and job.target != job.source:
        try:
            there = files.read(job.target)[0]
        except FileNotFoundError:
            there = None
    if task.diff:
        outcome = outcome._replace(diff=_diff(job, path, before, after, there))
    if not task.write:
        return outcome._replace(changes=job.target is not None and (job.in_place or there != result))
    if job.target is None:
        return outcome._replace(data=result, text=after)
    if stamp is not None and job.in_place:
        files.replace(job.source, stamp, job.target, result)
    else:
        files.write(job.target, result, mode=None if stamp is None else stamp.mode)
    return outcome


def convert(data: bytes, task: Task, path: str) -> tuple[str, str]:
    """The text of a file and what it becomes.

    Raises:
        SimPyError: it is not of the language that the task says, or the proof failed.

    >>> convert(b"x = 1", Task(None, Dialect.load("classic")), "a.py")
    ('x = 1', 'x=1')
    """
    if task.source is None:
        text = read_source(data, path=path)
        try:
            return text, transpiler.encode(data, dialect=task.target or "classic", verify=task.proof, path=path)
        except PythonSyntaxError as error:
            if path.endswith(".simpy") and not error.hint:
                error.hint = "the name ends in .simpy: to rewrite SimPy in another dialect use `simpy convert`"
            raise
    text = read_source(data, path=path) if task.source.is_python else files.simpy_text(data, path)
    simpy, python = decode(text, task.source, path)
    if task.target is None:
        if task.proof:
            _prove_decoded(python, simpy, task.source, path)
        return text, python
    converted = transpiler.convert(simpy, source=task.source, target=task.target)
    if task.proof:
        _prove_converted(python, transpiler.decode(converted, dialect=task.target, path=path), path)
    return text, converted


def decode(text: str, dialect: Dialect, path: str) -> tuple[str, str]:
    """Decode a SimPy text; return what of it was read, and the Python.

    An editor may have put a newline at the end, which no grammar of a dialect knows: it is left out where it is in the way.

    Raises:
        SimPySyntaxError, PythonSyntaxError: it is not of this dialect.
    """
    try:
        return text, transpiler.decode(text, dialect=dialect, path=path)
    except (SimPySyntaxError, PythonSyntaxError):
        bare = text.removesuffix("\n")
    try:  # once more, also because a bad end is better explained without the newline
        return bare, transpiler.decode(bare, dialect=dialect, path=path)
    except (SimPySyntaxError, PythonSyntaxError) as error:
        other = _other_dialect(bare, dialect)
        if other is not None:
            error.hint = "this is Python already" if other == COMPACT else f"this is SimPy of the dialect {other}"
        raise


def _other_dialect(text: str, dialect: Dialect) -> str | None:
    """The built-in dialect that a text is of after all, if there is one."""
    for name in (*BUILT_IN, COMPACT):
        if name != dialect.name:
            try:
                transpiler.decode(text, dialect=name)
            except SimPyError:
                continue
            return name
    return None


def _prove_decoded(python: str, simpy: str, dialect: Dialect, path: str) -> None:
    """Show that decoded Python is Python and encodes to a text that means the same."""
    try:
        again = transpiler.encode(python, dialect=dialect, verify=True, path=path)
    except PythonSyntaxError as error:
        raise _in_simpy(error, python, simpy, dialect, path) from None
    if again != simpy and transpiler.decode(again, dialect=dialect, path=path) != python:
        raise RoundTripError("the decoded program does not encode to the same program", path=path, hint=_REPORT)


_REPORT = "this is a bug of the converter: please report it with the file"


def _in_simpy(error: PythonSyntaxError, python: str, simpy: str, dialect: Dialect, path: str) -> SimPySyntaxError:
    """An error of the decoded Python, at the place in the SimPy text that it comes from."""
    message = f"this decodes to invalid Python: {error.message}"
    hint = error.hint or "--fast decodes it all the same"
    if error.line is None:
        return SimPySyntaxError(message, path=path, hint=hint)
    offset = sum(len(line) + 1 for line in python.split("\n")[: error.line - 1]) + error.column - 1
    if not dialect.is_python:
        offset = transpiler.source_map(python, simpy, dialect=dialect).to_simpy(offset)
    line, column, source_line = locate(simpy, offset)
    return SimPySyntaxError(message, path=path, line=line, column=column, source_line=source_line, hint=hint)


def _prove_converted(before: str, after: str, path: str) -> None:
    """Show that a program decodes from its new dialect to what it decoded to from its old one."""
    if before == after:
        return
    from simpy_cli.proof import Reading, difference  # one of the two was compact, which keeps the layout of its text

    found = difference(Reading(before), Reading(after))
    if found is not None:
        raise RoundTripError(f"the converted program is another one: {found}", path=path, hint=_REPORT)


def _diff(job: Job, path: str, before: str, after: str, there: bytes | None) -> str:
    """A unified diff from what the target holds, or from the input where the result has no file of its own, to the result."""
    from difflib import unified_diff

    if job.target is None or job.in_place:
        old_name, old, new_name = path, before, job.target or path
    else:
        old_name = job.target if there is not None else "/dev/null"
        old, new_name = (there or b"").decode("utf-8", "replace"), job.target
    lines = unified_diff(old.splitlines(keepends=True), after.splitlines(keepends=True), old_name, new_name)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

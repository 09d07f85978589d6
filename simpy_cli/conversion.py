"""Converting one file: read, convert, prove, compare, write. Which files, and what is said about them, is decided elsewhere."""

from __future__ import annotations

import transpiler
from simpy_cli import files
from simpy_cli.paths import NOTEBOOK, Job, python_name
from simpy_grammar.dialect import BUILT_IN, PYTHON, Dialect
from simpy_grammar.errors import PythonSyntaxError, RoundTripError, SimPyError, SimPySyntaxError, visible
from transpiler.conversion import WIDTH
from transpiler.source import read_source

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from simpy_cli.formatters import Formatter
    from simpy_cli.result_cache import CachedResult, ResultCache
    from simpy_cli.token_counts import Vocabulary


class Task:
    """What to do with each file; goes to worker processes as it is.

    Attributes:
        source: the dialect of the input.
        target: the dialect of the result.
        proof: whether to prove that the result is the same program; where both are Python, it is always proved.
        write: whether to write the result; otherwise it is compared with what is there.
        diff: whether to make a diff.
        width: columns after which a line of Python is broken inside brackets; ``None`` breaks no line.
        formatter: lays the Python out in our place.
        vocabulary: counts tokens; ``None`` if they are not counted.
        cache: remembers what files became; ``None`` if nothing does.
    """

    __slots__ = ("cache", "diff", "formatter", "proof", "source", "target", "vocabulary", "width", "write")

    def __init__(
        self,
        source: Dialect,
        target: Dialect,
        proof: bool = True,
        write: bool = True,
        diff: bool = False,
        width: int | None = WIDTH,
        formatter: Formatter | None = None,
    ) -> None:
        self.source = source
        self.target = target
        self.proof = proof
        self.write = write
        self.diff = diff
        self.width = width
        self.formatter = formatter
        self.vocabulary: Vocabulary | None = None
        self.cache: ResultCache | None = None


class Outcome:
    """What became of one file.

    Attributes:
        job: the file.
        error: why it was not converted.
        before: characters of the input.
        after: characters of the result.
        changes: whether the target is missing or holds something else.
        diff: the diff, if one was asked for.
        tokens: characters and tokens of the input, then of the result, if they were counted.
        cached: what the cache is to keep: the digest of the file, and what became of it; ``None`` if the cache has it already.
        unchanged: whether it was not converted, since an earlier run did and nothing has changed.
        data: the result, if it is for standard output; ``text`` is the same as text.
    """

    __slots__ = ("after", "before", "cached", "changes", "data", "diff", "error", "job", "text", "tokens", "unchanged")

    def __init__(self, job: Job, error: SimPyError | None = None) -> None:
        self.job = job
        self.error = error
        self.before = self.after = 0
        self.changes = False
        self.diff = ""
        self.tokens: tuple[int, int, int, int] | None = None
        self.cached: tuple[str, CachedResult] | None = None
        self.unchanged = False
        self.forget()

    def forget(self) -> None:
        """Drop the result, once it has been written."""
        self.data = b""
        self.text = ""


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
    outcome = Outcome(job)
    digest = task.cache.file_digest(data, job.source) if task.cache is not None else ""
    if task.cache is not None and _is_up_to_date(outcome, task.cache, digest, data):
        return outcome
    if job.source.endswith(NOTEBOOK):
        from simpy_cli.notebook_conversion import convert_notebook  # for notebooks only

        def forth(text: str, where: str) -> str:
            converted = convert(text.encode("utf-8", "surrogatepass"), task, where)[1]
            return converted if task.formatter is None else task.formatter.format(converted, files.STDIN, where)

        result, programs = convert_notebook(data, path, (task.source, task.target), forth, proof=task.proof)
        before, after = (content.decode("utf-8", "replace") for content in (data, result))
    else:
        before, after = convert(data, task, path)
        if task.formatter is not None:
            after = task.formatter.format(after, job.target or python_name(job.source), path)
        result = files.python_bytes(after, path) if task.target.is_python else after.encode("utf-8")
        programs = [(before, after)]
    outcome.before, outcome.after = (sum(len(texts[side]) for texts in programs) for side in (0, 1))
    if task.vocabulary is not None and job.counted:
        counted = [sum(task.vocabulary.count(texts[side], (task.source, task.target)[side]) for texts in programs) for side in (0, 1)]
        outcome.tokens = outcome.before, counted[0], outcome.after, counted[1]
    if task.cache is not None:
        outcome.cached = digest, (task.cache.content_digest(result), outcome.before, outcome.after)
    there: bytes | None = None
    if job.target == job.source:
        there = data
    elif job.target is not None and not task.write:
        try:
            there = files.read(job.target)[0]
        except FileNotFoundError:
            there = None
    if task.diff:
        outcome.diff = _diff(job, path, before, after, there)
    if not task.write:
        outcome.changes = job.target is not None and ((job.in_place and job.target != job.source) or there != result)
        return outcome
    if job.target is None:
        outcome.data, outcome.text = result, after
        return outcome
    if stamp is not None and job.in_place:
        files.replace(job.source, stamp, job.target, result)
    else:
        files.write(job.target, result, mode=None if stamp is None else stamp.mode)
    return outcome


def _is_up_to_date(outcome: Outcome, cache: ResultCache, digest: str, data: bytes) -> bool:
    """Whether the target holds what the input becomes, as far as an earlier run knows; if so, the outcome says it."""
    job, found = outcome.job, cache.find(digest)
    if found is None or job.target is None or (job.in_place and job.target != job.source):
        return False
    try:
        there = data if job.target == job.source else files.read(job.target)[0]
    except OSError:
        return False
    if cache.content_digest(there) != found[0]:
        return False
    outcome.before, outcome.after = found[1:]
    outcome.unchanged = True
    return True


def convert(data: bytes, task: Task, path: str) -> tuple[str, str]:
    """The text of a file and what it becomes.

    Raises:
        SimPyError: it is not of the language that the task says, or the proof failed.

    >>> convert(b"x = 1", Task(Dialect.load("python"), Dialect.load("classic")), "a.py")
    ('x = 1', 'x=1')
    """
    if task.source.is_python:
        return read_source(data, path=path), _from_python(data, task, path)
    text = files.simpy_text(data, path)
    width = task.width if task.formatter is None else None  # a formatter breaks the lines itself
    simpy, python = decode(text, task.source, path, width, verify=task.proof)
    if task.target.layout == PYTHON:
        if task.proof:
            prove_decoded(python, simpy, task.source, path, width)
        return text, python
    converted = transpiler.convert(simpy, source=task.source, target=task.target)
    if task.proof:
        _prove_converted(python, transpiler.decode(converted, dialect=task.target, path=path, width=width), path)
    return text, converted


def _from_python(data: bytes, task: Task, path: str) -> str:
    """What a Python program becomes; the proof is the library's."""
    try:
        if task.target.is_python:
            width = task.width if task.formatter is None else None
            return transpiler.convert(data, source=task.source, target=task.target, path=path, width=width)
        return transpiler.encode(data, dialect=task.target, verify=task.proof, path=path)
    except PythonSyntaxError as error:
        if not error.hint and task.source.layout != PYTHON:
            error.hint = _language_hint(read_source(data, path=path), task.source)
        elif not error.hint and path.endswith(".simpy"):
            error.hint = "the name ends in .simpy: to rewrite SimPy in another dialect use `simpy convert`"
        raise


def decode(text: str, dialect: Dialect, path: str, width: int | None = WIDTH, *, verify: bool = True) -> tuple[str, str]:
    """Decode a SimPy text; return what of it was read, and the Python.

    An editor may have put a newline at the end, which no grammar of a dialect knows: it is left out where it is in the way.

    Raises:
        SimPySyntaxError, PythonSyntaxError: it is not of this dialect.
    """
    try:
        return text, transpiler.decode(text, dialect=dialect, verify=verify, path=path, width=width)
    except (SimPySyntaxError, PythonSyntaxError):
        bare = text.removesuffix("\n")
    try:  # once more, also because a bad end is better explained without the newline
        return bare, transpiler.decode(bare, dialect=dialect, verify=verify, path=path, width=width)
    except (SimPySyntaxError, PythonSyntaxError) as error:
        error.hint = _language_hint(bare, dialect) or error.hint
        raise


def _language_hint(text: str, dialect: Dialect) -> str:
    """What to say of a text that is not of a dialect, but of another built-in one; empty if it is of none."""
    for name in BUILT_IN if dialect.is_python else (*BUILT_IN, PYTHON):
        # Where closing brackets are implied, a text that breaks off may be a program all the same.
        if name != dialect.name and not Dialect.load(name).is_open:
            try:
                transpiler.decode(text, dialect=name)
            except SimPyError:
                continue
            return "this is Python already" if name == PYTHON else f"this is SimPy of the dialect {name}"
    return ""


def prove_decoded(python: str, simpy: str, dialect: Dialect, path: str, width: int | None) -> None:
    """Show that decoded Python is Python and encodes to a text that means the same."""
    try:
        again = transpiler.encode(python, dialect=dialect, verify=True, path=path)
    except PythonSyntaxError as error:
        raise _in_simpy(error, python, simpy, dialect, path) from None
    if again != simpy and transpiler.decode(again, dialect=dialect, path=path, width=width) != python:
        raise RoundTripError("the decoded program does not encode to the same program", path=path, hint=_REPORT)


_REPORT = "this is a bug of the converter: please report it with the file"


def _in_simpy(error: PythonSyntaxError, python: str, simpy: str, dialect: Dialect, path: str) -> SimPySyntaxError:
    """An error of the decoded Python, at the place in the SimPy text that it comes from."""
    message = f"the decoded program is not valid Python: {error.message}"
    hint = error.hint or "--fast decodes it anyway"
    if error.line is None:
        return SimPySyntaxError(message, path=path, hint=hint)
    offset = sum(len(line) + 1 for line in python.split("\n")[: error.line - 1]) + error.column - 1
    offset = transpiler.source_map(python, simpy, dialect=dialect).to_simpy(offset)
    return SimPySyntaxError.at(simpy, offset, message, path=path, hint=hint)


def _prove_converted(before: str, after: str, path: str) -> None:
    """Show that a program decodes from its new dialect to what it decoded to from its old one."""
    if before == after:
        return
    from simpy_cli.proof import Reading, difference  # the two may differ in layout, as where compact is decoded

    found = difference(Reading(before), Reading(after))
    if found is not None:
        raise RoundTripError(f"the converted program is a different one: {found}", path=path, hint=_REPORT)


def _diff(job: Job, path: str, before: str, after: str, there: bytes | None) -> str:
    """A unified diff from what the target holds, or from the input where the result has no file of its own, to the result."""
    from difflib import unified_diff

    if job.target is None or job.in_place:
        old_name, old, new_name = path, before, job.target or path
    else:
        old_name = job.target if there is not None else "/dev/null"
        old, new_name = (there or b"").decode("utf-8", "replace"), job.target
    names = visible(old_name), visible(new_name)
    lines = unified_diff(old.splitlines(keepends=True), after.splitlines(keepends=True), *names)
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)

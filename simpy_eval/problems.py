"""Problems with tests, as HumanEval and MBPP have them, read from JSON lines and checked before any model is loaded.

How answers are asked for and run is left to ``answers`` and ``sandbox``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from simpy_corpus.data_sets import open_lines
from simpy_grammar.errors import SimPyError, os_reason

_HINT = "name JSON lines with the fields of HumanEval (task_id, prompt, test, entry_point) or MBPP (task_id, text, code, test_list)"
# Texts before which an answer to a problem of MBPP ends, as in the harnesses of MBPP.
_AFTER_PROGRAM = ("\nclass ", "\nassert ", '\n"""', "\n'''", "\nprint(", "\nif ", "\n#")


@dataclass(frozen=True)
class Problem:
    """A problem.

    Attributes:
        name: its ``task_id``.
        prompt: the Python that a model continues.
        tests: what is run after prompt and answer; an exception is a failure.
        solution: the answer that the data set gives; empty if it gives none.
        setup: what is run before the program.
        until: the unit at whose end an answer is cut; ``None`` where ``stop`` cuts it.
        stop: texts at which an answer is cut.
    """

    name: str
    prompt: str
    tests: str
    solution: str = ""
    setup: str = ""
    until: str | None = "function"
    stop: tuple[str, ...] = ()

    @property
    def digest(self) -> str:
        """16 hexadecimal digits, the same for problems with the same prompt, setup and tests."""
        return sha256("\0".join((self.prompt, self.setup, self.tests)).encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def program(self, answer: str) -> str:
        """What is run before the tests, for an answer."""
        return f"{self.setup}\n{self.prompt}{answer}" if self.setup else self.prompt + answer


def read_problems(paths: Iterable[str]) -> list[Problem]:
    """The problems of some files: ``.jsonl``, also compressed as ``.gz`` or ``.zst``.

    Raises:
        SimPyError: a file does not exist, is not JSON lines, or has a line that is not a problem; the error says where.
    """
    found: list[Problem] = []
    known: dict[str, str] = {}
    for path in paths:
        before = len(found)
        for number, text in enumerate(_lines(path), 1):
            if not text.strip():
                continue
            problem = _problem(text, path, number)
            if problem.name in known:
                raise _error(f"the task_id {problem.name!r} stands in {known[problem.name]} too", path, number, text, f'"{problem.name}"')
            known[problem.name] = f"{path}:{number}"
            found.append(problem)
        if len(found) == before:
            raise SimPyError("holds no problems", path=path, hint=_HINT)
    return found


def _lines(path: str) -> list[str]:
    import zlib

    try:
        with open_lines(path) as file:
            data = file.read()
    except (EOFError, zlib.error) as error:
        raise SimPyError(f"cannot be read to its end: {error}", path=path) from None
    except OSError as error:  # gzip's own is one too
        raise SimPyError(os_reason(error), path=path) from None
    try:
        return data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SimPyError("not UTF-8", path=path, line=line, hint=_HINT) from None


def _problem(text: str, path: str, number: int) -> Problem:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError) as error:
        column = getattr(error, "colno", 1)
        raise SimPyError(
            f"not JSON: {getattr(error, 'msg', error)}", path=path, line=number, column=column, source_line=text, hint=_HINT
        ) from None
    if not isinstance(row, dict):
        raise _error("not a JSON object", path, number, text)
    name = row.get("task_id")
    if not isinstance(name, str | int):
        raise _error("has no task_id", path, number, text, '"task_id"')
    row = {**row, "task_id": str(name), "text": row.get("text", row.get("prompt"))}  # the sanitized MBPP calls its text a prompt
    for fields, make in _FORMS.items():
        if fields[-1] in row:
            for field in fields:
                wrong = _wrong(row, field)
                if wrong:
                    raise _error(f"{row['task_id']}: {wrong}", path, number, text, f'"{field}"')
            return _checked(make(row), path, number, text)
    raise _error(f"{row['task_id']}: neither 'entry_point' nor 'test_list' says how it is tested", path, number, text)


def _wrong(row: Mapping[str, Any], field: str) -> str:
    """What is wrong with a field; empty if nothing is."""
    value = row.get(field)
    if value is None:
        return f"has no field {field!r}"
    if field != "test_list":
        return "" if isinstance(value, str) else f"the field {field!r} is not a text"
    texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
    return "" if texts else f"the field {field!r} is not a list of texts"


def _checked(problem: Problem, path: str, number: int, text: str) -> Problem:
    """A problem whose tests and prompt are Python.

    Raises:
        SimPyError: they are not.
    """
    from transpiler.proof import parse_tree
    from transpiler.unfinished import encode_beginning

    try:
        parse_tree(problem.tests)
        parse_tree(problem.setup)
    except SyntaxError as error:
        raise _error(f"{problem.name}: the tests are not Python: {error.msg}", path, number, text, '"test') from None
    wrong = encode_beginning(problem.prompt, "classic").error
    if wrong is not None:
        raise _error(f"{problem.name}: the prompt does not begin a Python program: {wrong.message}", path, number, text, '"prompt"')
    return problem


def _error(message: str, path: str, line: int, text: str, place: str = "") -> SimPyError:
    column = max(text.find(place), 0) + 1 if place else 1
    return SimPyError(message, path=path, line=line, column=column, source_line=text, hint=_HINT)


def _human_eval(row: Mapping[str, Any]) -> Problem:
    """A problem of HumanEval.

    >>> row = {"task_id": "t/0", "prompt": "def f():\\n", "test": "def check(f):\\n    assert f()", "entry_point": "f"}
    >>> print(_human_eval(row).tests)
    def check(f):
        assert f()
    check(f)
    """
    return Problem(row["task_id"], row["prompt"], f"{row['test'].rstrip()}\ncheck({row['entry_point']})", row.get("canonical_solution", ""))


def _mbpp(row: Mapping[str, Any]) -> Problem:
    """A problem of MBPP: the prompt is its text with the first test, as a docstring."""
    tests = [*row["test_list"], *row.get("challenge_test_list", ())]
    lines = (row["text"], *row["test_list"][:1])
    said = "\n".join(lines).replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    setup = "\n".join([*row.get("test_imports", ()), row.get("test_setup_code", "")]).strip()
    solution = row["code"].replace("\r\n", "\n")
    return Problem(row["task_id"], f'"""\n{said}\n"""\n', "\n".join(tests), solution, setup, None, _AFTER_PROGRAM)


# The fields that say what form a row has; the last one tells it.
_FORMS: dict[tuple[str, ...], Callable[[Mapping[str, Any]], Problem]] = {
    ("prompt", "test", "entry_point"): _human_eval,
    ("text", "code", "test_list"): _mbpp,
}

"""Problems with tests: how HumanEval and MBPP are read, and what is said of files that are neither, before any model is loaded."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from simpy_cli.main import main
from simpy_eval.problems import Problem, read_problems
from simpy_eval.sandbox import RunLimits, run_all
from simpy_grammar.errors import SimPyError

ONE = {
    "task_id": "own/0",
    "prompt": "def f():\n",
    "canonical_solution": "    return 1\n",
    "test": "def check(g):\n    assert g() == 1",
    "entry_point": "f",
}
TWO = {
    "task_id": 2,
    "text": 'The "last" one, or \\n.',
    "code": "def last(x):\r\n    return x[-1]",
    "test_list": ["assert last([1, 2]) == 2"],
}
SANITIZED = {
    "task_id": 3,
    "prompt": "Squares.",
    "code": "def sq(x):\n    return math.pow(x, 2)",
    "test_imports": ["import math"],
    "test_list": ["assert sq(2) == 4"],
}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(*rows: dict[str, Any], path: str = "p.jsonl") -> str:
    Path(path).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_both_forms_are_read_and_their_solutions_pass() -> None:
    found = read_problems([write(ONE, TWO, SANITIZED)])
    assert [one.name for one in found] == ["own/0", "2", "3"]
    assert found[0].tests == "def check(g):\n    assert g() == 1\ncheck(f)"
    assert found[1].prompt == '"""\nThe "last" one, or \\\\n.\nassert last([1, 2]) == 2\n"""\n'
    assert [one.until for one in found] == ["function", None, None] and found[2].setup == "import math"
    outcomes = run_all([(one.program(one.solution), one.tests) for one in found], limits=RunLimits(seconds=60), jobs=2)
    assert all(one.passed for one in outcomes), outcomes


def test_compressed_files_and_a_byte_order_mark_are_read() -> None:
    data = b"\xef\xbb\xbf" + Path(write(ONE)).read_bytes() + b"\n\n"
    Path("p.jsonl.gz").write_bytes(gzip.compress(data))
    assert read_problems(["p.jsonl.gz"]) == read_problems(["p.jsonl"])


def test_equal_problems_have_equal_digests() -> None:
    first, second = (Problem("a", "def f():\n", tests) for tests in ("f()", "f() "))
    assert first.digest == Problem("b", "def f():\n", "f()", "    pass").digest != second.digest


LINE = json.dumps(ONE)
WRONG = {
    "no file": (None, "p.jsonl: error: no such file or directory"),
    "empty": ("\n\n", "p.jsonl: error: holds no problems"),
    "not JSON": (f"{LINE}\n{{'a': 1}}\n", "p.jsonl:2:2: error: not JSON: Expecting property name enclosed in double quotes"),
    "not an object": ("[1]\n", "p.jsonl:1:1: error: not a JSON object"),
    "no name": ('{"prompt": "a"}\n', "p.jsonl:1:1: error: has no task_id"),
    "twice": (f"{LINE}\n\n{LINE}\n", "p.jsonl:3:13: error: the task_id 'own/0' stands in p.jsonl:1 too"),
    "no tests": ('{"task_id": 1, "prompt": "a"}\n', "p.jsonl:1:1: error: 1: neither 'entry_point' nor 'test_list' says how it is tested"),
    "no prompt": ('{"task_id": 1, "entry_point": "f", "test": ""}\n', "p.jsonl:1:1: error: 1: has no field 'prompt'"),
    "wrong type": (
        '{"task_id": 1, "entry_point": "f", "test": "", "prompt": 3}\n',
        "p.jsonl:1:48: error: 1: the field 'prompt' is not a text",
    ),
    "wrong list": (
        '{"task_id": 1, "code": "", "text": "", "test_list": [1]}\n',
        "p.jsonl:1:40: error: 1: the field 'test_list' is not a list of texts",
    ),
    "broken tests": (json.dumps({**ONE, "test": "def check(:"}) + "\n", "error: own/0: the tests are not Python: "),
    "broken prompt": (json.dumps({**ONE, "prompt": "def f(:\n"}) + "\n", "error: own/0: the prompt does not begin a Python program: "),
    "not UTF-8": (b'{"task_id": "\xff"}\n', "p.jsonl:1:1: error: not UTF-8"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_with_a_file(name: str) -> None:
    content, message = WRONG[name]
    if content is not None:
        Path("p.jsonl").write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(SimPyError) as caught:
        read_problems(["p.jsonl"])
    assert message in str(caught.value)


def test_a_file_that_is_cut_off() -> None:
    Path("p.jsonl.gz").write_bytes(gzip.compress(LINE.encode() * 50)[:-20])
    with pytest.raises(SimPyError, match="cannot be read to its end"):
        read_problems(["p.jsonl.gz"])


def test_the_command_checks_solutions(capsys: pytest.CaptureFixture[str]) -> None:
    path = write(ONE, TWO, {**SANITIZED, "code": "def sq(x):\n    return 0"})
    assert main(["eval", "check", path, "-j", "2", "--seconds", "60"]) == 1
    assert capsys.readouterr().err == "3: failed: AssertionError\n2 of 3 solutions passed\n"
    assert main(["eval", "check", write(ONE), "-q", "--seconds", "60"]) == 0
    assert main(["eval", "check", "gone.jsonl"]) == 2
    assert capsys.readouterr().err.startswith("gone.jsonl: error: no such file or directory\n")
    assert main(["eval", "check", write({**ONE, "canonical_solution": ""})]) == 2
    assert capsys.readouterr().err.startswith("p.jsonl: error: no problem has a solution to run\n")

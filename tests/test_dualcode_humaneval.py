"""HumanEval: a canonical solution as the model's answer passes its own tests as Python, through the wrapper and the proxy, at every
chunking. The programs and the models that write them are those of ``benchmarks/human_eval.py``, which runs all of them in a process each.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.human_eval import CHUNKINGS, Judge, answer, cases, faults, pieces, problems, program
from dualcode import MixedText
from dualcode.backends.protocol import CHAT
from tests.helpers import ALL

_BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "HumanEval.jsonl.gz"
PATH = Path(os.environ.get("SIMPY_HUMANEVAL", _BESIDE))
LIBRARIES = (("tokenizers", "tiktoken"), ("tokenizers", "tiktoken", "openai", "uvicorn", "starlette", "httpx", "prometheus_client"))
_EVERY = 9  # the ordinary run asks every ninth problem

pytestmark = pytest.mark.skipif(not PATH.is_file(), reason="HumanEval is not there: name its file in SIMPY_HUMANEVAL")


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge()


@pytest.mark.parametrize(("way", "dialect", "style"), list(cases()))
def test_some_solutions_every_way(way: str, dialect: str, style: str, judge: Judge) -> None:
    for library in LIBRARIES[way == "proxy"]:
        pytest.importorskip(library, reason=f"the extra that brings {library} is not installed")
    asked = problems(PATH)[::_EVERY]
    assert len(asked) >= 15
    assert faults(way, dialect, style, asked, judge) == {}


def test_a_wrong_solution_is_told_apart(judge: Judge) -> None:
    problem = problems(PATH)[0]
    assert judge.fault(problem, problem.program) == ""
    assert "AssertionError" in judge.fault(problem, problem.prompt + "    return None\n")
    assert "Error" in judge.fault(problem, problem.prompt + problem.solution.replace("    ", "   ", 1))


@pytest.mark.parametrize("dialect", ALL)
def test_every_solution_passes_its_tests(dialect: str) -> None:
    passed = 0
    mixed = MixedText(dialect)
    for problem in problems(PATH):
        written = answer(problem, dialect, CHAT)
        texts = set()
        for chunking in CHUNKINGS:
            if chunking == "token":
                continue  # needs the extra tokenizers
            stream = mixed.reply_stream()
            texts.add("".join([*map(stream.feed, pieces(written, chunking, dialect)), stream.close()]))
        (text,) = texts
        exec(compile(program(problem, CHAT, text) + "\n" + problem.test, problem.name, "exec"), {})
        passed += 1
    assert passed == 164

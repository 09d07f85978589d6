"""HumanEval: each canonical solution as a model's answer passes its own tests after the way back to Python, at several chunkings."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest

import transpiler
from dualcode import MixedText
from tests.helpers import ALL

_BESIDE = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "HumanEval.jsonl.gz"
PATH = Path(os.environ.get("SIMPY_HUMANEVAL", _BESIDE))
CHUNKINGS = (1, 7, 64, 100_000)

pytestmark = pytest.mark.skipif(not PATH.is_file(), reason="HumanEval is not there: name its file in SIMPY_HUMANEVAL")


def problems() -> list[dict[str, str]]:
    with gzip.open(PATH, "rt", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


@pytest.mark.parametrize("dialect", ALL)
def test_every_solution_passes_its_tests(dialect: str) -> None:
    passed = 0
    mixed = MixedText(dialect)
    for problem in problems():
        simpy = transpiler.encode(problem["prompt"] + problem["canonical_solution"], dialect=dialect)
        answer = f"Here it is:\n\n```python\n{simpy.rstrip()}\n```\nDone."
        texts = set()
        for length in CHUNKINGS:
            stream = mixed.person_stream()
            pieces = [stream.feed(answer[at : at + length]) for at in range(0, len(answer), length)]
            texts.add("".join([*pieces, stream.close()]))
        (text,) = texts
        program = text.partition("```python\n")[2].rpartition("```\nDone.")[0]
        names: dict[str, object] = {}
        exec(compile(f"{program}\n{problem['test']}\ncheck({problem['entry_point']})\n", problem["task_id"], "exec"), names)
        passed += 1
    assert passed == 164

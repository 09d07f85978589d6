"""The functions that the task files beside this module name: they give data sets, and judge the replies of a model.

The harness passes the options of ``--metadata`` to a data set, and passes its rows back with each reply.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datasets import Dataset


def problems(*, problems: str, dialect: str = "compact", **others: Any) -> dict[str, Dataset]:
    """The problems of a file as HumanEval or MBPP have them; prompts are in the dialect."""
    from dualcode.conversion.prompts import Prompt
    from simpy_eval.problems import read_problems

    rows = [
        {
            "name": one.name,
            "sent": Prompt(one.prompt, dialect).sent,
            "prompt": one.prompt,
            "setup": one.setup,
            "tests": one.tests,
            "until": one.until,
            "stop": list(one.stop),
            "dialect": dialect,
        }
        for one in read_problems([problems])
    ]
    return _test_split(rows)


def passes(row: Mapping[str, Any], replies: Iterable[str]) -> dict[str, float]:
    """Whether the reply to a problem passes its tests, in a process of its own, and whether it is a program."""
    from simpy_eval.answers import judge
    from simpy_eval.problems import Problem
    from simpy_eval.sandbox import run_tests

    (reply,) = replies
    problem = Problem(row["name"], row["prompt"], row["tests"], setup=row["setup"])
    answer = python_of(reply, row)
    outcome = run_tests(problem.program(answer), problem.tests)
    return {"pass@1": float(outcome.passed), "compiled": float(judge(problem.prompt + answer)[1])}


def python_of(reply: str, row: Mapping[str, Any]) -> str:
    """The Python that a reply adds to the prompt of a problem, up to the end of what was wanted.

    >>> row = {"prompt": "def f(a):\\n", "dialect": "classic", "until": "function", "stop": []}
    >>> python_of("<return>a<block_end>x=1", row)
    '    return a\\n'
    """
    from dualcode.conversion.completion import CompletionStream
    from dualcode.conversion.prompts import Prompt
    from dualcode.conversion.streams import Stopping, TextStream
    from dualcode.conversion.units import check_unit
    from dualcode.conversion.until import CompletionEnd, Until

    prompt, unit = Prompt(row["prompt"], row["dialect"]), check_unit(row["until"])
    answer: TextStream = CompletionStream(prompt)
    if unit is not None:
        answer = Until(answer, CompletionEnd(unit, prompt))
    if row["stop"]:
        answer = Stopping(answer, row["stop"])
    return answer.feed(reply) + answer.close()


def programs(*, programs: str, dialect: str = "compact", column: str | None = None, **others: Any) -> dict[str, Dataset]:
    """The programs of a data set, as ``simpy eval run --programs`` takes it, in the dialect."""
    from simpy_corpus.inputs.finding import find_inputs
    from simpy_eval.programs import read_programs
    from simpy_grammar.dialect import Dialect

    found, _ = read_programs(find_inputs([programs], files=lambda path: [(path, path)], column=column), Dialect.load(dialect))
    return _test_split([{"name": one.name, "text": one.text, "bytes": len(one.python.encode())} for one in found])


def likelihood(row: Mapping[str, Any], replies: Iterable[float]) -> dict[str, Any]:
    """Nats of a program, and its bits for each byte of the Python.

    >>> likelihood({"bytes": 4}, [-2.5])
    {'nats_per_program': 2.5, 'bits_per_byte': (-2.5, 4)}
    """
    (log_likelihood,) = replies
    return {"nats_per_program": -log_likelihood, "bits_per_byte": (log_likelihood, row["bytes"])}


def _test_split(rows: list[dict[str, Any]]) -> dict[str, Dataset]:
    from datasets import Dataset

    return {"test": Dataset.from_list(rows)}

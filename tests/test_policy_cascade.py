"""The policy ``cascade``: which answers of the small model are kept, and the threshold that is chosen for it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest

from dualcode import DualCode
from dualcode.backends.protocol import Request
from dualcode.policies.cascade import Cascade, fault, is_beginning
from dualcode.policies.cascade_fitting import ALWAYS_LARGE, Case, applied, case_of, fit, fit_file
from dualcode.policies.intervals import wilson
from dualcode.policies.protocol import Answer, Ask, Policy, Question
from dualcode.policies.registry import open_policy
from simpy_cli.main import main
from simpy_grammar.errors import BackendError, SimPyError


class Saying:
    """A model that says a text, and how sure it was of it."""

    def __init__(
        self, text: str, logprob: float | None = None, stopped: str = "end", tasks: tuple[str, ...] = ("complete", "chat")
    ) -> None:
        self.tasks = frozenset(tasks)
        self.answer = text, logprob, stopped
        self.asked: list[bool] = []

    def run(self, request: Request) -> Generator[str, None, None]:
        self.asked.append(request.logprobs)
        text, logprob, request.spent.stopped = self.answer
        request.spent.logprob = logprob if request.logprobs else None
        yield from text

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        for piece in self.run(request):
            yield piece

    def count(self, text: str) -> int:
        return len(text)


class Failing(Saying):
    """A model that fails after a piece."""

    def run(self, request: Request) -> Generator[str, None, None]:
        self.asked.append(request.logprobs)
        yield "half"
        raise BackendError("out of memory")


@pytest.mark.parametrize(
    "small, kept",
    [
        (Saying("f(1)\n", -0.2), True),
        (Saying("f(1)\n", -0.8), True),
        (Saying("f(1)\n", -0.81), False),
        (Saying("f(1)\n", None), False),
        (Saying("f(1]\n", -0.2), False),
        (Saying("f(1", -0.2, "length"), False),
        (Saying("f(1", -0.2, "until"), True),
        (Saying("f(1) +", -0.2, "end"), False),
        (Failing(""), False),
        (Saying("f(1)\n", -0.2, tasks=("chat",)), False),
    ],
)
def test_which_answers_are_kept(small: Saying, kept: bool) -> None:
    large = Saying("5\n")
    model = DualCode(large, policies=[Cascade(small, -0.8)])
    expected = small.answer[0] if kept else "5\n"
    result = model.complete("x = ")
    assert (result.text, "".join(model.complete("x = ", stream=True))) == (expected, expected)
    assert asyncio.run(model.acomplete("x = ")).text == expected
    assert len(large.asked) == (0 if kept else 3)
    assert result.policies[0] == "cascade: the small model first" and len(result.policies) == (1 if kept else 2)
    assert all(small.asked) and not any(large.asked)  # the large one does not have to say how sure it is


def test_without_a_threshold_no_probabilities_are_asked_for() -> None:
    small = Saying("1\n")
    assert DualCode(Saying("5\n"), policies=[Cascade(small)]).complete("x = ").text == "1\n"
    assert small.asked == [False]


def test_an_error_of_the_large_model_reaches_the_person() -> None:
    model = DualCode(Failing(""), policies=[Cascade(Failing(""))])
    with pytest.raises(BackendError, match="out of memory"):
        model.complete("x = ")
    with pytest.raises(BackendError, match="out of memory"):
        asyncio.run(model.acomplete("x = "))
    with pytest.raises(BackendError, match="cannot infill"):
        model.infill("x = ", "\n")


def test_a_policy_that_does_not_hold_cannot_hide_an_error() -> None:
    class Eager(Policy):
        name = "eager"

        def failed(self, question: Question, error: SimPyError) -> Ask:
            return Ask(question, "again")

    failing = Failing("")
    with pytest.raises(BackendError):
        DualCode(failing, policies=[Eager()]).complete("x = ")
    assert len(failing.asked) == 1


def test_what_others_decided_stays() -> None:
    cascade = Cascade("models/small", -0.5)
    named = Question("complete", "x = ", model="another")
    assert cascade.before(named) is None and cascade.failed(named, BackendError("no")) is None
    assert cascade.after(named, Answer("", "f(]", model="another")) is None
    assert cascade.after(Question("complete", "x = "), Answer("", stopped="refused", model="small")) is None


def test_drafts_are_for_the_large_model() -> None:
    options = {"max_tokens": 8, "assistant_early_exit": 4, "prompt_lookup_num_tokens": 3}
    question = Question("complete", "x = ", options=options)
    cascade = Cascade("models/small")
    asked = cascade.before(question)
    assert asked is not None and asked.question.options == {"max_tokens": 8}
    again = cascade.after(question, Answer("", "f(1]\n", "end", model="small"))
    assert again is not None and again.question.options == options


def test_the_error_of_the_large_model_wins_over_an_answer_that_would_not_do() -> None:
    small = Saying("f(1]\n")
    with pytest.raises(BackendError, match="out of memory"):
        DualCode(Failing(""), policies=[Cascade(small)]).complete("x = ")
    assert len(small.asked) == 1


def test_what_is_a_fault() -> None:
    assert not fault(Question("complete", "x = = 1\n"), Answer("", "(]", "end"))  # the prompt is no Python to begin with
    assert fault(Question("infill", "x = [", "]\n"), Answer("", "1]", "end"))
    assert not fault(Question("infill", "x = [", "]\n"), Answer("", "1", "end"))
    assert fault(Question("complete", "x = "), Answer("", "1", "end", notes=1))
    chat = Question("chat")
    assert not fault(chat, Answer("", "No code.\n\n```sh\nls |\n```\n", "end"))
    assert fault(chat, Answer("", "```python\nx = 1\n```\n\n```python\ndef f(:\n```\n", "end"))
    assert not is_beginning("x = 1\n    y = 2\n")


def test_chats_go_to_the_large_model_where_a_block_does_not_read() -> None:
    messages = [{"role": "user", "content": "?"}]
    right = "```python\nx = 1\n```\n"
    for said, expected in (("```python\nx = = 1\n```\n", right), ("```python\ny = 1\n```\n", "```python\ny = 1\n```\n")):
        assert DualCode(Saying(right), policies=[Cascade(Saying(said))]).chat(messages).text == expected


def test_opened_by_name(tmp_path: Path) -> None:
    file = tmp_path / "cascade.json"
    file.write_text(json.dumps({"threshold": -0.4}), encoding="utf-8")
    for text, threshold in (("", None), (",threshold=-0.8", -0.8), (f",fitted={file}", -0.4)):
        opened = open_policy(f"cascade:small=models/small{text}")
        assert isinstance(opened, Cascade)
        assert (opened.threshold, opened.logprobs, opened.models) == (threshold, threshold is not None, {"small": "models/small"})
    for text, message in (
        ("", "needs a small model"),
        (":small=a,threshold=0.5", "number"),
        (f":small=a,threshold=-1,fitted={file}", "two thresholds"),
        (f":small=a,fitted={tmp_path / 'none'}", "cannot be read"),
    ):
        with pytest.raises(SimPyError, match=message):
            open_policy(f"cascade{text}")
    file.write_text("[]", encoding="utf-8")
    with pytest.raises(SimPyError, match="not a fitted threshold"):
        open_policy(f"cascade:small=a,fitted={file}")


def test_the_threshold_asks_the_large_model_as_rarely_as_it_may() -> None:
    sure, unsure = Case(-0.1, True, True), Case(-0.9, False, True)
    found = fit([sure] * 60 + [unsure] * 40)
    assert (found.threshold, found.asked_large, found.right, found.right_large) == (-0.1, 40, 100, 100)
    assert fit([Case(-0.9, True, True)] * 30).threshold == -0.9  # the small one is as good: nothing goes to the large one
    assert fit([Case(-0.1, False, True)] * 30).threshold == ALWAYS_LARGE
    no_use = [Case(float("-inf"), True, True)] * 30  # answers with a fault, and answers without probabilities
    assert fit(no_use).asked_large == 30
    with pytest.raises(SimPyError, match="too few"):
        fit([sure] * 5)


def test_every_lower_threshold_falls_out_of_the_interval() -> None:
    cases = [Case(-number / 50, number % 3 != 0 if number < 25 else number % 5 == 0, number % 4 != 0) for number in range(50)]
    found = fit(cases)
    interval = wilson(sum(case.large for case in cases), 50)
    assert found.interval == interval and found.right / 50 >= interval[0]
    for lower in {case.logprob for case in cases if case.logprob < found.threshold}:
        assert applied(cases, lower, interval).right / 50 < interval[0]


def test_a_file_of_questions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def row(small: str, large: str, **more: Any) -> str:
        return json.dumps(
            {"prefix": "x = ", "small": {"text": small, "logprob": -0.5, "stopped": "until"}, "large": {"text": large}, **more}
        )

    rows = [row("1", "1 # the same")] * 15 + [row("f(]", "1")] * 5 + [json.dumps({"prefix": "x = ", "large": {"text": "1"}}), ""]
    file = tmp_path / "questions.jsonl"
    file.write_text("\n".join(rows), encoding="utf-8")
    found = fit_file(file)
    assert (found.questions, found.asked_large, found.right, found.right_small, found.left_out) == (20, 5, 20, 15, 1)
    again = tmp_path / "cascade.json"
    again.write_text(found.to_json(), encoding="utf-8")
    opened = open_policy(f"cascade:small=a,fitted={again}")
    assert isinstance(opened, Cascade) and opened.threshold == found.threshold
    assert main(["policy", "fit", str(file), "-o", str(tmp_path / "fitted.json")]) == 0
    assert (tmp_path / "fitted.json").read_text(encoding="utf-8") == found.to_json()
    assert "right: small 15, large 20 [83.9, 100.0 %], together 20" in capsys.readouterr().out
    assert main(["policy", "fit", str(file)]) == 2
    file.write_text("{}\n{", encoding="utf-8")
    with pytest.raises(SimPyError, match="not JSON"):
        fit_file(file)


def test_what_was_wanted() -> None:
    row = {"prefix": "def f(a):\n    return ", "small": {"text": "a", "logprob": -1, "stopped": "end"}, "large": {"text": "a + 1"}}
    assert case_of(row) == Case(-1, False, True)
    assert case_of({**row, "kept": True}) == Case(-1, True, False)
    assert case_of({**row, "kept": False}) == Case(-1, False, True)
    assert case_of({**row, "truth": "a"}) == Case(-1, True, False)
    assert case_of({**row, "truth": "b"}) == Case(-1, False, False)

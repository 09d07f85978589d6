"""The seam of the policies in the wrapper: who sees a question and an answer, in which order, and what the person gets."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Generator
from dataclasses import replace

import pytest

from dualcode import DualCode
from dualcode.backends.protocol import Request
from dualcode.policies.options import Options
from dualcode.policies.protocol import Answer, Ask, Give, Policy, Question, Refuse
from dualcode.policies.registry import POLICIES, open_policy, register
from simpy_grammar.errors import SimPyError, SimPySyntaxError


class Saying:
    """A model that always says the same, letter by letter."""

    tasks = frozenset(("complete", "infill", "chat"))

    def __init__(self, text: str) -> None:
        self.text = text
        self.requests: list[Request] = []

    def run(self, request: Request) -> Generator[str, None, None]:
        self.requests.append(request)
        yield from self.text

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        for piece in self.run(request):
            yield piece

    def count(self, text: str) -> int:
        return len(text)


class Noting(Policy):
    name = "noting"

    def __init__(self, label: str, seen: list[str]) -> None:
        self.label = label
        self.seen = seen

    def before(self, question: Question) -> None:
        self.seen.append(f"{self.label} before {question.prefix}")

    def after(self, question: Question, answer: Answer) -> None:
        self.seen.append(f"{self.label} after {answer.python} of {answer.model or 'the model'} by {answer.by or 'nobody else'}")


class SmallFirst(Policy):
    name = "small-first"
    holds = True

    def __init__(self, small: Saying, wanted: str) -> None:
        self.models = {"small": small}
        self.wanted = wanted

    def before(self, question: Question) -> Ask:
        return Ask(replace(question, model="small"), "the small model first")

    def after(self, question: Question, answer: Answer) -> Ask | None:
        return None if answer.text == self.wanted else Ask(question, "not what is wanted")


class Answering(Policy):
    name = "answering"

    def before(self, question: Question) -> Give | Refuse | None:
        if question.prefix == "a = ":
            return Give(Answer("1\n"), "it is known")
        return Refuse("no b") if question.prefix == "b = " else None


def test_the_first_policy_stands_outermost() -> None:
    seen: list[str] = []
    model = DualCode(Saying("5\n"), policies=[Noting("outer", seen), Noting("inner", seen)])
    assert model.complete("c = ").text == "5\n"
    assert seen == [
        "outer before c = ",
        "inner before c = ",
        "inner after 5\n of the model by nobody else",
        "outer after 5\n of the model by nobody else",
    ]


def test_a_given_answer_is_converted_and_costs_nothing() -> None:
    seen: list[str] = []
    behind = Saying("5\n")
    model = DualCode(behind, policies=[Noting("outer", seen), Answering(), Noting("inner", seen)])
    result = model.complete("a = ")
    assert (result.text, result.policies) == ("1\n", ("answering: it is known",))
    assert (result.usage.tokens_in, result.usage.tokens_out, result.usage.avoided) == (0, 0, 6)
    assert seen == ["outer before a = ", "outer after 1\n of the model by answering"]
    assert not behind.requests


def test_a_refusal_is_an_empty_answer_with_a_reason() -> None:
    model = DualCode(Saying("5\n"), dialect="classic", policies=[Answering()])
    result = model.complete("b = ")
    assert (result.text, result.policies, result.usage.stopped) == ("", ("answering: no b",), "refused")


@pytest.mark.parametrize("wanted, text", [("1\n", "1\n"), ("2\n", "5\n")])
def test_a_policy_that_holds_may_ask_another_model(wanted: str, text: str) -> None:
    small, large = Saying("1\n"), Saying("5\n")
    model = DualCode(large, policies=[SmallFirst(small, wanted)])
    assert model.complete("c = ").text == text
    assert "".join(model.complete("c = ", stream=True)) == text
    assert len(small.requests) == 2 and len(large.requests) == 2 * (text == "5\n")
    assert len(model.usage.calls) == 2 + len(large.requests)


def test_an_answer_that_is_held_comes_whole_and_another_streams() -> None:
    model = DualCode(Saying("55\n"), policies=[SmallFirst(Saying("11\n"), "11\n")])
    assert list(model.complete("c = ", stream=True)) == ["11\n"]
    model = DualCode(Saying("55\n"), policies=[SmallFirst(Saying("11\n"), "")])
    assert list(model.complete("c = ", stream=True)) == ["5", "5", "\n"]


def test_what_is_wrong_with_a_discarded_answer_is_no_error() -> None:
    small, large = Saying("<block_end><block_end>"), Saying("5<block_end>")
    model = DualCode(large, dialect="classic", on_error="raise", policies=[SmallFirst(small, "")])
    assert "5" in model.complete("def f():\n    return ").text
    model = DualCode(large, dialect="classic", on_error="raise", policies=[SmallFirst(small, small.text)])
    with pytest.raises(SimPySyntaxError):
        model.complete("def f():\n    return ")


def test_asyncio_asks_the_same() -> None:
    async def ask() -> tuple[str, tuple[str, ...], list[str]]:
        model = DualCode(Saying("5\n"), policies=[Answering(), SmallFirst(Saying("1\n"), "")])
        result = await model.acomplete("a = ")
        stream = await model.acomplete("c = ", stream=True)
        return result.text, result.policies, [piece async for piece in stream]

    assert asyncio.run(ask()) == ("1\n", ("answering: it is known",), ["5", "\n"])


def test_chats_and_gaps_are_asked_too() -> None:
    seen: list[str] = []
    model = DualCode(Saying("5\n"), policies=[Noting("one", seen)])
    model.chat([{"role": "user", "content": "hello"}])
    model.infill("d = ", "\n")
    assert len(seen) == 4


def test_numbers_of_options_are_finite_unless_their_bound_is_not() -> None:
    for text in ("inf", "1e999", "nan", "-inf"):
        with pytest.raises(SimPyError, match="size"):
            Options("cache", f"size={text}").number("size", 1.0)
    assert Options("cascade", "threshold=-inf").number("threshold", 0.0, float("-inf"), 0.0) == float("-inf")
    with pytest.raises(SimPyError, match="size"):
        open_policy("ledger:size=inf")


def test_policies_are_opened_by_name() -> None:
    with pytest.raises(SimPyError, match="no policy 'thrift'"):
        open_policy("thrift")
    with pytest.raises(SimPyError, match="does not understand 'x'"):
        DualCode(Saying(""), policies=["stop:x"])
    name = next(iter(POLICIES))
    with pytest.raises(ValueError, match="already"):
        register(name, "somewhere.else")


class Broken(Policy):
    name = "broken"
    holds = True

    def before(self, question: Question) -> None:
        raise KeyError(question.prefix)

    def after(self, question: Question, answer: Answer) -> None:
        raise RuntimeError("again")


def test_a_broken_policy_costs_no_answer(caplog: pytest.LogCaptureFixture) -> None:
    model = DualCode(Saying("5\n"), policies=[Broken(), Answering()])
    assert model.complete("secret = ").text == "5\n" and model.complete("a = ").text == "1\n"
    assert "the policy broken failed" in caplog.text and "KeyError at test_policies.py" in caplog.text
    assert "secret" not in caplog.text


class Closing(Policy):
    name = "closing"

    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


def test_policies_are_closed() -> None:
    policy = Closing()
    with DualCode(Saying("5\n"), policies=[policy]) as model:
        assert model.complete("c = ").text == "5\n" and not policy.closed
    assert [policy.closed] == [1]
    with pytest.raises(SimPyError, match="no policy"):
        DualCode(Saying(""), policies=[policy, "thrift"])
    assert [policy.closed] == [2]


def test_two_policies_may_not_call_their_models_alike() -> None:
    with pytest.raises(SimPyError, match="'small'"):
        DualCode(Saying(""), policies=[SmallFirst(Saying("1"), ""), SmallFirst(Saying("2"), "")])
    with pytest.raises(SimPyError, match="a list of names"):
        DualCode(Saying(""), policies="stop")


class Slow(Policy):
    name = "slow"

    def __init__(self) -> None:
        self.may_go_on = threading.Event()

    def before(self, question: Question) -> None:
        assert self.may_go_on.wait(10)

    def after(self, question: Question, answer: Answer) -> None:
        assert self.may_go_on.wait(10)


def test_a_policy_that_waits_does_not_stop_the_loop() -> None:
    async def ask() -> str:
        policy = Slow()
        asked = asyncio.create_task(DualCode(Saying("5\n"), policies=[policy]).acomplete("c = "))
        await asyncio.sleep(0.05)
        policy.may_go_on.set()  # a loop that is stopped would not come here
        return (await asked).text

    assert asyncio.run(ask()) == "5\n"

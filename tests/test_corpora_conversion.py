"""Many programs at once: each gets a text or a reason, and nothing makes the batch raise."""

from __future__ import annotations

import time
from typing import Any

import pytest

import transpiler
from simpy_corpus import Limits, convert_batch, summarize
from simpy_corpus.converting import RefusedError
from simpy_corpus.reasons import REASONS
from simpy_corpus.time_limit import TooSlowError, within
from tests.golden import cases, errors

pytestmark = pytest.mark.quick

REFUSED: dict[str, tuple[Any, str, str]] = {
    "nothing": (None, "no-text", "the row holds no text"),
    "a number": (5, "no-text", "the row holds no text"),
    "not Python": ("x = = 1", "syntax", "invalid syntax"),
    "Python 2": ("print 'a'", "syntax", "Missing parentheses in call to 'print'. Did you mean print(...)?"),
    "bad bytes": (b"\xff", "syntax", "byte 0xff is not utf-8"),
    "a NUL": ("x\0", "syntax", "source holds a NUL character"),
    "a lone surrogate": ("x = '\ud800'", "syntax", "a lone surrogate is not a character"),
    "too long": ("x = 1\n" * 100, "too-long", "longer than 500 characters"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_each_refusal_has_its_reason(case: str) -> None:
    program, error, message = REFUSED[case]
    before, found, after = convert_batch(["x = 1", program, "y = 2"], limits=Limits(characters=500))
    assert (before.program, after.program) == ("x=1", "y=2")
    assert (found.program, found.error) == (None, error)
    assert message in (found.message or "")
    assert error in REASONS


def test_a_batch_is_what_encode_gives() -> None:
    programs = [case.python for case in cases() if case.is_readable]
    for one, program in zip(convert_batch(programs, dialect="dense"), programs, strict=True):
        assert one.program == transpiler.encode(program, dialect="dense")
        assert one.characters == len(program) and one.error is None


def test_nothing_raises_whatever_is_given() -> None:
    texts = [text for case in errors() for text in case.sections.values()]
    found = convert_batch(
        [*texts, *(text.encode("utf-8", "surrogatepass")[::-1] for text in texts), "f(" * 3000, "\\", "'''"], verify=False
    )
    assert len(found) == 2 * len(texts) + 3
    assert all((one.program is None) == (one.error is not None) == (one.message is not None) for one in found)
    assert {one.error for one in found} - {None} <= set(REASONS)


def test_a_bug_of_the_converter_costs_one_program() -> None:
    def check(program: str | bytes, stream: object) -> None:
        if program == "bug":
            raise KeyError("a bug")
        if program == "bad":
            raise RefusedError("data", "refused by a check")

    found = convert_batch(["x", "bug", "bad", "y"], checks=[check])
    assert [one.error for one in found] == [None, "internal", "data", None]
    assert found[1].message == "KeyError: 'a bug'"


def test_back_from_a_dialect() -> None:
    found = convert_batch(["<return>a", "<return"], source="classic", dialect="python")
    assert [one.program for one in found] == ["return a\n", None]
    assert found[1].error == "syntax"


def test_a_program_that_takes_too_long_is_refused() -> None:
    def check(program: str | bytes, stream: object) -> None:
        while program == "slow":
            pass

    found = convert_batch(["a", "slow", "b"], limits=Limits(seconds=0.05), checks=[check])
    assert [one.error for one in found] == [None, "too-slow", None]


def test_an_alarm_does_not_ring_afterwards() -> None:
    with pytest.raises(TooSlowError):
        within(0.01, lambda: time.sleep(5))
    assert within(0.01, lambda: 1) == 1
    time.sleep(0.03)  # an alarm that was not taken back would end the test here


def test_the_report_names_every_refusal_and_its_share() -> None:
    report = summarize(convert_batch(["x = 1", None, "x = = 1", "y = = 2"]))
    found = report.described()
    assert (found["rows"], found["converted"]) == (4, 1)
    assert {reason: (one["rows"], one["share"]) for reason, one in found["refused"].items()} == {"syntax": (2, 0.5), "no-text": (1, 0.25)}
    assert found["refused"]["syntax"]["messages"] == {"invalid syntax": 2}
    assert "refused: 2 syntax (50.0 %)" in str(report)

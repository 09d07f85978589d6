"""Answers under masks join on to Python: completions go on where their prompt stops, and gaps are filled so that the suffix follows."""

from __future__ import annotations

import ast
import os
import random
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from benchmarks.held_answers import before, completed, draw, filled, holes, prompts
from benchmarks.human_eval import problems
from dualcode.backends.fill_masks import FillMasks
from dualcode.conversion.fill_in_the_middle import Gap, InfillStream
from dualcode.conversion.joining import joins
from dualcode.conversion.prompts import Prompt
from dualcode.conversion.units import Unit
from dualcode.conversion.until import CompletionEnd, IsWhole, Until
from tests.small_tokenizers import tiktoken_small
from tokenizer_ext import extend
from tokenizer_ext.constrain import Constraint, State, Suffix
from tokenizer_ext.errors import TokenizerError

ROOT = Path(__file__).resolve().parent.parent
HUMAN_EVAL = Path(os.environ.get("SIMPY_HUMANEVAL", ROOT.parent / "shared" / "data" / "HumanEval.jsonl.gz"))


@cache
def constraint(dialect: str, *, valid: bool = False) -> Constraint:
    vocabulary = tiktoken_small() if dialect in ("python", "compact") else extend(tiktoken_small(), dialect=dialect)
    return Constraint(vocabulary, dialect=dialect, valid_python=valid, version=(3, 10) if valid else None)


@cache
def programs() -> tuple[str, ...]:
    """Solutions of HumanEval where they are at hand, and functions of the toolchain."""
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "transpiler").glob("*.py"))]
    nodes = [(text, node) for text in sources for node in ast.parse(text).body if isinstance(node, ast.FunctionDef)]
    found = [f"{ast.get_source_segment(text, node)}\n" for text, node in nodes]
    solutions = [problem.program for problem in problems(HUMAN_EVAL)] if HUMAN_EVAL.is_file() else []
    return *solutions, *(text for text in found if len(text) < 1_500)


def start(prompt: str, dialect: str = "classic") -> State:
    found = Prompt(prompt, dialect)
    return constraint(dialect).start(found.sent).leading(joins(found))


def may_come(state: State, text: str) -> bool:
    """Whether the ids of a text may come, one byte each, by masks alone."""
    for number in text.encode():
        if number not in state.mask():
            return False
        state = state.advance(number)
    return True


@pytest.mark.parametrize(
    ("prompt", "joined", "strayed"),
    [
        ('"""Doc."""\n', [], [".x", "+1", " a", "'a'"]),
        ("x = name", ["s", ".x", "(1)"], []),
        ("x = name ", [".x", "+1", " a"], ["s"]),
        ("f(a, ", [" b", ")", " *b"], ["b", ".x", "+1", "=1"]),
        ("x = 1 + ", ["a", "(b)"], []),
        ('x = ""', ['"a"""', ".x"], []),
        ('x = "" ', [".x"], ['"a"""']),
        ("x = [\n    a\n", ["]", "+1]", " b]"], ["b]"]),
        ("x = (1 if a else b)\n", [], [".x", " c"]),
    ],
)
def test_what_may_follow_a_prompt(prompt: str, joined: list[str], strayed: list[str]) -> None:
    state = start(prompt)
    assert [text for text in joined if not may_come(state, text)] == []
    assert [text for text in strayed if may_come(state, text)] == []


def test_a_prompt_that_leaves_out_its_end_may_have_to_be_ended() -> None:
    state = start("x = 1 + 2 \\\n")
    assert not state.may_end() and not may_come(state, "\n"), "nothing would follow the backslash"
    assert start("x = f(a)\n").may_end()
    with pytest.raises(TokenizerError, match="no text goes on"):
        start("x = 1\nelse")


@pytest.mark.parametrize("budget", [1, 2, 3, 6])
@pytest.mark.parametrize("dialect", ["classic", "dense"])
def test_the_end_stays_inside_the_budget(dialect: str, budget: int) -> None:
    places = random.Random(budget)
    for prompt in ("if a:\n", "f(a, ", "x = name ", "def f(a):\n    if a and b ", "a = 1 if b "):
        state = start(prompt, dialect)
        left = state.least() + budget
        for _ in range(left):
            ids = list(state.mask(left))
            assert ids, "nothing may come"
            state, left = state.advance(places.choice(ids)), left - 1
            if state.ended:
                break
            assert state.least() <= left
        assert state.ended or state.may_end()


@pytest.mark.parametrize("dialect", ["classic", "dense", "python", "compact"])
def test_no_answer_strays(dialect: str) -> None:
    """Ids are drawn uniformly, so an answer that may stray does so soon."""
    places = random.Random(7)
    found = Counter(
        completed(constraint(dialect), Prompt(prompt, dialect), places.choice((4, 12)), places)
        for prompt in prompts(programs(), 24, places)
    )
    assert found["held"] >= 20 and not found["strayed"] and not found["stuck"], found


def test_without_a_lead_answers_stray() -> None:
    places = random.Random(7)
    found = Counter(
        completed(constraint("dense"), Prompt(prompt, "dense"), places.choice((4, 12)), places, leading=False)
        for prompt in prompts(programs(), 40, places)
    )
    assert found["strayed"] >= 2, found


@pytest.mark.parametrize("dialect", ["classic", "dense", "python"])
def test_what_fills_a_gap_joins_both_sides(dialect: str) -> None:
    places = random.Random(3)
    found: Counter[str] = Counter()
    for _, prefix, suffix in holes(programs(), 8, places):
        outcome, _ = filled(constraint(dialect, valid=True), Gap(prefix, suffix, dialect), places.choice((10, 25)), places)
        found[outcome] += 1
    assert found["held"] >= 5 and not found["wrong"] and not found["stuck"], found


GAPS = [
    ("def f(a):\n    x = ", "\n    return x\n"),
    ("def f(a):\n    if a:\n        ", "\n    return a\n"),
    ("def f(a):\n    if a:\n        b()\n", "    return a\n"),
    ("x = f(a, ", " c)\n"),
    ("x = [", ",\n]\n"),
    ("x = g(", ".lower()))\n"),
    ("def f(a):\n    return ", " b\n"),
    ("if a:\n    b\n", "else:\n    c\n"),
]


@pytest.mark.parametrize("dialect", ["classic", "dense", "python"])
def test_small_gaps(dialect: str) -> None:
    places = random.Random(5)
    for prefix, suffix in GAPS:
        gap = Gap(prefix, suffix, dialect)
        state = constraint(dialect, valid=True).start(gap.prompt.sent)
        state = state.leading(joins(gap.prompt)) if gap.prompt.converted else state
        begin = before(state, gap, 8)
        if begin is None:
            assert prefix == "x = g(", "nothing is found for a gap"  # `x = g(a.lower()))` has a bracket too many
            continue
        answer = draw(begin.engine.vocabulary, FillMasks(begin), 8, places)
        assert answer is not None
        filling = InfillStream(gap)
        python = filling.feed(answer) + filling.close() if gap.prompt.converted else answer
        ast.parse(prefix + python + suffix)


def test_a_suffix_that_breaks_off_ends_nothing() -> None:
    state = constraint("python").start("x = f(a")
    assert state.before(Suffix(" + g(1, ")).way(20) is None
    open_end = state.before(Suffix(" + g(1, ", is_whole=False))
    assert open_end.may_end() and open_end.within(ord("]"), 20) is None


@pytest.mark.parametrize(
    ("unit", "prefix", "suffix"), [("statement", "def f(a):\n    x = ", "\n    return x\n"), ("function", "", "\nx = 1\n")]
)
def test_units_and_gaps_go_together(unit: Unit, prefix: str, suffix: str) -> None:
    """Where a unit is whole the answer is cut; the suffix follows there, too."""
    places = random.Random(2)
    gap = Gap(prefix, suffix, "classic")
    begin = before(constraint("classic", valid=True).start(gap.prompt.sent), gap, 30)
    assert begin is not None
    whole = IsWhole(lambda: CompletionEnd(unit, gap.prompt))
    cut = 0
    for _ in range(3):
        masks: FillMasks | None = FillMasks(begin, end_of_unit=whole.end)
        said = ""
        for left in range(30, 0, -1):
            assert masks is not None
            ids = [number for number in begin.engine.vocabulary.spellings.symbols if masks.mask(left)[number >> 3] >> (number & 7) & 1]
            after = next((found for number in places.sample(ids, min(6, len(ids))) if (found := masks.within(number, left))), None)
            masks = after or masks.within(masks.sure(left) or 0, left)
            assert masks is not None
            said = masks.said
            if whole(said) or masks.ended:
                break
        cut += whole(said)
        stream = Until(InfillStream(gap), CompletionEnd(unit, gap.prompt), ends_line=False)
        ast.parse(prefix + stream.feed(said) + stream.close() + suffix)
    assert cut or unit == "function"


def test_what_is_expected_obeys_the_rules() -> None:
    free, valid = (constraint("classic", valid=valid).start("f(a=1 b") for valid in (False, True))
    assert ")" in free.expected() and ")" not in valid.expected() and "=" in valid.expected()

"""Filling gaps: what the model sees of both sides, and that prefix, answer and suffix are one program, however the answer is cut."""

from __future__ import annotations

import ast
import random
from pathlib import Path

import pytest

import transpiler
from dualcode.conversion.beginnings import spell_beginning
from dualcode.conversion.completion import CompletionStream
from dualcode.conversion.fill_in_the_middle import Gap, InfillStream
from dualcode.conversion.prompts import Prompt
from simpy_grammar.dialect import Dialect
from tests.helpers import GRAMMATICAL, dump, pieces_of

ROOT = Path(__file__).resolve().parent.parent
# prefix, what a person would fill in, suffix
GAPS = [
    ("a = 1\n", "b = 2\n", "c = 3\nd = 4\n"),
    ("def f(a):\n    if a:\n        x = 1\n", "        y = 2\n", "    return a\n"),
    ("a = (1 + ", "2", ")\n"),
    ("def f(a):\n    x = ", "a + 1", "\n    return x\n"),
    ("foo(a, ", "q, ", "b)\n"),
    ('def f(a):\n    """doc"""\n    ', "x = 1", "\n    return x\n"),
    ("def f(a):\n    ", "return a", "\n\ndef g(): pass\n"),
    ("def f(a):\n", "    return a\n", "\ndef g():\n    pass\n"),
    ("if a:\n    x\n", "    z\n", "else:\n    y\n"),
    ('x = "abc ', "def ", ' ghi"\n'),
    ("x = '''a\n", "  b\n", "  c'''\n"),
    ("def f(a):\n    for x in a:\n        ", "print(x)", "\n    return g(1, "),
    ("def f(a):\n    for x in a:\n        x = g(", "x)", "\n    return a\n"),
    ("def lon", "g(name):", "\n    return name\n"),
    ("", "y = 1\n", "x = 1\n"),
    ("class A:\n  def f(self):\n    x = 1\n    ", "return x", "\n\n  def g(self):\n    return 2\n"),
    ("import os\n", "import re\n", "\ndef f(): pass"),
    ("x = f", ".g", "(a)\n"),
    ("    if a:\n        b(", "1, 2", ")\n    c()\n"),
    ("def f():\n    x = 1\n    ", "y = 2\n    ", "return x\n"),
    ("x = [\n    1,\n", "    2,\n", "    3,\n]\n"),
    ("def f(a):\n    # note\n", "    a += 1\n", "    # end\n    return a\n"),
    ("x = 1 + ", "2", " + 3\n"),
    ("@d\ndef f(a, b", "=1, *c", ") -> int:\n    return 1\n"),
    ("try:\n    x()\n", "except E:\n    y()\n", "finally:\n    z()\n"),
    ("x = {\n  'a': 1,\n  ", "'b': 2,", "\n  'c': 3}\n"),
    ("f = lambda x: ", "x + 1", "\ng = 2\n"),
    ("if a:\n\tb()\n\t", "c()", "\n\td()\n"),
    ("x = 1; ", "y = 2", "; z = 3\n"),
]


def fill(gap: Gap, answer: str) -> str:
    """The answer as Python, the same however it is cut."""
    texts = set()
    for length in (1, 3, 10_000):
        filling = InfillStream(gap)
        texts.add("".join([*map(filling.feed, pieces_of(answer, length)), filling.close()]))
        assert filling.notes == ()
    (text,) = texts
    return text


def whole(python: str, dialect: str) -> str:
    """A program, or the beginning of one, in a dialect."""
    if dump(python) is not None:
        return transpiler.encode(python, dialect=dialect)
    return spell_beginning(python, Dialect.load(dialect)).simpy


@pytest.mark.parametrize("dialect", GRAMMATICAL)
@pytest.mark.parametrize(("prefix", "middle", "suffix"), GAPS)
def test_the_three_parts_are_one_program(prefix: str, middle: str, suffix: str, dialect: str) -> None:
    gap = Gap(prefix, suffix, dialect)
    assert (gap.notes, gap.converted) == ((), True)
    simpy = whole(prefix + middle + suffix, dialect)
    assert simpy.startswith(gap.prompt.sent) and simpy.endswith(gap.sent)
    filled = fill(gap, simpy[len(gap.prompt.sent) : len(simpy) - len(gap.sent)])
    assert dump(prefix + filled + suffix) == dump(prefix + middle + suffix)
    assert "".join(filled.split()).strip(",") == "".join(middle.split()).strip(",")


@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_gaps_anywhere_in_programs(dialect: str) -> None:
    """Where both sides are converted and the program is what they say, the middle comes back."""
    places = random.Random(4)
    sources = [path.read_text(encoding="utf-8") for path in sorted((ROOT / "transpiler").glob("*.py"))]
    pieces = [ast.get_source_segment(text, node) or "" for text in sources for node in ast.parse(text).body if hasattr(node, "body")]
    converted = filled = 0
    for piece in places.sample(pieces, 60):
        program = piece + "\n"
        start = places.randrange(len(program))
        end = program.index("\n", start)
        gap = Gap(program[:start], program[end:], dialect)
        converted += gap.converted
        simpy = transpiler.encode(program, dialect=dialect)
        if not (gap.converted and simpy.startswith(gap.prompt.sent) and simpy.endswith(gap.sent)):
            continue
        if len(gap.prompt.sent) + len(gap.sent) <= len(simpy):
            middle = fill(gap, simpy[len(gap.prompt.sent) : len(simpy) - len(gap.sent)])
            assert dump(program[:start] + middle + program[end:]) == dump(program), program
            filled += 1
    assert converted >= 50 and filled >= 35, (converted, filled)


def test_an_answer_that_does_not_fit_is_given_all_the_same() -> None:
    gap = Gap("x = f(", ")\n", "classic")
    filling = InfillStream(gap)
    assert filling.feed("1)<line_sep>y=(2") + filling.close() == "1)\ny = (2" and filling.notes == ()
    filling = InfillStream(gap)
    assert filling.feed("1 ?? ") + filling.close() == "1 ?? " and len(filling.notes) == 1
    filling = InfillStream(Gap("def f(a):\n    return a +", "\nx = 1\n", "classic"))
    assert filling.feed("b<block_end>") + filling.close() == " b"


def test_a_suffix_that_cannot_be_converted_is_sent_as_it_is() -> None:
    gap = Gap("x = 1 + ", " ?? (", "classic")
    assert (gap.prompt.sent, gap.sent, [str(note) for note in gap.notes]) == (
        "x=1+",
        " ?? (",
        ["line 1: not converted: the suffix does not go on with the prefix"],
    )
    filling = InfillStream(gap)
    assert filling.feed("2") + filling.close() == "2"
    python = Gap("x = 1 + ", "\n", "compact")
    filling = InfillStream(python)
    assert (python.sent, python.notes, filling.feed("2\n") + filling.close()) == ("\n", (), "2\n")


@pytest.mark.parametrize("dialect", GRAMMATICAL)
@pytest.mark.parametrize("header", ["def f(a):", "for x in a:", "while a:", "class A(B):", "with a as b:", "if a:\n    b\nelse:"])
def test_a_prompt_that_ends_with_a_header(header: str, dialect: str) -> None:
    """What opens the block may be the model's to say, as in ``dense``."""
    for tail, expected in (("", "\n    return x"), ("\n", "    return x"), ("\n    ", "return x")):
        prompt = Prompt(header + tail, dialect)
        assert prompt.notes == ()
        simpy = whole(header + "\n    return x", dialect)
        answer = simpy[len(prompt.sent) :]
        reader = CompletionStream(prompt)
        assert (reader.feed(answer) + reader.close()).rstrip() == expected


def test_an_answer_that_strays_from_the_prompt_is_given_with_a_note() -> None:
    for length in (1, 100):
        reader = CompletionStream(Prompt("def f(a):\n    ", "dense"))
        text = "".join([*map(reader.feed, pieces_of("->int<return>1", length)), reader.close()])
        assert (text, len(reader.notes)) == ("-> int:\n    return 1\n", 1)


def test_a_body_that_is_missing_in_the_middle_is_no_crash() -> None:
    for dialect in GRAMMATICAL:
        prompt = Prompt("def f(a):\n    for x in a:\n\n    return g(1, ", dialect)
        assert (prompt.sent, len(prompt.notes)) == (prompt.python, 1)

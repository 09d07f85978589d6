"""Unfinished Python as the model sees it: its end is spelled where that is possible, left to the model where it is not, never lost."""

from __future__ import annotations

import pytest

import transpiler
from dualcode.conversion import beginnings
from dualcode.conversion.beginnings import NOT_PYTHON, PLACEHOLDER, spell_beginning
from dualcode.conversion.completion import CompletionStream
from dualcode.conversion.prompts import Prompt
from dualcode.conversion.until import CompletionEnd, Until
from dualcode.conversion.user_layout import indent_unit
from simpy_grammar.dialect import Dialect
from tests.helpers import GRAMMATICAL, dump
from transpiler import Beginning, encode_beginning

CLASSIC = Dialect.load("classic")
STEP = 9  # characters between the cuts

# text, its SimPy, what is left to the model
ENDS = [
    ("retu", "retu", ""),
    ("x = a", "x=a", ""),
    ("x =", "x=", ""),
    ("a +", "a+", ""),
    ("a.", "a.", ""),
    ("a is", "a<is>", ""),
    ("return", "<return>", ""),
    ("x = f(1, ", "x=f(1", ""),
    ("x = f(1, ab", "x=f(1 ab", ""),
    ("f(a=", "f(a=", ""),
    ("def f(a, ", "<def_stmt>f a", ""),
    ("def f(a):", "<def_stmt>f a<block_start>", ""),
    ("class A:\n    def f(self):\n", "<class_stmt>A<block_start><def_stmt>f self<block_start>", ""),
    ("for i in", "<for_stmt>i ", ""),
    ("@d\n", "@d", ""),
    ("x = 1; ", "x=1", ""),
    ("x = 1  # comm", "x=1# comm", ""),
    ("# c\n", "# c\n", ""),
    ("x = 'ab cd ", "x='ab cd ", ""),
    ("print(a, 'ab", "print(a 'ab", ""),
    ("x = '''a\n  b", "x='''a\n  b", ""),
    ("x = f'{a", "x=f'{a", ""),
    ("x = f'{a!r:>", "x=f'{a!r:>", ""),
    ("x = 1e", "x=1e", ""),
    ("x = a \\", "x=a", ""),
    ("try:\n    x()\n", "<try_stmt><block_start>x()", ""),
    ("x = 1\nasync", "x=1<async_keyword>", ""),
    ("x = 1\nelse", "x=1", "\nelse"),
    ("    if a:\n        b(", "<if_stmt>a<block_start>b(", ""),
]


@pytest.mark.parametrize(("text", "simpy", "rest"), ENDS)
def test_the_end_of_a_text_is_spelled(text: str, simpy: str, rest: str) -> None:
    assert spell_beginning(text, CLASSIC) == (simpy, rest, "")


@pytest.mark.parametrize(
    ("text", "rest"),
    [("x = = 1\ny", "= 1\ny"), ("def f(x):\n    y = x ??\n    return ", "??\n    return "), ("Once upon a time, (there", "a time, (there")],
)
def test_what_is_broken_is_refused(text: str, rest: str) -> None:
    found = spell_beginning(text, CLASSIC)
    assert found.fault == NOT_PYTHON
    assert found.rest.endswith(rest), "the rest begins after what is wrong"


def test_the_placeholder_in_the_text_is_a_name_like_any_other() -> None:
    assert spell_beginning(f"{PLACEHOLDER} = {PLACEHOLDER} +", CLASSIC).simpy == f"{PLACEHOLDER}={PLACEHOLDER}+"


PROGRAM = '''\
@cache
def f(a, *b, c: int = 0x1F, **d) -> list[int]:
    """Doc."""
    x = [a, "b c", f"{a!r:>{c}} {b}", (1, 2.5e3)]  # note
    for i, (j, k) in enumerate(b):
        if i is not None and j not in {k: 1, **d}:
            return [y for y in x if y][1:-1]
        elif lambda p, q=1: (p, q):
            x, z = (i, j), -k ** 2
    while True:
        try:
            with open(a) as g, open("q"):
                del x[0], d
        except (A, B) as e:
            raise C from e
        else:
            global h
            h @= await_(yield_(a))
        finally:
            pass


import os.path as p
from os import (path, sep as s,)
match x:
    case [1, *_] | {"a": b}:
        print('it''s', end="")
'''


def reluctant(tokens: int) -> object:
    """An ``encode_beginning`` that holds back the last tokens too, as one does that waits for the end of a row."""

    def encode(text: str, dialect: Dialect) -> Beginning:
        cut = len(text.rstrip())
        for _ in range(tokens):
            cut = max(text.rfind(char, 0, max(cut, 0)) for char in " \n(,.")
        found = encode_beginning(text[: max(cut, 0)], dialect)
        if found.rest.strip() or text.endswith("\n"):  # what is broken stays so; the end of a line settles everything
            return encode_beginning(text, dialect)
        return Beginning(found.simpy, text[max(cut, 0) :], None)

    return encode


@pytest.mark.parametrize("dialect", GRAMMATICAL)
@pytest.mark.parametrize("held", [0, 1, 3])
def test_an_answer_goes_on_after_the_whole_prompt(dialect: str, held: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """At any cut of a program, whatever the encoder holds back: where the model goes on with the program, the program comes out."""
    if held:
        monkeypatch.setattr(beginnings, "encode_beginning", reluctant(held))
    simpy = transpiler.encode(PROGRAM, dialect=dialect)
    expected = dump(PROGRAM)
    joined = spelled = 0
    for end in range(1, len(PROGRAM), STEP):
        prompt = Prompt(PROGRAM[:end], dialect)
        assert PROGRAM[:end].endswith(prompt.rest)
        if not (prompt.converted and simpy.startswith(prompt.sent)):
            continue
        spelled += not prompt.rest
        stream = CompletionStream(prompt)
        answer = stream.feed(simpy[len(prompt.sent) :]) + stream.close()
        assert dump(PROGRAM[:end] + answer) == expected, (PROGRAM[:end], prompt.sent, answer)
        assert stream.notes == ()
        joined += 1
    cuts = len(range(1, len(PROGRAM), STEP))
    assert joined >= 0.65 * cuts, (joined, cuts)  # of the others, nearly all end within a keyword
    assert spelled >= 0.6 * cuts, (spelled, cuts)


@pytest.mark.parametrize("text", ["from os import (", "from os import (path", "with (a as b, c(", "import os\nfrom os import (path,\n"])
def test_a_parenthesis_that_simpy_leaves_out_must_not_stay_open(text: str) -> None:
    """No answer in SimPy could close it."""
    prompt = Prompt(text, "classic")
    assert (prompt.sent, [note.reason for note in prompt.notes]) == (text, ["a parenthesis is open that SimPy leaves out"])
    for closed in ("from os import (path)\n", "x = (a + ", "f(", "class A("):
        assert Prompt(closed, "classic").converted


def test_an_answer_that_does_not_begin_with_the_rest_is_given_with_a_note() -> None:
    prompt = Prompt("x = 1\nelse", "classic")
    assert prompt.rest == "\nelse"
    stream = CompletionStream(prompt)
    answer = transpiler.encode("x = 1\nelsewhere = 2\n").removeprefix(prompt.sent)
    assert stream.feed(answer) + stream.close() == "where = 2\n"
    assert stream.notes == ()
    stream = CompletionStream(prompt)
    assert stream.feed("<line_sep>y=2") + stream.close() != ""
    assert [note.reason for note in stream.notes] == ["the answer does not go on with the last line of the prompt"]


@pytest.mark.parametrize("dialect", GRAMMATICAL)
def test_the_block_of_a_header_ends_where_asked_for(dialect: str) -> None:
    """Also where the dialect leaves the start of the block to the model."""
    program = "def f(a):\n    return a\n\n\ndef g():\n    return 2\n"
    prompt = Prompt("def f(a):\n", dialect)
    simpy = transpiler.encode(program, dialect=dialect)
    assert simpy.startswith(prompt.sent)
    stream = Until(CompletionStream(prompt), CompletionEnd("block", prompt))
    assert stream.feed(simpy[len(prompt.sent) :]) == "    return a\n"
    assert stream.ended == "until"


@pytest.mark.parametrize("dialect", ["classic", "dense"])
def test_a_row_of_values_is_spelled_to_its_end(dialect: str) -> None:
    """Whether the last value is a target is decided by what follows, but not what it says."""
    for python, simpy in (("a, b = 1, 2\n", "a,b=1 2"), ("a, b = [], x\n", "a,b=[] x")):
        prompt = Prompt(python, dialect)
        assert (prompt.sent, prompt.rest) == (simpy, "")
    assert Prompt("def f(a):\n    return a,\n", dialect).sent.endswith("<return>a,")


def test_the_indentation_of_a_prompt_is_that_of_its_first_block() -> None:
    assert indent_unit("x = {\n 1:\n   2}\nif a and \\\n b:\n  c\n") == "  "
    assert indent_unit("def f(\n    a) :\n\t'''b:\n   c'''\n") == "\t"
    assert indent_unit("# if a:\n   \ntry:\n  # b\n\n      c") == "      "
    assert indent_unit("x[a:\n  b]\n'") == "    "
    stream = CompletionStream(Prompt("def f(a):\n  if a is \\\n not None :\n    b()\n  for c in a", "classic"))
    assert stream.feed("<block_start>d()<block_end>") + stream.close() == ":\n    d()\n"

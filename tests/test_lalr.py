"""The tables of ``simpy_grammar.lalr`` are those of Lark, which computes the same in another way."""

from __future__ import annotations

import pytest
from lark.common import ParserConf
from lark.grammar import NonTerminal, Rule, RuleOptions, Terminal
from lark.parsers.lalr_analysis import LALR_Analyzer, Shift

from simpy_grammar.compile import START, compile_dialect, spell
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.tables import END, Tables

Row = tuple[dict[str, int], dict[str, int], dict[str, int]]
"""Token -> state, token -> production, and rule name -> state."""


def _of_lark(dialect: Dialect) -> list[Row]:
    """The rows of Lark, with the start state first."""
    productions = spell(dialect).productions
    rules = [
        Rule(NonTerminal(p.origin), [(Terminal if s.is_token else NonTerminal)(s.name) for s in p.symbols], i, None, RuleOptions())
        for i, p in enumerate(productions)
    ]
    analyzer = LALR_Analyzer(ParserConf(rules, {}, [START]), debug=True, strict=True)
    analyzer.compute_lalr()
    table = analyzer.parse_table
    start, names = table.start_states[START], {p.origin for p in productions}
    number = {state: i for i, state in enumerate([start, *(state for state in table.states if state != start)])}
    rows: list[Row] = []
    for state in number:
        shift, reduce, goto = dict[str, int](), dict[str, int](), dict[str, int]()
        for name, (kind, target) in table.states[state].items():
            if kind is not Shift:
                reduce[name] = target.order
            else:
                (goto if name in names else shift)[name] = number[target]
        if state == table.end_states[START]:
            shift[END] = number[state]
        rows.append((shift, reduce, goto))
    return rows


def _of_tables(tables: Tables) -> list[Row]:
    rows: list[Row] = []
    for state in range(len(tables)):
        actions = tables.actions[state].items()
        shift, reduce = {t: a for t, a in actions if a >= 0}, {t: -1 - a for t, a in actions if a < 0}
        rows.append((shift, reduce, dict(tables.gotos[state])))  # type: ignore[arg-type]  # names are text here
    return rows


def _in_order(rows: list[Row]) -> list[Row]:
    """States numbered in the order in which they are reached, as no order is better than another."""
    number, order = {0: 0}, [0]
    for state in order:  # grows
        for _, target in (*sorted(rows[state][0].items()), *sorted(rows[state][2].items())):
            if target not in number:
                number[target] = len(order)
                order.append(target)
    return [tuple({key: number[to] if i != 1 else to for key, to in part.items()} for i, part in enumerate(rows[state])) for state in order]  # type: ignore[misc]  # three parts


@pytest.mark.parametrize("name", ["dense", PYTHON])
def test_the_tables_are_those_of_lark(name: str) -> None:
    dialect = Dialect.load(name)
    own = _in_order(_of_tables(Tables(compile_dialect(dialect))))
    assert own == _in_order(_of_lark(dialect))
    assert len(own) > 1000

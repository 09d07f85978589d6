"""Valid Python: what CPython refuses beyond the grammar, as an automaton over lexemes that knows it from left to right."""

from transpiler.rules.automaton import END, Rules, refused
from transpiler.rules.table import RULES, Rule, RuleError

__all__ = ["END", "RULES", "Rule", "RuleError", "Rules", "refused"]

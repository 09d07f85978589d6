"""Names of lexer states that are the same in every process, where the states themselves and their numbers are not."""

from __future__ import annotations

import hashlib
from functools import cache

from tokenizer_ext.constrain.lexer import LexerState
from tokenizer_ext.constrain.patterns import CLASS, CONDITION, Conditions, Pattern


def state_name(state: LexerState, shorn: bool = False) -> str:
    """The name of a state; another one for ids that lose a blank that they begin with."""
    races = [
        (race.rank, _pattern_text(race.rest), sorted((since, _conditions_text(conditions)) for since, conditions in race.ends))
        for race in state.races
    ]
    return hashlib.sha256(repr((state.mode, state.recent, races, state.details, shorn)).encode()).hexdigest()[:32]


@cache
def _pattern_text(pattern: Pattern) -> str:
    kind, parts = pattern.kind, pattern.parts
    if kind == CLASS:
        return repr("".join(sorted(parts)))
    if kind == CONDITION:
        return f"{_conditions_text(parts[0])}{_pattern_text(parts[1])}"
    texts = list(map(_pattern_text, parts))
    return f"{kind}({' '.join(sorted(texts) if isinstance(parts, frozenset) else texts)})"


def _conditions_text(conditions: Conditions) -> str:
    return f"{{{' '.join(sorted(f'{wanted}:{_pattern_text(pattern)}' for wanted, pattern in conditions))}}}"

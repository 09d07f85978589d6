"""Ways to an end that the rules let through: ids that finish a program, tried one by one.

The grammar says how near an end is, and the rules may forbid the nearest one. So a way is looked for with a little more each time, and
each of its ids is asked of the rules. What is found is a proof; that nothing is found is not one.
"""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from tokenizer_ext.constrain.lexer import Lexer
from tokenizer_ext.constrain.vocabulary import Vocabulary

if TYPE_CHECKING:
    from tokenizer_ext.constrain.constraint import State

_MORE = (0, 1, 2, 4, 7, 12, 20)  # ids by which a way may be longer than the grammar asks for
_MOST_STATES = 160  # that are looked at for a way
_MOST_BRANCHES = 6
# Names and digits first, since there are rules about names.
_LETTERS = f"ab0qz_1{string.punctuation}\n {string.ascii_letters}{string.digits}"


def closers(lexer: Lexer, vocabulary: Vocabulary) -> tuple[int, ...]:
    """The ids that can be of use near an end, those that close most first: tokens of the grammar, and parts of texts that it has."""
    order = {text: at for at, text in enumerate(("<block_end>", ")", "}", "]", "\n"))}
    texts = [text for kind, text in lexer.automaton.tables.patterns.values() if kind == "str"]
    parts = {text[start:end] for text in texts for start in range(len(text)) for end in range(start + 1, len(text) + 1)}
    ids: dict[str, int] = {}
    for number, spelling in vocabulary.spellings.items():
        if not spelling.rest.left and number not in vocabulary.atomic:
            text = vocabulary.plain(number)
            if number in vocabulary.own or text in parts or (len(text) == 1 and text in _LETTERS):
                ids.setdefault(text, number)

    def rank(text: str) -> tuple[int, int]:
        return order.get(text, len(order)), _LETTERS.index(text) if len(text) == 1 and text in _LETTERS else -len(text)

    return tuple(ids[text] for text in sorted(ids, key=rank))


class Search:
    """Looks for ways to an end.

    Args:
        lexer: the lexer of the dialect.
        vocabulary: the ids.
    """

    def __init__(self, lexer: Lexer, vocabulary: Vocabulary) -> None:
        self._ids = closers(lexer, vocabulary)
        self._bytes = tuple(number for number, piece in vocabulary.pieces.items() if len(piece) == 1 and not piece.isascii())
        self._left = 0

    def way(self, state: State, most: int) -> tuple[int, ...] | None:
        """At most so many ids that finish a program; ``None`` if none are found."""
        least = state.least()
        self._left = _MOST_STATES
        for more in _MORE:
            if least + more > most or not self._left:
                break
            found = self._finish(state, least + more)
            if found is not None:
                return found
        return None

    def _finish(self, state: State, most: int) -> tuple[int, ...] | None:
        if state.may_end():
            return ()
        if most <= 0 or not self._left:
            return None
        self._left -= 1
        mask = state.mask(budget=most)
        tried = 0
        in_character = state.in_character
        for number in self._bytes if in_character else self._ids:
            if number not in mask:
                continue
            after = state.after(number)
            if after is None or after.least() >= most:
                continue
            rest = self._finish(after, most - 1)
            if rest is not None:
                return number, *rest
            tried += 1
            if (tried == _MOST_BRANCHES and not in_character) or not self._left:
                break
        return None

"""Statements of a file that were not seen, where a model has added others: which of them a view may have left out.

Nobody has said in which order the two come, so it is a conflict, with two exceptions: the order does not matter, or a view that
holds nothing but definitions leaves out what stands between them. Who reads such a view can add a definition beside them.
"""

from __future__ import annotations

from collections.abc import Sequence

from transpiler.edits.structure import Item, items_of
from transpiler.edits.tokens import COMMENT, STRING, Tokens

_DEFINITIONS = frozenset(("^def", "^class"))
_BEGIN_DEFINITIONS = _DEFINITIONS | {"^@", "^async"}
_FUTURE = "^from __future__ import"  # it stands above all other statements


def may_be_left_out(source: Tokens, hidden: Sequence[int], seen: Tokens, before: int, after: int, added: str) -> bool:
    """Whether a view may have left out some statements, so that it does not matter where among them another one is added.

    Args:
        source: the file.
        hidden: the tokens that were not seen.
        seen: the view.
        before, after: the tokens of the view between which they would stand.
        added: what the statement that was added begins with.

    >>> signatures, whole = Tokens("def f(): ...\\ndef g(): ...\\n"), Tokens("a = 1\\nb = 2\\n")
    >>> new = Tokens("x = 1\\n")
    >>> may_be_left_out(new, range(3), signatures, 7, 8, "NAME"), may_be_left_out(new, range(3), whole, 2, 4, "NAME")
    (True, False)
    """
    first, last = hidden[0], hidden[-1] + 1
    rows = [i for i in hidden if source.begins[i] and source.keys[i] not in (COMMENT, "^@")]
    inside = {item.start: item for item in _all(items_of(source)) if first <= item.start < last and item.end <= last}
    if all(_says_no_order(inside.get(i)) for i in rows):
        return True
    holds_definition = any(key in _DEFINITIONS for key in source.keys[first:last])
    if not items_of(seen):
        return not holds_definition and added in _BEGIN_DEFINITIONS
    return not holds_definition and _only_definitions(seen, before, after)


def _says_no_order(item: Item | None) -> bool:
    """Whether a statement is a docstring, a field without a value, or an import from the future."""
    if item is None or item.clauses:
        return False
    words = [word for word in item.words.split("\x01") if not word.startswith(f"{COMMENT} ")]
    return words[0].startswith(f"{STRING} ") or item.is_field or words[0] == _FUTURE


def _only_definitions(seen: Tokens, before: int, after: int) -> bool:
    """Whether the block of a view around a place holds definitions, and what the view ``signatures`` keeps beside them."""
    items, in_class = items_of(seen), False
    while True:
        found = next((item for item in items if item.start <= before and after < item.end), None)
        clause = next((clause for clause in found.clauses if clause.end <= before and after < clause.close), None) if found else None
        if found is None or clause is None:
            break
        items, in_class = clause.items, found.head == "^class" or (in_class and not found.name)

    def kept(number: int, item: Item) -> bool:
        if item.head in (COMMENT, "...") or item.name or (item.head == STRING and not number):
            return True
        return any(inner.name for inner in item) or (in_class and item.words.split("\x01")[1:2] == [":"])

    return any(item.name for item in items) and all(kept(number, item) for number, item in enumerate(items))


def _all(items: Sequence[Item]) -> list[Item]:
    return [each for item in items for each in (item, *item)]

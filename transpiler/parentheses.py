"""Which parentheses of a program change nothing, decided on its lexemes.

The grammar is flat, so there is no tree to ask. A pair of parentheses is redundant if what stands in it binds as tightly
as the terminals on both sides of it demand: ``(a * b) + c`` is ``a * b + c``, ``(a + b) * c`` is not. Who demands what is in
``transpiler.precedence``.

Parentheses that no rule names stay. So do those with a comment in them, which need them, and all in the fields of
f-strings, where Python before 3.12 does not read every expression without them.
"""

from __future__ import annotations

import re
from itertools import compress
from typing import NamedTuple

from simpy_grammar.stream import SPACE_ID, Stream
from simpy_grammar.terminals import CLOSE, ID, OPEN, SOFT_KEYWORDS, named, table
from transpiler import precedence as level

# Where a statement begins, these words may mean something else; the last two do to tree-sitter-python.
_SOFT = SOFT_KEYWORDS | {"print", "exec"}

# Kinds of brackets, and what each demands of an expression in it. Python before 3.10 does not read `:=` in subscripts and sets.
_GROUP, _CALL, _BASES, _LIST, _INDEX, _BRACES, _FIELD, _OTHER = range(8)
_DEMANDED_IN = (level.NAMED, level.NAMED, level.NAMED, level.NAMED, level.EXPRESSION, level.EXPRESSION, level.NEVER, level.NEVER)

# The kind of "(" and "[" after each terminal, and of the other brackets.
_ENDS_OF_OPERANDS = "NAME NUMBER STRING TRUE FALSE NONE ELLIPSIS ) ] } FSTRING_END_1 FSTRING_END_2 FSTRING_END_3 FSTRING_END_6"
_ROUND = table(_GROUP, (_CALL, _ENDS_OF_OPERANDS.split()), (_OTHER, ("WITH_PARENTHESES", "IMPORT_NAMES", "FUTURE_IMPORT")))
_SQUARE = table(_LIST, (_INDEX, _ENDS_OF_OPERANDS.split()))
_KIND = {ID["{"]: _BRACES, ID["FIELD_START"]: _FIELD, ID["PARAMETERS_START"]: _OTHER}

_OPENS, _CLOSES, _COMMENTS = 1, 2, 3
_EVENT = bytes(table(0, (_OPENS, (*named(OPEN), "FIELD_START")), (_CLOSES, named(CLOSE)), (_COMMENTS, ("INNER_COMMENT",))))
_OPEN, _CLOSE, _SQUARE_OPEN, _NAME, _CLASS, _WITH, _COMMA, _INNER_COMMENT = (
    ID[name] for name in "( ) [ NAME CLASS WITH COMMA INNER_COMMENT".split()
)
_SKIPPED = frozenset((SPACE_ID, _INNER_COMMENT))


def _ids(*names: str) -> bytes:
    return bytes(ID[name] for name in names)


def _one_of(*names: str) -> bytes:
    return b"[%b]" % re.escape(_ids(*names))


def _run_without(*names: str) -> bytes:
    return b"[^%b]*" % re.escape(_ids(*names))


# Patterns over the ids of terminals, which are one byte each.
_PATTERN = re.compile(_one_of("CASE") + _run_without("GUARD", "BLOCK_START"))
_ALIAS = re.compile(_one_of("TYPE_ALIAS") + _run_without("ASSIGN") + _one_of("ASSIGN"))
_STAR = re.compile(_one_of("LAMBDA", "LAMBDA_SEP", "COMPREHENSION_FOR", "TARGET_SEP") + _one_of("space") + b"?" + _one_of("SPLAT"))
_CLASS_WITH_BASES = re.compile(_one_of("CLASS") + _one_of("NAME") + _one_of("("))


class _Pair(NamedTuple):
    """Parentheses around an expression: their indices, and the loosest and the tightest level of what stands directly in them."""

    start: int
    end: int
    loosest: int
    tightest: int
    has_comment: bool
    around: int  # the kind of the bracket that they stand in


def redundant_parentheses(stream: Stream) -> set[int]:
    """The indices of the lexemes ``(`` and ``)`` that may be left out without changing the program, always in pairs.

    >>> from simpy_grammar.stream import Stream
    >>> stream = Stream()
    >>> for terminal, text in [("NAME", "x"), ("ASSIGN", "="), ("(", "("), ("NAME", "y"), (")", ")")]:
    ...     stream.append(terminal, text)
    >>> sorted(redundant_parentheses(stream))
    [2, 4]
    """
    codes = _codes(stream)
    levels = codes.translate(level.LEVEL)
    redundant: set[int] = set()
    bases = {match.end() - 1 for match in _CLASS_WITH_BASES.finditer(codes)}
    fields = 0  # open fields of f-strings
    last_comment = -1
    # The innermost open bracket: its index, its kind, the loosest and the tightest level of what stands directly in it up
    # to ``seen``. Those around it are on the stack.
    start, kind, loosest, tightest, seen = -1, _OTHER, level.OPERAND, level.OPERAND, 0
    stack: list[tuple[int, int, int, int]] = []
    for i in compress(range(len(codes)), codes.translate(_EVENT)):
        code = codes[i]
        event = _EVENT[code]
        if event == _COMMENTS:
            last_comment = i
            continue
        if kind == _GROUP and seen < i:
            inside = levels[seen:i]
            loosest, tightest = min(loosest, min(inside)), max(tightest, max(inside))
        seen = i + 1
        if event == _OPENS:
            stack.append((start, kind, loosest, tightest))
            start, loosest, tightest = i, level.OPERAND, level.OPERAND
            if code == _OPEN:
                kind = _BASES if i in bases else _ROUND[_neighbour(codes, i, -1)]
                if fields and kind == _GROUP:
                    kind = _OTHER
            elif code == _SQUARE_OPEN:
                kind = _SQUARE[_neighbour(codes, i, -1)]
            else:
                kind = _KIND[code]
                fields += kind == _FIELD
            continue
        inner, inner_start, low, high = kind, start, loosest, tightest
        start, kind, loosest, tightest = stack.pop()
        if inner == _GROUP:
            pair = _Pair(inner_start, i, low, high, last_comment > inner_start, kind)
            if _is_redundant(pair, codes, stream.texts):
                redundant.update((inner_start, i))
                low, high = _bared(pair, codes)
                loosest, tightest = min(loosest, low), max(tightest, high)
        elif inner == _FIELD:
            fields -= 1
        elif inner == _INDEX and codes[inner_start - 2] == _CLASS:
            bases.add(i + 1)
    return redundant


def _codes(stream: Stream) -> bytes:
    """The ids of the terminals, some of them replaced by others that take the same part here, and an end of line."""
    codes = bytes(stream.terminals)
    if ID["CASE"] in codes:  # nothing in a pattern is redundant
        codes = _PATTERN.sub(lambda match: match[0].replace(_ids("("), _ids("PARAMETERS_START")), codes)
    if ID["TYPE_ALIAS"] in codes:  # its value is not a tuple without parentheses
        codes = _ALIAS.sub(lambda match: match[0][:-1] + _ids("TYPE_DEFAULT"), codes)
    if ID["SPLAT"] in codes:  # `*a` as a parameter or a target is not an element
        codes = _STAR.sub(lambda match: match[0][:-1] + _ids("PARAMETER_STAR"), codes)
    return codes + _ids("LINE_SEP")  # so it also stands before the first


def _neighbour(codes: bytes, i: int, step: int) -> int:
    """The terminal before (-1) or after (1) a lexeme, comments and marks of blanks apart."""
    i += step
    while codes[i] in _SKIPPED:
        i += step
    return codes[i]


def _is_redundant(pair: _Pair, codes: bytes, texts: list[str]) -> bool:
    is_alone = codes[pair.start - 1] == _OPEN and codes[pair.end + 1] == _CLOSE  # in another pair of parentheses
    if pair.tightest == level.GENERATOR and pair.around == _CALL:
        return is_alone and pair.loosest >= level.EXPRESSION
    if pair.has_comment:
        return False
    if is_alone and pair.around == _GROUP:
        # `with ((a, b)):` enters a tuple, `with (a, b):` two contexts.
        return not (pair.tightest == level.TUPLE and codes[pair.start - 2] == _WITH and level.IS_BOUNDARY[codes[pair.end + 2]])
    if pair.tightest == level.GENERATOR or pair.end - pair.start == 1:
        return False
    return _has_place(pair, codes) and not _is_soft(pair, codes, texts)


def _bared(pair: _Pair, codes: bytes) -> tuple[int, int]:
    """The loosest and the tightest level of what redundant parentheses leave in their place."""
    if pair.end - pair.start == 1:
        return level.KEPT, level.OPERAND  # the parentheses around it are the empty tuple now
    if pair.tightest == level.TUPLE and codes[pair.start - 1] != _OPEN:
        return level.OPERAND, level.OPERAND  # targets
    return pair.loosest, pair.tightest


def _has_place(pair: _Pair, codes: bytes) -> bool:
    """Whether the terminals on both sides leave an expression or a tuple as it is without its parentheses."""
    before, after = _neighbour(codes, pair.start, -1), _neighbour(codes, pair.end, 1)
    if pair.tightest == level.TUPLE:
        if codes[pair.end - 1] == _COMMA and codes[pair.end + 1] == _INNER_COMMENT:
            return False  # no comment may follow this comma
        demanded = level.EXPRESSION if pair.around == _INDEX and before == _SQUARE_OPEN else level.TUPLE_DEMANDED_AFTER[before]
        return pair.loosest >= demanded and bool(level.TUPLE_STANDS_BEFORE[after])
    demanded = level.DEMANDED_AFTER[before]
    if demanded == level.AS_BRACKET:
        demanded = _DEMANDED_IN[pair.around]
    elif demanded == level.AS_OPERAND:
        demanded = level.EXPRESSION if level.IS_OPERATOR[after] else level.NEVER
    return pair.loosest >= max(demanded, level.DEMANDED_BEFORE[after])


def _is_soft(pair: _Pair, codes: bytes, texts: list[str]) -> bool:
    """Whether a statement would begin with a word that may mean something else there, unless an operator settles it."""
    if not level.IS_BOUNDARY[codes[pair.start - 1]] or level.IS_OPERATOR[codes[pair.end + 1]] or level.IS_ASSIGNMENT[codes[pair.end + 1]]:
        return False
    first = pair.start + 1
    while codes[first] == _OPEN:
        first += 1
    return codes[first] == _NAME and texts[first] in _SOFT

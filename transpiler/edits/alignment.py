"""Which tokens and which items of two programs belong together.

Equal statements are found first, then those that a name or most of their tokens make a pair, so that a changed function is
compared with what it was. Nothing here decides whether an edit is right: a poor alignment makes a longer edit, never a wrong one.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from difflib import SequenceMatcher
from functools import lru_cache

from transpiler.edits.structure import Clause, Item
from transpiler.edits.tokens import CLOSING, COMMENT, COMMENTS, OPENING, Tokens

_SMALL = 60_000  # pairs of elements up to which every one is compared with every other
_FEW = 80  # differences up to which two long sequences are compared exactly
_GRAMS = (1, 2, 4, 8, 16)  # elements in a row that may occur once where no single one does
_SWAPPED = 0.8  # share of their tokens that two arms of an ``if`` have in common that have changed places
_ALIKE = 0.5  # share of their tokens that two statements have in common to be a pair
Pair = tuple[int, int]


def common(a: Sequence[str], b: Sequence[str]) -> list[Pair]:
    """Pairs of indices of equal elements, in order in both: long common runs, though not always the most.

    >>> common("abcd", "xbcdy")
    [(1, 1), (2, 2), (3, 3)]
    """
    return list(_common(a, 0, len(a), b, 0, len(b)))


def _common(a: Sequence[str], a0: int, a1: int, b: Sequence[str], b0: int, b1: int) -> Iterator[Pair]:
    while a0 < a1 and b0 < b1 and a[a0] == b[b0]:
        yield a0, b0
        a0, b0 = a0 + 1, b0 + 1
    tail = 0
    while a0 < a1 and b0 < b1 and a[a1 - 1] == b[b1 - 1]:
        a1, b1, tail = a1 - 1, b1 - 1, tail + 1
    if a0 < a1 and b0 < b1:
        if (a1 - a0) * (b1 - b0) <= _SMALL:
            blocks = SequenceMatcher(None, a[a0:a1], b[b0:b1], autojunk=False).get_matching_blocks()
            yield from ((a0 + i + k, b0 + j + k) for i, j, length in blocks for k in range(length))
        else:
            few = _few_changes(a, a0, a1, b, b0, b1)
            anchors = few if few is not None else next(filter(None, (_anchors(a, a0, a1, b, b0, b1, length) for length in _GRAMS)), [])
            i, j = a0, b0
            for x, y in anchors:
                if x >= i and y >= j:
                    yield from _common(a, i, x, b, j, y)
                    while x < a1 and y < b1 and a[x] == b[y]:
                        yield x, y
                        x, y = x + 1, y + 1
                    i, j = x, y
            if anchors:
                yield from _common(a, i, a1, b, j, b1)
    yield from ((a1 + k, b1 + k) for k in range(tail))


def _few_changes(a: Sequence[str], a0: int, a1: int, b: Sequence[str], b0: int, b1: int) -> list[Pair] | None:
    """All pairs, if no more than ``_FEW`` elements are in only one of both; ``None`` otherwise.

    Source: E. W. Myers, An O(ND) Difference Algorithm and Its Variations, Algorithmica 1986.
    """
    rows, columns = a1 - a0, b1 - b0
    reached: dict[int, int] = {1: 0}  # diagonal -> the furthest row on it
    trace: list[dict[int, int]] = []
    for changes in range(_FEW + 1):
        trace.append(dict(reached))
        for k in range(-changes, changes + 1, 2):
            down = k == -changes or (k != changes and reached[k - 1] < reached[k + 1])
            i = reached[k + 1] if down else reached[k - 1] + 1
            while i < rows and i - k < columns and a[a0 + i] == b[b0 + i - k]:
                i += 1
            reached[k] = i
            if i >= rows and i - k >= columns:
                return _traced(trace, a0, b0, rows, columns)
    return None


def _traced(trace: list[dict[int, int]], a0: int, b0: int, i: int, j: int) -> list[Pair]:
    """The pairs on the way that a search has found, from its end."""
    pairs: list[Pair] = []
    for changes in range(len(trace) - 1, -1, -1):
        reached, k = trace[changes], i - j
        down = k == -changes or (k != changes and reached[k - 1] < reached[k + 1])
        before = k + 1 if down else k - 1
        x = reached[before] if changes else 0
        y = x - before if changes else 0
        start = x + (not down) if changes else 0
        while i > start and j > 0 and i > 0 and (not changes or i - k > y):
            i, j = i - 1, j - 1
            pairs.append((a0 + i, b0 + j))
        i, j = x, y
    return pairs[::-1]


def _anchors(a: Sequence[str], a0: int, a1: int, b: Sequence[str], b0: int, b1: int, length: int) -> list[Pair]:
    """Where runs of some length stand that occur once in each, in the longest order that both have."""
    places: list[dict[tuple[str, ...], int]] = []
    for sequence, start, end in ((a, a0, a1), (b, b0, b1)):
        once: dict[tuple[str, ...], int] = {}
        for i in range(start, end - length + 1):
            run = tuple(sequence[i : i + length])
            once[run] = -1 if run in once else i
        places.append(once)
    pairs = [(i, places[1][run]) for run, i in places[0].items() if i >= 0 and places[1].get(run, -1) >= 0]
    return _increasing(sorted(pairs))


def _increasing(pairs: list[Pair]) -> list[Pair]:
    """The longest part of some pairs, sorted by the first, that grows in the second too."""
    ends: list[int] = []
    chosen: list[int] = []
    before = [-1] * len(pairs)
    for k, (_, j) in enumerate(pairs):
        at = bisect_left(ends, j)
        before[k] = chosen[at - 1] if at else -1
        ends[at : at + 1], chosen[at : at + 1] = [j], [k]
    found: list[Pair] = []
    k = chosen[-1] if chosen else -1
    while k >= 0:
        found.append(pairs[k])
        k = before[k]
    return found[::-1]


def pair_items(a: Sequence[Item], b: Sequence[Item], *, view: bool = False) -> list[Pair]:
    """Pairs of indices of items of two blocks that belong together, in order in both.

    Args:
        a, b: the blocks.
        view: the first one is of a view of the program of the second: its statements may lack some of their tokens.
    """
    equal = _equal_in_view(a, b) if view else common([item.words for item in a], [item.words for item in b])
    pairs: list[Pair] = []
    i = j = 0
    for x, y in (*equal, (len(a), len(b))):
        if i < x and j < y:
            pairs += _pair_changed(a, i, x, b, j, y, view)
        if x < len(a):
            pairs.append((x, y))
        i, j = x + 1, y + 1
    return pairs


def _equal_in_view(a: Sequence[Item], b: Sequence[Item]) -> list[Pair]:
    """Pairs of items that are equal but for comments and parentheses.

    Of two equal statements, one may have a comment that the view lacks: it must not be taken for less equal than the other.
    """
    said = [[(k, _without_unseen(item)) for k, item in enumerate(items) if item.head != COMMENT] for items in (a, b)]
    return [(said[0][x][0], said[1][y][0]) for x, y in common(*([words for _, words in each] for each in said))]


def _without_unseen(item: Item) -> str:
    return "\x01".join(word for word in item.words.split("\x01") if word not in ("(", ")") and not word.startswith(f"{COMMENT} "))


def _pair_changed(a: Sequence[Item], a0: int, a1: int, b: Sequence[Item], b0: int, b1: int, view: bool) -> list[Pair]:
    """Pairs among items none of which are equal: definitions by name, then by how much they have in common."""
    names = {(item.head, item.name): j for j, item in enumerate(b[b0:b1], b0) if item.name}
    named = [(i, names[item.head, item.name]) for i, item in enumerate(a[a0:a1], a0) if item.name and (item.head, item.name) in names]
    pairs: list[Pair] = []
    i, j = a0, b0
    for x, y in (*_increasing(named), (a1, b1)):
        if (x - i) * (y - j) <= _SMALL // 20:
            pairs += _pair_alike(a, i, x, b, j, y, view)
        elif x - i == y - j:
            pairs += [(i + k, j + k) for k in range(x - i) if likeness(a[i + k], b[j + k], view=view) >= _ALIKE]
        if x < a1:
            pairs.append((x, y))
        i, j = x + 1, y + 1
    return pairs


def _pair_alike(a: Sequence[Item], a0: int, a1: int, b: Sequence[Item], b0: int, b1: int, view: bool) -> list[Pair]:
    """The pairs in order that have the most in common."""

    def alike(i: int, j: int) -> float:
        found = likeness(a[a0 + i], b[b0 + j], view=view)
        return found if found >= _ALIKE else 0.0

    return [(a0 + i, b0 + j) for i, j in _best_pairs(a1 - a0, b1 - b0, alike)]


def _best_pairs(rows: int, columns: int, alike: Callable[[int, int], float]) -> list[Pair]:
    """Pairs in order whose likeness is the greatest in sum; those of likeness 0 are not pairs."""
    best = [[0.0] * (columns + 1) for _ in range(rows + 1)]
    for i in range(rows - 1, -1, -1):
        for j in range(columns - 1, -1, -1):
            found = alike(i, j)
            best[i][j] = max(best[i + 1][j], best[i][j + 1], best[i + 1][j + 1] + found if found else 0.0)
    pairs: list[Pair] = []
    i = j = 0
    while i < rows and j < columns:
        if best[i][j] == best[i + 1][j]:
            i += 1
        elif best[i][j] == best[i][j + 1]:
            j += 1
        else:
            pairs.append((i, j))
            i, j = i + 1, j + 1
    return pairs


def likeness(a: Item, b: Item, *, view: bool = False) -> float:
    """The share of their tokens that two items have in common, from 0 to 1; 0 if they are of different kinds."""
    if view and not a.clauses and a.words.split("\x01", 1)[0] == b.words.split("\x01", 1)[0]:
        one, other = Counter(a.words.split("\x01")), Counter(b.words.split("\x01"))
        if one <= other:
            return 0.9 + 0.1 * _share(a.words, b.words)
    if a.head != b.head and (a.clauses or b.clauses or COMMENT in (a.head, b.head)):
        return 0.0
    if a.name and a.name == b.name:
        return 1.0
    if a.name or b.name:
        return _share(a.words, b.words) if a.head == b.head and _share(a.words, b.words) > 0.7 else 0.0
    return _share(a.words, b.words)


@lru_cache(maxsize=20_000)
def _share(a: str, b: str) -> float:
    one, other = Counter(a.split("\x01")), Counter(b.split("\x01"))
    return 2 * (one & other).total() / max(one.total() + other.total(), 1)


def pair_clauses(a: Sequence[Clause], a_tokens: Tokens, b: Sequence[Clause], b_tokens: Tokens) -> list[Pair]:
    """Pairs of indices of clauses of two statements of one kind: by keyword, header and body.

    The first clause of an ``if`` may be a later one of the other; of other statements the first ones are a pair.
    """
    words = [[tokens.words[c.start : c.end] for c in clauses] for clauses, tokens in ((a, a_tokens), (b, b_tokens))]
    bodies = [["\x01".join(tokens.words[c.start : c.close]) for c in clauses] for clauses, tokens in ((a, a_tokens), (b, b_tokens))]
    chain = a_tokens.keys[a[0].start] == "^if"

    def alike(i: int, j: int) -> float:
        if not chain and not (i and j):
            return 10.0 if i == j else 0.0
        one, other = words[0][i][0], words[1][j][0]
        if chain:
            one, other = one.replace("^elif", "^if"), other.replace("^elif", "^if")
        if one != other:
            return 0.0
        return (words[0][i] == words[1][j]) + (words[0][i][1:] == words[1][j][1:]) + _share(bodies[0][i], bodies[1][j]) + 0.01

    return _best_pairs(len(a), len(b), alike)


def swapped_bodies(a: Sequence[Clause], a_tokens: Tokens, b: Sequence[Clause], b_tokens: Tokens, pairs: Sequence[Pair]) -> Sequence[Pair]:
    """The pairs of clauses whose bodies belong together: those given, unless two arms have changed places.

    >>> from transpiler.edits.structure import items_of
    >>> one, other = Tokens("if a:\\n    b\\nelse:\\n    c\\n"), Tokens("if d:\\n    c\\nelse:\\n    b\\n")
    >>> swapped_bodies(items_of(one)[0].clauses, one, items_of(other)[0].clauses, other, [(0, 0), (1, 1)])
    [(0, 1), (1, 0)]
    """
    if a_tokens.keys[a[0].start] != "^if" or len(pairs) < 2:
        return pairs
    bodies = [["\x01".join(tokens.words[c.end : c.close]) for c in clauses] for clauses, tokens in ((a, a_tokens), (b, b_tokens))]
    found = list(pairs)
    for k, (i, j) in enumerate(found):
        for m in range(k + 1, len(found)):
            x, y = found[m]
            straight = _share(bodies[0][i], bodies[1][j]) + _share(bodies[0][x], bodies[1][y])
            crossed = _share(bodies[0][i], bodies[1][y]), _share(bodies[0][x], bodies[1][j])
            if min(crossed) >= _SWAPPED and sum(crossed) > straight:
                found[k], found[m] = (i, y), (x, j)
                break
    return found


def _common_code(a: Tokens, a0: int, a1: int, b: Tokens, b0: int, b1: int) -> dict[int, int]:
    """The tokens of two rows that are equal, and then the comments that stand between equal ones in both.

    A layout may move a comment to another token of its row, but no code.
    """
    partner: dict[int, int] = {}

    def add(a0: int, a1: int, b0: int, b1: int, *, comments: bool) -> None:
        x = [i for i in range(a0, a1) if (a.keys[i] in COMMENTS) == comments]
        y = [j for j in range(b0, b1) if (b.keys[j] in COMMENTS) == comments]
        partner.update((x[i], y[j]) for i, j in common([a.words[i] for i in x], [b.words[j] for j in y]))

    add(a0, a1, b0, b1, comments=False)
    i, j = a0, b0
    for x, y in (*partner.items(), (a1, b1)):
        add(i, x, j, y, comments=True)
        i, j = x + 1, y + 1
    return partner


def pair_tokens(a: Tokens, a0: int, a1: int, b: Tokens, b0: int, b1: int, *, code_first: bool = False) -> list[Pair]:
    """Pairs of indices of tokens in two rows. A bracket has a pair only if the one that belongs to it has its.

    Args:
        a, a0, a1, b, b0, b1: the rows.
        code_first: pair comments only where that leaves the pairs of code as they are.
    """
    if code_first:
        partner = _common_code(a, a0, a1, b, b0, b1)
    else:
        partner = {a0 + i: b0 + j for i, j in common(a.words[a0:a1], b.words[b0:b1])}
    ours, theirs = a.pairs(a0, a1), b.pairs(b0, b1)
    for i in [i for i in partner if a.keys[i] in OPENING]:
        if i in partner:
            close, their_close = ours.get(i, -1), theirs.get(partner[i], -1)
            if close >= 0 <= their_close and partner.get(close) != their_close:
                crossing = [x for x, y in partner.items() if x == close or y == their_close or (x < close) != (y < their_close)]
                for x in crossing:
                    del partner[x]
                partner[close] = their_close
    closes = {close: opening for opening, close in ours.items()}
    their_closes = {close: opening for opening, close in theirs.items()}

    def fits(i: int, j: int) -> bool:
        if a.keys[i] in OPENING:
            return i in ours and partner.get(ours[i], -1) == theirs.get(j, -2)
        if a.keys[i] in CLOSING:
            return i in closes and partner.get(closes[i], -1) == their_closes.get(j, -2)
        return True

    return sorted((i, j) for i, j in partner.items() if fits(i, j))


def shown_tokens(view: Tokens, v0: int, v1: int, source: Tokens, s0: int, s1: int) -> list[Pair] | None:
    """The pairs of a row of a view, if it lacks only comments and parentheses that group; ``None`` if it does not."""
    pairs: list[Pair] = []
    groups = source.pairs(s0, s1)
    grouping = {j for opening, close in groups.items() if source.words[opening] == "(" for j in (opening, close)}
    left: set[int] = set()  # parentheses of the source whose partner is not in the view
    shown = view.pairs(v0, v1)

    def belong(opening: int, other: int) -> bool:
        """Whether the same stands after two groups."""
        after, other_after = shown.get(opening, v1) + 1, groups.get(other, s1) + 1
        while other_after < s1 and (source.keys[other_after] in COMMENTS or (other_after in grouping and source.keys[other_after] == ")")):
            other_after += 1
        return (view.words[after] if after < v1 else "") == (source.words[other_after] if other_after < s1 else "")

    i = v0
    for j in range(s0, s1):
        if i < v1 and view.words[i] == source.words[j] and j not in left and (source.words[j] != "(" or belong(i, j)):
            pairs.append((i, j))
            i += 1
        elif j in grouping:
            left.add(groups.get(j, j))
        elif source.keys[j] not in COMMENTS:
            return None
    return pairs if i == v1 else None

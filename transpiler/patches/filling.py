"""Code with parts left out, made whole again from the file: each line such as ``# ... existing code ...`` stands for a run of
statements between two that both have.

    file        code given anew          the whole
    a = 1       a = 1                    a = 1
    b = 2       # ...                    b = 2
    c = 3       c = 30                   c = 30

Statements are paired by what they say, then by their headers, then by what they define; never by how alike they look. Where two
readings are possible, that is an error.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, NamedTuple

from simpy_grammar.candidates import Candidate, listed
from simpy_grammar.errors import EditError, PlaceError
from simpy_grammar.python_tokens import LexError
from transpiler.edits.structure import Clause, Item
from transpiler.edits.tokens import DEDENT, INDENT, STRING
from transpiler.edits.writer import Rows, Writer
from transpiler.patches.change import Elided
from transpiler.patches.elided_items import LEVELS, Block, Program, ends_block

Ends = Literal["closed", "told", "open"]
"""What becomes of the file's statements at the beginning or end of a block where no line says that they stay: they go (the body of
a definition); that must be told (the whole file, but for comments and a docstring, which stay); they stay (a part of a block)."""
_SHOW_MORE = "show more of the code around it, without lines that stand for code"


class _Part(NamedTuple):
    """Tokens of the result: those of a program in a range, or the start or end of a block."""

    rows: Rows | None
    start: int
    end: int
    layout: str = ""


def filled(source: str, elided: Elided, *, path: str | None = None) -> str:
    """The whole program that code with parts left out means, in no particular layout.

    Args:
        source: the file.
        elided: the code.
        path: the file, for messages.

    Raises:
        EditError: it cannot be told what a line stands for, or what the code replaces.

    >>> from transpiler.patches.rewritten import cut_at_elisions
    >>> code = cut_at_elisions("def f():\\n    a()\\n    # ... existing code ...\\n    return 2\\n")
    >>> print(filled("x = 1\\ndef f():\\n    a()\\n    b()\\n    return 1\\n", code))
    x = 1
    def f ( ):
     a ( )
     b ( )
     return 2
    <BLANKLINE>
    """
    try:
        return _Filler(Program(source), elided).run()
    except EditError as error:
        error.path = error.path or path
        raise


def _code(source: str, elided: Elided) -> tuple[Program, Sequence[Item], int]:
    """The code as a program, its statements, and what they are indented by.

    Raises:
        EditError: it is not a block of Python, or a part of a statement was left out.
    """
    name = "__elided"
    while name in source or any(name in piece for piece in elided.pieces):
        name += "_"
    names = [f"{name}{i}__" for i in range(len(elided.elisions))]
    text = elided.pieces[0]
    for elision, stand_in, piece in zip(elided.elisions, names, elided.pieces[1:], strict=True):
        text += f"{elision.indent}{stand_in}\n{piece}"
    text = text.replace("\r\n", "\n")
    first = next((line for line in text.split("\n") if line.strip()), "")
    column = len(first) - len(first.lstrip(" \t"))
    prefix = "if 1:\n" if column else ""
    try:
        program = Program(prefix + text, names)
    except LexError as error:
        failed = PlaceError.at(prefix + text, error.offset, f"the code is not Python: {error}", path="<piece>")
        failed.line = (failed.line or 1) - bool(column)
        raise failed from None
    items = program.items
    if column:
        if len(items) != 1:
            raise EditError("the first line of the code is indented more than the others", hint="indent them as in the file")
        items = items[0].clauses[0].items
    found = sum(program.is_elided(item) for top in items for item in (top, *top))
    if found != len(names):
        raise EditError("a part of a statement was left out, and only whole statements can be", hint="give the statement as a whole")
    return program, items, column


class _Filler:
    def __init__(self, source: Program, elided: Elided) -> None:
        self.source = source
        self.code, self.items, self.column = _code(source.tokens.text, elided)
        stand_ins = [item for top in self.items for item in (top, *top) if self.code.is_elided(item)]
        self.bare = {id(item) for item, elision in zip(stand_ins, elided.elisions, strict=True) if elision.bare}

    def run(self) -> str:
        items, source = self.items, self.source
        told = [item for item in items if not self.code.is_elided(item)]
        statements = [item for item in told if self.code.keys(item).kind != "comment"]
        if len(told) == len(items) and statements and all(item.name for item in statements):
            return self._definitions(items)
        block = self._find_block(statements)
        whole = block.items is source.items
        parts = self._block(items, block, "told" if whole else "open")
        if whole:
            return _written(parts)
        first, last = block.items[0].start, block.items[-1].end
        return self._around([(first, last, parts)])

    def _around(self, changes: Iterable[tuple[int, int, list[_Part]]]) -> str:
        """The file with other parts in the place of ranges of its tokens."""
        rows = self.source.rows
        out: list[_Part] = []
        at = 0
        for start, end, parts in sorted(changes, key=lambda change: change[0]):
            out += (_Part(rows, at, start), *parts)
            at = end
        return _written([*out, _Part(rows, at, len(self.source.tokens))])

    # ------------------------------------------------------------------------------------------- what the code replaces

    def _definitions(self, items: Sequence[Item]) -> str:
        """The file with the definitions that the code gives anew."""
        changes: list[tuple[int, int, list[_Part]]] = []
        comments: list[Item] = []
        for item in items:
            if not item.name:
                comments.append(item)
                continue
            block, at = self._find_definition(item)
            ours = block.items[at]
            parts, start = self._item(item, ours), ours.start
            if comments:
                above = self._comments_above(block.items, at)
                if not above:
                    parts = [*(_part(self.code, comment) for comment in comments), *parts]
                elif [self.code.keys(c).words for c in comments] != [self.source.keys(c).words for c in above]:
                    raise EditError(f"it cannot be told which comments above {_name(item)} stay", hint=_SHOW_MORE)
                comments = []
            changes.append((start, ours.end, parts))
        if comments:
            raise EditError("a comment stands below the last definition, and nothing says where it goes", hint=_SHOW_MORE)
        for (_, end, _), (start, _, _) in zip(sorted(changes, key=_start), sorted(changes, key=_start)[1:], strict=False):
            if start < end:
                raise EditError("the code gives one definition twice")
        return self._around(changes)

    def _comments_above(self, items: Sequence[Item], at: int) -> Sequence[Item]:
        first = at
        while first and self.source.keys(items[first - 1]).kind == "comment":
            first -= 1
        return items[first:at]

    def _find_definition(self, item: Item) -> tuple[Block, int]:
        found = [(block, at) for block in self.source.blocks() for at, ours in enumerate(block.items) if ours.name == item.name]
        if len(found) > 1:
            found = [(block, at) for block, at in found if self.source.column(block.items[at]) == self.column] or found
        if len(found) > 1:
            header = self.code.keys(item).header
            found = [(block, at) for block, at in found if self.source.keys(block.items[at]).header == header] or found
        if len(found) == 1:
            return found[0]
        name = _name(item)
        if not found:
            raise PlaceError(
                f"nothing is called {name} in the file",
                hint="a line `# ... existing code ...` above or below a new definition says where it goes",
            )
        places = [Candidate.at(self.source.line(block.items[at]), block.name) for block, at in found]
        message = f"{name} is defined at {len(places)} places: {listed(places)}"
        raise PlaceError.among(places, message, hint="give what it is defined in, too")

    def _find_block(self, statements: Sequence[Item]) -> Block:
        """The block of the file that the code is a part of."""
        blocks = list(self.source.blocks())
        if not statements:
            raise EditError("the code holds no statement that tells where it belongs", hint=_SHOW_MORE)
        fitting = [block for block in blocks if block.items and all(self._is_in(statements[i], block) for i in (0, -1))]
        if len(fitting) > 1:
            fitting = [block for block in fitting if self.source.column(block.items[0]) == self.column] or fitting
        if len(fitting) == 1:
            return fitting[0]
        if not fitting:
            if not self.column and any(self.code.is_elided(item) for item in self.items):
                return blocks[0]
            raise PlaceError(
                "the statements of the code do not stand in one block of the file", hint="begin and end with lines of the file"
            )
        places = [Candidate.at(self.source.line(block.items[0]), block.name) for block in fitting]
        raise PlaceError.among(places, f"the code fits {len(places)} blocks: {listed(places)}", hint="give what it stands in, too")

    def _is_in(self, item: Item, block: Block) -> bool:
        keys = self.code.keys(item)
        for level in LEVELS:
            told = level(keys)
            if told is not None and any(level(self.source.keys(ours)) == told for ours in block.items):
                return True
        return False

    # ------------------------------------------------------------------------------------------------------------ blocks

    def _block(self, theirs: Sequence[Item], block: Block, ends: Ends) -> list[_Part]:
        ours = block.items
        pairs, exact = self._pairs(theirs, ours)
        leaves_out = any(map(self.code.is_elided, theirs))
        out: list[_Part] = []
        i = j = 0
        sure = True  # whether the statement before is the same in both
        for x, y in (*pairs, (len(theirs), len(ours))):
            new, old = theirs[i:x], ours[j:y]
            end = x == len(theirs)
            if any(map(self.code.is_elided, new)):
                out += self._around_elision(new, old, first=not i)
            elif old and ends != "closed" and (end or not i):
                out += self._at_the_end(new, old, ends)
            else:
                both = sure and (end or x in exact)
                if leaves_out and not both and any(self.source.keys(item).kind != "comment" for item in old):
                    raise self._unclear(f"whether {self._shown(old)} stays", old[0])
                out += (_part(self.code, item) for item in new)
            if not end:
                out += self._item(theirs[x], ours[y])
                sure = x in exact
            i, j = x + 1, y + 1
        return out

    def _at_the_end(self, new: Sequence[Item], old: Sequence[Item], ends: Ends) -> list[_Part]:
        """What comes before the first statement that both have, or after the last one, where no line stands for anything."""
        code = [item for item in old if not self._is_prose(item)]
        if new and (ends == "open" or code):
            raise self._unclear(f"whether {self._shown(new, self.code)} replaces {self._shown(old)}", old[0])
        if ends == "told" and code:
            raise self._unclear(f"whether {self._shown(code)} stays", code[0])
        return [*(_part(self.source, item) for item in old), *(_part(self.code, item) for item in new)]

    def _first_code(self, items: Sequence[Item]) -> Sequence[Item]:
        return [item for item in items if self.source.keys(item).kind != "comment"][:1]

    def _is_prose(self, item: Item) -> bool:
        """Whether something in the file is a comment, or may be its docstring."""
        return self.source.keys(item).kind == "comment" or self._is_docstring(item)

    def _is_docstring(self, item: Item) -> bool:
        keys = self.source.keys(item)
        return keys.kind == "Expr" and len(keys.words) == 1 and keys.words[0].startswith(STRING)

    def _around_elision(self, new: Sequence[Item], old: Sequence[Item], *, first: bool) -> list[_Part]:
        """Statements of the code with lines that stand for what the file has there."""
        at = [i for i, item in enumerate(new) if self.code.is_elided(item)]
        above, below = new[: at[0]], new[at[-1] + 1 :]
        between = [item for item in new[at[0] : at[-1]] if not self.code.is_elided(item)]
        if old:
            if between:
                raise self._unclear(f"where {self._shown(between, self.code)} goes", old[0])
            if first and above and any(map(self._is_docstring, self._first_code(old))):
                raise self._unclear(f"where {self._shown(above, self.code)} goes: above the docstring or below it", old[0])
            for item in above:
                self._check_new(item, old, old[0])
            for item in below:
                self._check_new(item, old, old[-1])
            if any(id(new[i]) in self.bare for i in at) and len(old) > 1 and any(self.source.source(item) == "..." for item in old):
                raise self._unclear("whether `...` is the statement or stands for code", old[0])
        parts = [*(_part(self.code, item) for item in (*above, *between)), *(_part(self.source, item) for item in old)]
        return [*parts, *(_part(self.code, item) for item in below)]

    def _check_new(self, item: Item, old: Sequence[Item], next_to: Item) -> None:
        """Refuse a statement that may as well be a new form of one that a line stands for.

        Raises:
            EditError: it cannot be told.
        """
        keys = self.code.keys(item)
        if self.code.has_elided(item):
            raise self._unclear(f"which statement {self._shown([item], self.code)} is", next_to)
        if keys.names:
            doubles = [other for other in old if keys.names & self.source.keys(other).names and keys.kind == self.source.keys(other).kind]
        else:
            doubles = [next_to] if self.source.keys(next_to).kind == keys.kind else []
        if doubles:
            raise self._unclear(f"whether {self._shown([item], self.code)} replaces {self._shown(doubles)}", doubles[0])

    # ------------------------------------------------------------------------------------------------------------- pairs

    def _pairs(self, theirs: Sequence[Item], ours: Sequence[Item]) -> tuple[list[tuple[int, int]], set[int]]:
        """The statements that are the same one in both, in order; and which of the code's say the same as the file's."""
        found: list[tuple[int, int]] = []
        exact: set[int] = set()
        for number, level in enumerate(LEVELS):
            mine = [None if self.code.is_elided(item) else level(self.code.keys(item)) for item in theirs]
            files = [level(self.source.keys(item)) for item in ours]
            more = True
            while more:
                more = False
                for i0, i1, j0, j1 in _gaps(found, len(theirs), len(ours)):
                    pairs = _unique(mine, files, i0, i1, j0, j1) or (_neighbours(mine, files, i0, i1, j0, j1) if not number else [])
                    if pairs != sorted(pairs, key=lambda pair: pair[1]):
                        raise self._unclear("what was left out, for the statements are in another order than in the file", ours[j0])
                    found = sorted(found + pairs)
                    exact |= {i for i, _ in pairs} if not number else set()
                    if pairs:
                        more = True
                        break
        for i0, i1, j0, j1 in _gaps(found, len(theirs), len(ours)):
            if i1 == len(theirs) and i0 < i1 and j0 < j1 and not self.code.is_elided(theirs[-1]):
                last, end = self.code.keys(theirs[-1]), self.source.keys(ours[-1])
                if ends_block(last) and last.kind == end.kind:
                    found.append((len(theirs) - 1, len(ours) - 1))
        exact = {i for i in exact if not self.code.has_elided(theirs[i])}
        return found, exact

    def _item(self, theirs: Item, ours: Item) -> list[_Part]:
        """A statement that both have, as the code gives it."""
        if not self.code.has_elided(theirs):
            return [_part(self.code, theirs)]
        heads = [self.code.tokens.keys[clause.start] for clause in theirs.clauses[1:]]
        if heads != [self.source.tokens.keys[clause.start] for clause in ours.clauses[1:]]:
            raise self._unclear(f"which parts of {self._shown([theirs], self.code)} stay", ours)
        out: list[_Part] = []
        for clause, old in zip(theirs.clauses, ours.clauses, strict=True):
            out += (_Part(self.code.rows, clause.start, clause.end), _Part(None, 0, 0, INDENT))
            out += self._block(clause.items, Block(self.source, old.items, ""), "closed")
            out.append(_Part(None, 0, 0, DEDENT))
        return out

    def _unclear(self, what: str, at: Item) -> EditError:
        tokens = self.source.tokens
        return EditError.at(tokens.text, tokens.starts[at.start], f"it cannot be told {what}", hint=_SHOW_MORE)

    def _shown(self, items: Sequence[Item], program: Program | None = None) -> str:
        text = " ".join((program or self.source).source(items[0]).split())
        return f"`{text if len(text) <= 50 else text[:47] + '...'}`"


def _gaps(pairs: Sequence[tuple[int, int]], theirs: int, ours: int) -> list[tuple[int, int, int, int]]:
    """The ranges between pairs."""
    gaps = []
    i = j = 0
    for x, y in (*pairs, (theirs, ours)):
        gaps.append((i, x, j, y))
        i, j = x + 1, y + 1
    return gaps


def _unique(mine: Sequence[object], files: Sequence[object], i0: int, i1: int, j0: int, j1: int) -> list[tuple[int, int]]:
    """What stands once in both ranges."""
    found = []
    for i in range(i0, i1):
        if mine[i] is not None and mine[i0:i1].count(mine[i]) == 1 and files[j0:j1].count(mine[i]) == 1:
            found.append((i, files.index(mine[i], j0, j1)))
    return found


def _neighbours(mine: Sequence[object], files: Sequence[object], i0: int, i1: int, j0: int, j1: int) -> list[tuple[int, int]]:
    """What is the same at the beginning of two ranges, or at their end."""
    if i0 < i1 and j0 < j1:
        if mine[i0] is not None and mine[i0] == files[j0]:
            return [(i0, j0)]
        if mine[i1 - 1] is not None and mine[i1 - 1] == files[j1 - 1]:
            return [(i1 - 1, j1 - 1)]
    return []


def _part(program: Program, item: Item | Clause) -> _Part:
    return _Part(program.rows, item.start, item.end)


def _start(change: tuple[int, int, list[_Part]]) -> int:
    return change[0]


def _name(item: Item) -> str:
    return item.name.removeprefix("NAME ")


def _written(parts: Iterable[_Part]) -> str:
    writer = Writer()
    for rows, start, end, layout in parts:
        if rows is None:
            writer.layout(layout)
            continue
        for i, at in enumerate(rows.at):
            if start <= at < end:
                writer.write(rows, i)
    return writer.text()

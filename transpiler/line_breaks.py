"""Where a logical line may break: after brackets and their separators, and before operators inside brackets.

Each bracket has two groups of breaks: its own (after it opens, before it closes) and its separators'. The operators of
one rank that join the operands of one element are a group, too; looser operators break first. Which groups are broken,
and how that is decided as the line arrives, belongs to ``transpiler.break_queue``; what a line is, to ``transpiler.pep8``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from simpy_grammar.terminals import ID, TERMINALS
from transpiler import lexeme_kinds as kind_of
from transpiler.break_queue import NOWHERE, Break, BreakQueue, Group, LineStarts

# A bracket, and an element with its separator, if they are short, without comments and with few brackets in brackets. That is
# to save time: where these fit on a line, nothing has to be known of the breaks in them.
_SIMPLE = rb"[^()iqQ]|q[^iqQ]{0,99}Q"
_NESTED = rb"\((?:%b){0,99}\)" % _SIMPLE
_NESTED = rb"\((?:%b|%b){0,99}\)" % (_SIMPLE, _NESTED)
_BRACKET = re.compile(rb"\((?:%b|%b){0,99}\)" % (_SIMPLE, _NESTED))
_ELEMENT = re.compile(rb"(?:[^(),iqQ]|q[^iqQ]{0,99}Q|%b){1,99}," % _NESTED)
_WHOLE = bytes((kind_of.LITERAL, kind_of.QUOTES))  # nothing breaks in these
_COMMENTS = re.compile(b"i*")
_TEXT = re.compile(b"x*")
_STRINGS = re.compile(b"(?:s%c)*" % kind_of.CONCATENATES)
_ASYNC = TERMINALS[ID["COMPREHENSION_ASYNC"]].python
_DEEPEST = 20  # brackets in brackets; deeper ones are not broken, so that indents stay a bounded multiple of the text
_SMALL = 8  # a bracket that holds one piece no longer than this is not broken: that gains too little
_MARK = len("<comment>")


class _Bracket:
    """An open bracket.

    Attributes:
        group: the breaks after it opens and before it closes.
        level: how much deeper than the logical line its content indents.
        start: the place where its content begins.
        operand: the place where the last operand of its last element begins.
        separators: the breaks after its separators, once there is one.
        chains: ranks and groups of the operators that join the operands of its last element, the loosest first.
        takes_comma: whether a comma may follow the last of several elements.
        torn: whether an element spans lines, however wide: then its separators are broken.
    """

    __slots__ = ("chains", "group", "level", "operand", "separators", "start", "takes_comma", "torn")

    def __init__(self, group: Group, level: int) -> None:
        self.group = group
        self.level = level
        self.start = self.operand = group.start
        self.separators: Group | None = None
        self.chains: list[tuple[int, Group]] = []
        self.takes_comma = True
        self.torn = False


class LineBreaker:
    """Writes logical lines to ``out``, broken where they are too long.

    Args:
        out: the pieces of text. What has been appended does not change any more.
        width: how many columns a line may have, if possible; ``NOWHERE`` for any number.
        starts: how lines begin.

    >>> from simpy_grammar.terminals import ID
    >>> terminals = [ID[name] for name in ("NAME", "(", "NAME", "ARGUMENT_SEP", "NAME", ")")]
    >>> out = []
    >>> breaker = LineBreaker(out, 12, LineStarts("", "    "))
    >>> breaker.begin(0)
    >>> breaker.write(bytes(terminals).translate(kind_of.KINDS), ["f", "(", "argument", ", ", "b", ")"])
    >>> breaker.end()
    >>> print("".join(out))
    f(
        argument,
        b,
    )
    """

    def __init__(self, out: list[str], width: int, starts: LineStarts) -> None:
        self._queue = BreakQueue(out, width, starts)
        self.begin(0)

    def begin(self, depth: int) -> None:
        """Stand after the indent of a logical line."""
        self._queue.begin(depth)
        self._brackets: list[_Bracket] = []
        self._of_header: list[Group] = []  # of parameters before an arrow: they are to fit with what it points to
        self._quotes = 0  # how many f-strings are open: nothing breaks in them ...
        self._deep = 0  # ... nor in brackets that are too deep
        self._async = False  # "async" has just begun a clause of a comprehension
        self._import: _Bracket | None = None  # the parentheses that an import has only if it is broken
        self._kinds = bytearray()  # lexemes that wait for the ones after them ...
        self._pieces: list[str] = []  # ... and their texts
        self._seen = 0  # how many comments begin them

    @property
    def column(self) -> int:
        """The column at the end of the line, once it has ended."""
        return self._queue.column

    # ----------------------------------------------------------------------------------------------------- lexemes

    def write(self, kinds: bytes | bytearray, pieces: Sequence[str], final: bool = False) -> None:
        """Add lexemes to the line: their kinds, and their texts in Python."""
        if self._kinds:
            self._kinds += kinds
            self._pieces += pieces
            kinds, pieces = self._kinds, self._pieces
        at, count = 0, len(pieces)
        add = self._queue.text
        while at < count:
            kind = kinds[at]
            if kind == kind_of.TEXT:
                end = _TEXT.match(kinds, at).end()  # type: ignore[union-attr]
                add("".join(pieces[at:end]))
                at = end
            elif kind == kind_of.INNER_COMMENT:
                end = _COMMENTS.match(kinds, at + self._seen).end()  # type: ignore[union-attr]
                if end == count and not final:
                    self._hold(kinds, pieces, at)
                    self._seen = count - at
                    return
                self._seen = 0
                self._comments(pieces[at:end], end < count and kinds[end] == kind_of.CLOSES)
                at = end
            elif self._quotes or self._deep or kind in _WHOLE:
                self._quotes += (kind == kind_of.QUOTES) - (kind == kind_of.UNQUOTES)
                if not self._quotes:
                    self._deep += (kind == kind_of.OPENS) - (kind == kind_of.CLOSES)
                self._literal(pieces[at])
                at += 1
            elif kind == kind_of.OPENS:
                if at + 2 >= count and not final and (at + 1 == count or kinds[at + 1] != kind_of.CLOSES):
                    self._hold(kinds, pieces, at)
                    return
                size = _atom(kinds, pieces, at)
                if size:
                    add("".join(pieces[at : at + size]))
                    at += size
                else:
                    at = self._open(kinds, pieces, at)
            elif kind == kind_of.CLOSES:
                self._close(pieces[at])
                at += 1
            elif kind in (kind_of.NAMES, kind_of.FUTURE):
                if at + 1 == count and not final:
                    self._hold(kinds, pieces, at)
                    return
                add(pieces[at])
                at += 1
                if at < count and kinds[at] == kind_of.TEXT and pieces[at] != "*":
                    self._open_import()
            elif not self._brackets or self._brackets[-1].group.broken is False:
                if kind == kind_of.ARROW:
                    self._of_header, self._queue.ended = self._queue.ended, []
                add(pieces[at])
                at += 1
            elif kind == kind_of.SEPARATES:
                self._separate()
                at = self._elements(kinds, pieces, at + 1)
            elif kind <= kind_of.TIGHTEST:
                self._operate(kind, pieces[at])
                at += 1
                if kind == kind_of.CONCATENATES:
                    at = self._strings(kinds, pieces, at)
            else:
                add(pieces[at])
                at += 1
                if kind == kind_of.BEGINS:
                    self._end_chains(0)
                    self._brackets[-1].operand = self._queue.total
        self._kinds, self._pieces = bytearray(), []

    def _hold(self, kinds: bytes | bytearray, pieces: Sequence[str], at: int) -> None:
        """Keep lexemes until those after them have arrived."""
        if kinds is not self._kinds or at:
            self._kinds, self._pieces = bytearray(kinds[at:]), list(pieces[at:])

    def end(self, tail: str = "") -> None:
        """End the line, with the text after its last lexeme."""
        queue = self._queue
        if self._kinds:
            self.write(b"", (), final=True)
        added = self._import
        if added is not None and self._brackets[-1] is added:
            self._close("")
        if tail:
            queue.text(tail)
        self._end_line()
        if added is not None and added.group.broken:
            queue.text(")")
        for item in queue.held:  # brackets that are still open, as the text stops there
            if isinstance(item, Break):
                item.group.broken = item.group.broken or False
        queue.decide()
        if queue.newline is not None:
            queue.out.append("\n")

    def _end_line(self) -> None:
        self._queue.ended += self._of_header
        self._of_header = []
        self._queue.end_line()

    # ----------------------------------------------------------------------------------------------------- brackets

    def _open(self, kinds: bytes | bytearray, pieces: Sequence[str], at: int) -> int:
        """A bracket that may break; return what comes after as much of it as has been written."""
        queue = self._queue
        queue.text(pieces[at])
        if len(self._brackets) == _DEEPEST:
            self._deep = 1
            return at + 1
        level = self._level(len(self._brackets))
        group = Group(queue.total)
        queue.add_break(group, level)
        match = _BRACKET.match(kinds, at)
        if match:
            end = match.end() - 1
            content = "".join(pieces[at + 1 : end])
            if "\n" not in content and queue.fits(level, content):
                queue.text(content)
                queue.add_break(group, level - 1)
                queue.ended.append(group)
                queue.text(pieces[end])
                return end + 1
        self._brackets.append(_Bracket(group, level))
        return at + 1

    def _open_import(self) -> None:
        self._import = _Bracket(Group(self._queue.total), 1)
        self._import.torn = True  # one name per line, if there is no room for all
        self._brackets.append(self._import)
        self._queue.add_break(self._import.group, 1, before="(")

    def _level(self, at: int) -> int:
        """How much deeper the content of a bracket indents: by one more than what the bracket stands in, unless that is flat."""
        if at == 0:
            return 1
        around = self._brackets[at - 1]
        return around.level + (around.group.broken is not False)

    def _close(self, text: str) -> None:
        queue = self._queue
        self._end_chains(0)
        bracket = self._brackets.pop()
        group, separators = bracket.group, bracket.separators
        if group.broken is not False:
            comma = group if bracket is self._import else separators if bracket.takes_comma else None
            if comma is not None:
                for ended in queue.ended:  # what stands last is to fit with the comma
                    ended.comma = 1
            if separators is not None:
                separators.limit = queue.total
            queue.add_break(group, bracket.level - 1, comma=comma)
            queue.ended.append(group)
        queue.text(text)

    def _separate(self) -> None:
        bracket = self._brackets[-1]
        self._end_chains(0)
        self._queue.text(",")
        if bracket.separators is None:
            bracket.separators = Group(bracket.start, True if bracket.torn else None)
        self._queue.add_break(bracket.separators, bracket.level, " ", separates=True)
        bracket.operand = self._queue.total

    def _elements(self, kinds: bytes | bytearray, pieces: Sequence[str], at: int) -> int:
        """Add the elements that each fit on a line of their own; return what comes after them."""
        queue = self._queue
        level = queue.newline
        if level is None or queue.held:
            return at
        while match := _ELEMENT.match(kinds, at):
            end = match.end()
            text = "".join(pieces[at:end]).rstrip(" ")
            if "\n" in text or not queue.fits(level, text):
                break
            queue.element(text, level)
            at = end
        self._brackets[-1].operand = queue.total
        return at

    # ---------------------------------------------------------------------------------------------------- operators

    def _operate(self, rank: int, text: str) -> None:
        queue, bracket = self._queue, self._brackets[-1]
        if self._async:
            self._async = False
            queue.text(text)
            return
        if rank == kind_of.LOOSEST:
            bracket.takes_comma = False
            self._async = text == _ASYNC
        start = self._end_chains(rank)
        chains = bracket.chains
        if not chains or chains[-1][0] != rank:
            chains.append((rank, Group(start)))
        queue.add_break(chains[-1][1], bracket.level, " ")
        bracket.operand = queue.total
        queue.text(text[1:])

    def _strings(self, kinds: bytes | bytearray, pieces: Sequence[str], at: int) -> int:
        """Add the strings of a chain that is broken, which all have a line of their own, but for the last; return where that is."""
        queue, bracket = self._queue, self._brackets[-1]
        level = queue.newline
        if level is None or queue.held or not bracket.chains[-1][1].broken:
            return at
        end = _STRINGS.match(kinds, at).end()  # type: ignore[union-attr]
        while at < end and "\n" not in pieces[at]:
            queue.element(pieces[at], level)
            at += 2
        bracket.operand = queue.total
        return at

    def _end_chains(self, rank: int) -> int:
        """End the chains of operators that bind tighter; return where the first of them begins."""
        bracket = self._brackets[-1]
        start = bracket.operand
        chains = bracket.chains
        while chains and chains[-1][0] > rank:
            group = chains.pop()[1]
            self._queue.ended.append(group)
            start = group.start
        return start

    # ------------------------------------------------------------------------------------------ literals and comments

    def _literal(self, text: str) -> None:
        """A piece that may span lines."""
        queue = self._queue
        if "\n" not in text:
            queue.text(text)
            return
        first, newline, rest = text.partition("\n")
        queue.text(first)
        self._end_line()
        bounded = queue.width != NOWHERE
        still_open = {bracket.separators for bracket in self._brackets}
        while queue.held:
            # Its first line fits. Brackets that hold nothing before it stay with it; others are broken.
            breaks = [item for item in queue.held if isinstance(item, Break)]
            if bounded and any(item.separates and item.group in still_open for item in breaks):
                breaks[0].group.broken = True
            else:
                for item in breaks:
                    item.group.broken = item.group.broken or False
            queue.decide()
        for at, bracket in enumerate(self._brackets):
            bracket.level = self._level(at)
            bracket.torn = bracket.torn or bounded
        queue.go_on(newline + rest)

    def _comments(self, texts: Sequence[str], closes: bool) -> None:
        """Comments inside brackets, and whether a bracket ends after them."""
        queue = self._queue
        last = self._brackets[-1] if self._brackets else None
        for bracket in self._brackets:
            groups = [bracket.group]
            # After the bracket itself a comment says nothing about what is in it: that may stand on one line.
            if bracket is not last or bracket.start != queue.total:
                bracket.torn = True
                groups += [group for _, group in bracket.chains]
                if bracket.separators is not None:
                    groups.append(bracket.separators)
            for group in groups:
                if group.broken is None:
                    group.broken = True
        if closes and last is not None and last.takes_comma and last.separators is not None and not self._quotes and not self._deep:
            if last.separators.broken:
                queue.text(",")
            last.takes_comma = False
        self._end_line()
        for text in texts:
            body = text[_MARK:].rstrip("\n")
            queue.comment(body.removeprefix("\n"), last.level if last else 1, own_line=body.startswith("\n"))


def _atom(kinds: bytes | bytearray, pieces: Sequence[str], at: int) -> int:
    """How many lexemes are a bracket too small to break."""
    if kinds[at + 1 : at + 2] == b")":
        return 2
    small = kinds[at + 2 : at + 3] == b")" and kinds[at + 1] not in b"(i" and len(pieces[at + 1]) <= _SMALL
    return 3 if small else 0

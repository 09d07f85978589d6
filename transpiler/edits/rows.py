"""A changed row of a program: the tokens that stay keep their bytes and what stands between them.

What is new is written as the canonical layout has it, or, in a bracket whose elements stand on lines of their own, on a line of
its own. For example, where ``c`` is new::

    f(              f(
        a,              a,
        b,     ->       b,
    )                   c,
                    )
"""

from __future__ import annotations

from transpiler.edits.alignment import pair_tokens
from transpiler.edits.printer import Printer
from transpiler.edits.string_parts import with_parts_of
from transpiler.edits.tokens import CLOSING, COMMENTS, FIELDS, OPENING, OPERAND_ENDS, Tokens


def row_end(tokens: Tokens, end: int) -> int:
    """The offset after the last of some tokens, and after the parenthesis that is not one of them."""
    return tokens.tails.get(end - 1, tokens.ends[end - 1])


class Row:
    """A row of a program that says what a row of another one says, as much as possible in its own bytes.

    Args:
        source: the program; ``s0`` and ``s1`` are its tokens.
        target: the other one, in the canonical layout without a width; ``t0`` and ``t1`` are its tokens.
        printer: prints the target as the file would have it.
    """

    def __init__(self, source: Tokens, s0: int, s1: int, target: Tokens, t0: int, t1: int, printer: Printer) -> None:
        self.source, self.s0, self.s1 = source, s0, s1
        self.target, self.t0, self.t1 = target, t0, t1
        self.printer = printer
        self.origin = {j: i for i, j in pair_tokens(source, s0, s1, target, t0, t1)}
        self.brackets = source.pairs(s0, s1)
        self.open: list[int] = []  # of each open bracket of the target: the one of the source that it comes from, or -1
        self._broken: set[int] = set()  # brackets of the target that stand as the printer has them
        self._lines: list[int] = []  # for each token of the target, the line that it is on

    def text(self) -> str:
        """The row."""
        source, target = self.source, self.target
        out: list[str] = []
        self.open.clear()
        self._lines.clear()
        number = 0
        indents = [self._indent()]
        broken = -1  # the token that closes the outermost bracket that is printed anew
        margins = ("", "")  # what its line begins with: as it is printed, as it is here
        partner = target.pairs(self.t0, self.t1)
        for j in range(self.t0, self.t1):
            i = self.origin.get(j, -1)
            key = target.keys[j]
            if key in CLOSING and self.open:
                self.open.pop()
            if j > self.t0:
                gap = self._printed_gap(j - 1, j, margins) if j <= broken else self._gap(j - 1, j)
                out.append(gap)
                number += gap.count("\n")
                if "\n" in gap:
                    indents[0] = gap[gap.rfind("\n") + 1 :]
            self._lines.append(number)
            token = self._new_token(j) if i < 0 else source.text[source.starts[i] : source.ends[i]]
            out.append(token)
            number += token.count("\n")
            if key in OPENING:
                self.open.append(i)
                if j in self._broken and j > broken:
                    broken, margins = partner[j], (self._printed_indent(j), indents[0])
        last = self.s1 - 1
        out.append(source.text[source.ends[last] : row_end(source, self.s1)])
        return "".join(out)

    def _new_token(self, j: int) -> str:
        """A token of the target as the file would have it; of a string with fields, only what has changed."""
        source, target = self.source, self.target
        token = self.printer.token(target.text[target.starts[j] : target.ends[j]])
        i = self.origin.get(j - 1, self.s0 - 1) + 1  # the token that it replaces, if both have fields
        if FIELDS not in target.words[j] or i >= self.s1 or FIELDS not in source.words[i] or i in self.origin.values():
            return token
        return with_parts_of(source.text[source.starts[i] : source.ends[i]], token)

    def break_line(self, number: int) -> bool:
        """Print the innermost bracket anew that holds a change on a line; whether there is one."""
        target = self.target
        partner = target.pairs(self.t0, self.t1)
        on_line = [self.t0 + k for k, line in enumerate(self._lines) if line == number]
        if not on_line:
            return False
        first, last = on_line[0], on_line[-1]
        changed = [j for j in on_line if j not in self.origin] or on_line
        printed = self.printer.printed
        fitting = [
            (close - opening, opening)
            for opening, close in partner.items()
            if opening not in self._broken
            and any(opening <= j <= close for j in changed)
            and close >= first
            and opening <= last
            and "\n" in printed.text[printed.starts[opening] : printed.starts[close]]
        ]
        if not fitting:
            return False
        self._broken.add(min(fitting)[1])
        return True

    def _printed_indent(self, j: int) -> str:
        text, start = self.printer.printed.text, self.printer.printed.starts[j]
        line = text[text.rfind("\n", 0, start) + 1 : start]
        return line[: len(line) - len(line.lstrip(" \t"))]

    def _printed_gap(self, before: int, after: int, margins: tuple[str, str]) -> str:
        printed = self.printer.printed
        gap = printed.text[printed.ends[before] : printed.starts[after]]
        return gap.replace("\n" + margins[0], "\n" + margins[1])

    def _gap(self, before: int, after: int) -> str:
        """What stands between two tokens of the target."""
        p, q = self.origin.get(before, -1), self.origin.get(after, -1)
        if 0 <= p == q - 1:
            return self._between(p)
        written = self._written(before, after)
        key, key_before = self.target.keys[after], self.target.keys[before]
        if key_before in COMMENTS or key in COMMENTS:
            return self._around_comment(p, q, written, key_before in COMMENTS)
        if p >= 0 and "(" in (gap := self._between(p)):
            return gap  # it opens an import or a `with`
        if self._replaces(before, after, p, q):
            return self._between(p) if q < 0 else self._between(q - 1)
        if q < 0 and p >= 0 and (key_before == "," or key_before in OPENING) and "\n" in (gap := self._between(p)):
            return gap  # what follows begins a line
        if q < 0:
            return self._element_gap(key_before, written)
        if key in CLOSING and key_before in OPENING:
            return ""
        gap = self._between(q - 1)
        if key in CLOSING or (key == "," and p >= 0):
            return gap
        if p >= 0 and key_before in OPENING:
            return self._between(p)
        if "\n" in gap and (p >= 0 or key_before == ","):
            return gap
        return written

    def _replaces(self, before: int, after: int, p: int, q: int) -> bool:
        """Whether one of two tokens is at the edge of a run that takes the place of another run of its kind."""
        if (p < 0) == (q < 0):
            return False
        first = after if q < 0 else before
        while first - 1 >= self.t0 and first - 1 not in self.origin:
            first -= 1
        last = after if q < 0 else before
        while last + 1 < self.t1 and last + 1 not in self.origin:
            last += 1
        start = self.origin.get(first - 1, self.s0 - 1)
        end = self.origin.get(last + 1, self.s1)
        if end - start < 2:
            return False
        edge, old = (first, start + 1) if q < 0 else (last, end - 1)
        return (self.target.keys[edge] in OPERAND_ENDS) == (self.source.keys[old] in OPERAND_ENDS)

    def _between(self, i: int) -> str:
        """What stands after a token of the source."""
        if not self.s0 <= i < self.s1 - 1:
            return ""
        return self.source.text[self.source.ends[i] : self.source.starts[i + 1]]

    def _written(self, before: int, after: int) -> str:
        """What the target has between two tokens; a line of it is indented as it would be in the source."""
        target = self.target
        gap = target.text[target.ends[before] : target.starts[after]]
        if "\n" not in gap:
            return gap
        theirs = target.starts[self.t0] - target.line_start(target.starts[self.t0])
        blanks = gap[gap.rfind("\n") + 1 :]
        return f"{gap[: gap.rfind(chr(10)) + 1]}{self._indent()}{blanks[theirs:]}"

    def _indent(self) -> str:
        start = self.source.starts[self.s0]
        line = self.source.text[self.source.line_start(start) : start]
        return line[: len(line) - len(line.lstrip(" \t\f"))]

    def _element_gap(self, key_before: str, written: str) -> str:
        """What stands before a new element: a line break, if each element of its bracket begins a line."""
        if key_before != "," and key_before not in OPENING:
            return written
        opening = self.open[-1] if self.open else -1
        if opening < 0:
            if not self.open and key_before == ",":
                return self._imported_gap(written)
            return written
        first = self._between(opening)
        if "\n" not in first:
            return written
        depth = 0
        for i in range(opening + 1, self.brackets.get(opening, self.s1)):
            key = self.source.keys[i]
            depth += (key in OPENING) - (key in CLOSING)
            if key == "," and not depth and self.source.keys[i + 1] not in COMMENTS and "\n" not in self._between(i):
                return written
        return first[first.find("\n") :]

    def _imported_gap(self, written: str) -> str:
        """What stands before a new name of an import whose names stand on lines of their own."""
        gaps = [self._between(i) for i in range(self.s0, self.s1 - 1)]
        first = next((gap for gap in gaps if "(" in gap), "")
        after_commas = [gap for i, gap in enumerate(gaps, self.s0) if self.source.keys[i] == ","]
        return first[first.find("\n") :] if "\n" in first and all("\n" in gap for gap in after_commas) else written

    def _around_comment(self, p: int, q: int, written: str, after: bool) -> str:
        if after:
            gap = self._between(q - 1) if q > self.s0 else ""
            if "\n" not in gap:
                gap = self._between(p) if p >= 0 else ""
            return gap if "\n" in gap else written if "\n" in written else f"\n{self._indent()}    "
        gap = self._between(q - 1) if q > self.s0 else ""
        return gap if gap else written

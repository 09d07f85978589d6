"""Python's layout: lines, indents, blank lines and comments, written as terminals arrive.

Texts are only ever appended to ``out``; the one thing that is revised is the *break*, the line break at the end of
``out``, since what follows decides how deep it indents and how many blank lines it holds. Which text a terminal has is
the business of ``simpy_grammar.terminals``.
"""

from __future__ import annotations

from simpy_grammar.parser import Action, StuckError
from simpy_grammar.terminals import DATA, GENERAL, PYTHON, SPACE_RULE

INDENT = "    "
_NOWHERE = -(1 << 60)  # an index that no piece ever has
DEFINITIONS = ("DEF", "CLASS")
CLAUSES = ("ELIF", "ELSE_STMT", "EXCEPT", "EXCEPT_GROUP", "FINALLY")
HEADERS = ("IF_STMT", "WHILE", "FOR_STMT", "WITH", "TRY", "MATCH", "CASE")
_IMPORTS = ("IMPORT", "FROM_IMPORT", "FUTURE_IMPORT")
SIMPLE_KEYWORDS = (*_IMPORTS, "PASS", "BREAK", "CONTINUE", "RETURN", "RAISE", "DEL", "ASSERT", "GLOBAL", "NONLOCAL", "TYPE_ALIAS")

DEEPEST = 511  # blocks in blocks: as many as the parser of Python takes, so that the indents stay a bounded multiple of the text
BLOCK_STARTS = ("BLOCK_START", *(name for name, general in GENERAL.items() if general == "BLOCK_START"))
BLOCK_ENDS = ("BLOCK_END", *(name for name, general in GENERAL.items() if general == "BLOCK_END"))


class TooDeepError(StuckError):
    """Blocks nest too deep. Where, is told by ``transpiler.mistakes``."""


class Layout:
    """Turns terminals into Python text in ``out``.

    Attributes:
        out: the pieces of the text.
        held: how many pieces at the end of ``out`` may still change; the others are settled.
    """

    def __init__(self, out: list[str]) -> None:
        self.out = out
        self.depth = 0
        self.blocks: list[str] = []  # the header keyword of each open block
        self.header = ""  # the keyword of the header being written
        self.statement = ""  # the keyword of the statement being written, for the blank line after imports
        self.colon_written = False  # a comment after the colon has been written before the block opens
        self.break_at = 0  # index in out of the break, if it is the last piece
        self.fresh_at = 0  # index of the break up to which only comments stand in this block: no blank lines before them
        self.comments_at = _NOWHERE  # index of the break before a run of whole-line comments ...
        self.comments_end = _NOWHERE  # ... and of the one after it
        self.decorated = False  # between a decorator and its definition
        self.is_async = False
        self.inner_comments: list[int] = []  # indices of breaks after comments inside brackets
        self.last_taken = ""  # the last character of the text that has been taken
        out.append("")

    # ------------------------------------------------------------------------------------------------------ breaks

    def _at_break(self) -> bool:
        return self.break_at == len(self.out) - 1

    def _break(self, blank_lines: int = 0) -> None:
        """End the line, or revise the break that stands at the end."""
        text = "\n" * (blank_lines + 1) + INDENT * self.depth
        if self._at_break():
            if self.out[-1]:  # the break at the start of the text stays empty
                self.out[-1] = text
        else:
            self.break_at = len(self.out)
            self.out.append(text)

    def _blank_lines(self) -> int:
        return 1 if self.depth else 2

    def _start_line(self, keyword: str) -> None:
        """Stand at the start of a line, where a statement with this keyword begins."""
        if not self._at_break():
            after_imports = self.statement in _IMPORTS and keyword not in _IMPORTS and not self.depth
            self._break(1 if after_imports else 0)
        self.statement = keyword

    def _start_definition(self) -> None:
        if self.decorated:
            if not self._at_break():
                self._break()
        elif self.fresh_at == len(self.out) - 1:
            pass
        elif self.comments_end == len(self.out) - 1:
            # The comments above belong to the definition: the blank lines go before them.
            at = self.comments_at
            if not self.out[at].startswith("\n" * (self._blank_lines() + 1)):
                self.out[at] = "\n" * (self._blank_lines() + 1) + INDENT * self.depth
        else:
            self._break(self._blank_lines())
        self.statement = "DEF"

    # --------------------------------------------------------------------------------------------------- terminals

    def write_keyword(self, keyword: str, text: str, clause: bool, opens: bool) -> None:
        """A statement or a clause that begins with a keyword."""
        if clause:
            self._break()
        self._start_line(keyword)
        if opens:
            self.header = keyword
        self.out.append(self._with_async(text))

    def write_definition(self, keyword: str, text: str) -> None:
        """A function or a class."""
        self._start_definition()
        self.decorated = False
        self.header = keyword
        self.out.append(self._with_async(text))

    def _with_async(self, text: str) -> str:
        if self.is_async:
            self.is_async = False
            return PYTHON["ASYNC"] + text
        return text

    def hold_async(self, _: str) -> None:
        """``async`` waits for the keyword after it."""
        self.is_async = True

    def decorator(self, _: str) -> None:
        """A decorator begins."""
        self._start_definition()
        self.decorated = True
        self.out.append(PYTHON["DECORATOR"])

    def line_sep(self, _: str) -> None:
        """A statement ends."""
        self._break(1 if self.statement in _IMPORTS and not self.depth else 0)
        self.statement = ""

    def block_start(self, _: str) -> None:
        """A block opens."""
        if not self.colon_written:
            self.out.append(":")
        self.colon_written = False
        if self.depth >= DEEPEST:
            raise TooDeepError(0, frozenset())
        self.blocks.append(self.header)
        self.depth += 1
        self._break()
        self.statement = ""
        self.fresh_at = self.break_at

    def block_end(self, _: str) -> None:
        """A block closes."""
        self.depth -= 1
        header = self.blocks.pop()
        self._break(self._blank_lines() if header in DEFINITIONS else 0)
        self.comments_end = self.fresh_at = _NOWHERE
        self.statement = ""

    def comment(self, text: str) -> None:
        """A comment on a line of its own."""
        if not self._at_break():
            self._break()
        fresh = self.fresh_at == self.break_at
        if self.comments_end != self.break_at:
            self.comments_at = self.break_at
        self.statement = ""
        self.out.append(text.rstrip("\n"))
        self._break()
        if fresh:
            self.fresh_at = self.break_at
        else:
            self.comments_end = self.break_at

    def trailing_comment(self, text: str) -> None:
        """A comment at the end of a statement."""
        self.out.append("  " + text.rstrip("\n"))
        self._break(1 if self.statement in _IMPORTS and not self.depth else 0)

    def header_comment(self, text: str) -> None:
        """A comment at the end of a header."""
        self.out.append(":  " + text.rstrip("\n"))
        self.colon_written = True

    def inner_comment(self, text: str) -> None:
        """A comment inside brackets."""
        body = text[len("<comment>") :].rstrip("\n")
        indent = "\n" + INDENT * (self.depth + 2)
        last = self.out[-1] if self.out else self.last_taken
        if body.startswith("\n"):
            body = body[1:] if last == indent else indent + body[1:]
        elif last == indent:
            pass
        else:
            body = (" " if last.endswith(" ") else "  ") + body
        self.out.append(body)
        self.inner_comments.append(len(self.out))
        self.out.append(indent)

    def verbatim(self, text: str) -> None:
        """A field that keeps its text."""
        self.out.append(verbatim_text(text))

    # -------------------------------------------------------------------------------------------------------- flush

    def take(self) -> str:
        """The settled text that has not been taken yet."""
        out = self.out
        first_held = len(out)
        if not first_held:
            return ""
        if self.inner_comments:
            self._join_lines()
        if self.inner_comments:
            first_held = self.inner_comments[0]
        elif self.break_at == first_held - 1:
            first_held = self.comments_at if self.comments_end == self.break_at else self.break_at
        text = "".join(out[:first_held])
        if text:
            self.last_taken = text[-1]
        del out[:first_held]
        self.break_at -= first_held
        self.fresh_at -= first_held
        self.comments_at -= first_held
        self.comments_end -= first_held
        if self.inner_comments:
            self.inner_comments = [at - first_held for at in self.inner_comments]
        return text

    def _join_lines(self) -> None:
        """An operator after a comment inside brackets starts its line without the blank before it."""
        kept = []
        for at in self.inner_comments:
            if at + 1 < len(self.out):
                self.out[at + 1] = self.out[at + 1].removeprefix(" ")
            else:
                kept.append(at)
        self.inner_comments = kept

    def finish(self) -> str:
        """The rest of the text, with its last line break."""
        if self._at_break():
            self.out.pop()
        text = self.take()  # with no break at the end nothing is held
        return text + "\n" if text or self.last_taken else text

    def break_off(self) -> str:
        """The rest of a text that stops anywhere; where that is the start of a line, one line break tells so."""
        text = self.take()
        if self.out and (self._at_break() or self.inner_comments[-1:] == [len(self.out) - 1]):
            self.out[-1] = self.out[-1] and "\n"
        text += "".join(self.out)
        self.out.clear()
        return text


def _keyword(keyword: str) -> Action:
    text = PYTHON[keyword]
    clause = keyword in CLAUSES
    opens = clause or keyword in HEADERS

    def write(layout: Layout, _: str) -> None:
        layout.write_keyword(keyword, text, clause, opens)

    return write


def _definition(keyword: str) -> Action:
    text = PYTHON[keyword]

    def write(layout: Layout, _: str) -> None:
        layout.write_definition(keyword, text)

    return write


def _actions() -> dict[str, Action]:
    table: dict[str, Action] = dict(PYTHON)
    table.update(dict.fromkeys(DATA))
    table[SPACE_RULE] = " "
    table.update({keyword: _definition(keyword) for keyword in DEFINITIONS})
    table.update({keyword: _keyword(keyword) for keyword in (*CLAUSES, *HEADERS, *SIMPLE_KEYWORDS)})
    # By name, not as functions of this class: layouts built on this one change what some of them do.
    table.update(dict.fromkeys(BLOCK_STARTS, lambda layout, text: layout.block_start(text)))
    table.update(dict.fromkeys(BLOCK_ENDS, lambda layout, text: layout.block_end(text)))
    table["ONLY_PASS"] = table["PASS"]
    table["ASYNC"] = lambda layout, text: layout.hold_async(text)
    table["DECORATOR"] = lambda layout, text: layout.decorator(text)
    table["LINE_SEP"] = lambda layout, text: layout.line_sep(text)
    table["COMMENT"] = lambda layout, text: layout.comment(text)
    table["TRAILING_COMMENT"] = lambda layout, text: layout.trailing_comment(text)
    table["HEADER_COMMENT"] = lambda layout, text: layout.header_comment(text)
    table["INNER_COMMENT"] = lambda layout, text: layout.inner_comment(text)
    table["FIELD_VERBATIM"] = lambda layout, text: layout.verbatim(text)
    return table


def verbatim_text(text: str) -> str:
    """The text of a field that is kept verbatim, out of its FIELD_VERBATIM."""
    return text[len("<debug>") : -len("<debug>")].replace("<debug\\", "<debug")


ACTIONS = _actions()
"""What to do with each terminal; the owner is the ``Layout``."""

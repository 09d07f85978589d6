"""The speller: lexemes in, the text of a dialect of SimPy out. Every rule about neighbours stands here, and only here.

Most lexemes have one spelling. Where a dialect spells a block start, a block end, a lone ``pass`` or a separator by what
stands beside it, the neighbours decide; in a dialect that spells them all alike, none are looked at.
"""

from __future__ import annotations

from collections.abc import Sequence

from simpy_grammar.aliases import spell as spell_aliases
from simpy_grammar.dialect import Dialect
from simpy_grammar.implied_closers import leave_out
from simpy_grammar.simpy_lexer import simpy_automaton
from simpy_grammar.spelling_table import table_of
from simpy_grammar.stream import Stream
from simpy_grammar.terminals import CLAUSE, COMMENT, COMPOUND, ID, LAYOUT, PREFIX, SIMPLE, SPACE, TERMINALS, ids

_BLOCK_START, _BLOCK_END, _PASS, _CASE, _COMMENT = (ID[name] for name in ("BLOCK_START", "BLOCK_END", "PASS", "CASE", "COMMENT"))
_HEADER_COMMENT, _EXCEPT = ID["HEADER_COMMENT"], ID["EXCEPT"]
_KEYWORDS = ids(PREFIX, *SIMPLE, *COMPOUND)
_CLAUSES = ids(CLAUSE)
_COMMENTS = ids(COMMENT)
_BARE_HEADERS = frozenset(ID[name] for name in ("ELSE_STMT", "TRY", "FINALLY"))
_CLOSING, _OPENING = frozenset(")]}'\""), frozenset("([{'\"")
_SEPARATED = [terminal.python.endswith(" ") or terminal.role in (LAYOUT, SPACE) for terminal in TERMINALS]  # from what follows, in Python
_NOWHERE = -1


class Speller:
    """Spells one stream, whole or in pieces.

    Args:
        dialect: how the terminals are spelled.
        check: refuse a dialect whose texts cannot be read; without it the spellings may be any marks.

    Raises:
        DialectError: the dialect is ambiguous.

    >>> from simpy_grammar.simpy_lexer import SimPyReader
    >>> reader = SimPyReader(Dialect.load("classic"))
    >>> reader.read_all("<if_stmt>a<block_start><pass><block_end>")
    >>> Speller(Dialect.load("dense")).spell_all(reader.stream)
    ['<if_stmt>', 'a', '{', '', '']
    """

    def __init__(self, dialect: Dialect, *, check: bool = True) -> None:
        if check and not dialect.is_built_in:
            simpy_automaton(dialect)
        self._table = table_of(dialect.without_aliases())
        self._aliases = dialect.aliases
        self._cases: list[bool] = []  # for each open block, whether it is that of a match statement
        self._before = [_NOWHERE, _NOWHERE]  # the last two terminals that have been spelled ...
        self._tail = ""  # ... and the last character

    def spell_all(self, stream: Stream) -> list[str]:
        """The texts of a whole stream, lexeme by lexeme."""
        return self.spell(stream.terminals, stream.texts, final=True)

    def spell(self, terminals: Sequence[int], texts: Sequence[str], *, final: bool = False) -> list[str]:
        """The texts of some lexemes, as far as they do not need what comes after them; with aliases, that is the whole program."""
        if self._aliases and not final:
            return []  # which names have aliases, the whole program says
        table, asked = self._table.texts, self._table.asked
        out = [text if (spelled := table[terminal]) is None else spelled for terminal, text in zip(terminals, texts, strict=True)]
        if self._aliases:
            spell_aliases(terminals, out, self._aliases)
        cases = list(self._cases) if self._table.spaced or self._table.implying else []
        for i in [i for i, terminal in enumerate(terminals) if asked[terminal]]:
            if not self._decide(terminals, out, i, final):
                del out[i:]
                break
        if self._table.spaced:
            self._set_apart(terminals, out, final, cases)
        if self._table.implying:
            self._leave_open(terminals, out, final, cases)
        if out and not final:
            self._before = [*self._before, *terminals[max(0, len(out) - 2) : len(out)]][-2:]
            self._tail = next((text[-1] for text in reversed(out) if text), self._tail)
        return out

    def _decide(self, terminals: Sequence[int], out: list[str], i: int, final: bool) -> bool:
        """Spell one lexeme by its neighbours; whether they are there."""
        terminal = terminals[i]
        if terminal in _COMMENTS:
            if not out[i].endswith("\n"):
                out[i] += "\n"  # the end of the text ended it, and that may be elsewhere now
            return True
        if terminal == _CASE:
            self._cases[-1] = True
            return True
        follows = terminals[i + 1] if i + 1 < len(terminals) else _NOWHERE
        if follows == _NOWHERE and not final:
            return False
        if terminal == _BLOCK_START:
            return self._start_block(terminals, out, i, follows, final)
        if terminal == _BLOCK_END:
            return self._end_block(terminals, out, i, follows, final)
        if terminal == _PASS:
            if self._table.only_pass and self._at(terminals, i - 1) == _BLOCK_START and follows == _BLOCK_END:
                out[i] = self._table.spell["ONLY_PASS"][0]
            return True
        before = out[i - 1] if i else self._tail
        if before[-1:] in _CLOSING and before and out[i + 1][:1] in _OPENING and out[i + 1]:
            out[i] = self._table.apart[terminal][1]
        return True

    def _set_apart(self, terminals: Sequence[int], out: list[str], final: bool, cases: list[bool]) -> None:
        """Write the spellings with blanks where Python has blanks, but not before a token in angle brackets.

        What follows the last lexeme may not be there; then it waits, and ``cases`` is what ``_cases`` was before all lexemes.
        """
        spaced, count = self._table.spaced, len(out)
        for i, terminal in enumerate(terminals[:count]):
            wide = spaced[terminal].get(out[i]) if terminal in spaced else None
            if wide is None:
                continue
            apart, after = _SEPARATED[terminal], i + 1
            while after < count and not out[after]:
                apart = apart or _SEPARATED[terminals[after]]
                after += 1
            if after < count:
                if apart and out[after][0] != "<":
                    out[i] = wide
            elif not final:
                del out[i:]
                self._wait(terminals[:i], cases)
                return

    def _leave_open(self, terminals: Sequence[int], out: list[str], final: bool, cases: list[bool]) -> None:
        """Leave out the closing brackets that are implied. What follows the last ones may not be there; then they wait, as above."""
        settled = leave_out(self._table.implying, terminals, out, self._before[-1], final=final)
        if settled < len(out):
            del out[settled:]
            self._wait(terminals[:settled], cases)

    def _wait(self, terminals: Sequence[int], cases: list[bool]) -> None:
        """Forget what was noted of lexemes after some, before which ``cases`` was noted."""
        if self._table.asked[_BLOCK_START]:
            self._cases = _cases_after(terminals, list(cases))  # it may be asked for twice

    def _at(self, terminals: Sequence[int], i: int) -> int:
        return terminals[i] if i >= 0 else self._before[i]

    def _start_block(self, terminals: Sequence[int], out: list[str], i: int, first: int, final: bool) -> bool:
        """Which block start it is: the header before it and the first statement after it say."""
        if first == _PASS and self._table.only_pass:
            if i + 2 == len(terminals) and not final:
                return False
            if terminals[i + 2] == _BLOCK_END:
                first = _NOWHERE  # a pass that is left out is not the keyword of a statement
        header = self._at(terminals, i - 1)
        if header == _HEADER_COMMENT:
            header = self._at(terminals, i - 2)
        if header == _EXCEPT:
            name = "EXPLICIT_BLOCK_START"
        elif header in _BARE_HEADERS:
            name = "EXPLICIT_BLOCK_START" if first == _COMMENT else "BARE_BLOCK_START"
        elif first == _CASE:
            name = "MATCH_BLOCK_START"
        else:
            name = "KEYWORD_BLOCK_START" if first in _KEYWORDS else "BLOCK_START"
        out[i] = self._table.spell[name][0]
        self._cases.append(False)
        return True

    def _end_block(self, terminals: Sequence[int], out: list[str], i: int, follows: int, final: bool) -> bool:
        """Which block end it is: what follows it says, and whether its block is that of a match statement."""
        if self._table.final_ends:
            last = i
            while last < len(terminals) and terminals[last] == _BLOCK_END:
                last += 1
            if last == len(terminals):
                if not final:
                    return False
                self._cases.pop()
                out[i] = self._table.spell["FINAL_BLOCK_END"][0]
                return True
        name = "MATCH_BLOCK_END" if self._cases.pop() else "CLAUSE_BLOCK_END" if follows in _CLAUSES else "BLOCK_END"
        out[i] = self._table.spell[name][0]
        return True


def _cases_after(terminals: Sequence[int], cases: list[bool]) -> list[bool]:
    """For each block that is open after some lexemes, whether it is that of a match statement."""
    for terminal in terminals:
        if terminal == _BLOCK_START:
            cases.append(False)
        elif terminal == _CASE:
            cases[-1] = True
        elif terminal == _BLOCK_END:
            cases.pop()
    return cases

"""What a constraint and its states work with: the tables of a vocabulary and a dialect, and readings of a text by them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import and_, or_
from typing import Any

from simpy_grammar.dialect import SPECIAL_TOKEN, Dialect
from simpy_grammar.tables import END, Key
from simpy_grammar.terminals import Version
from tokenizer_ext.constrain.bound import Aliases, Bound
from tokenizer_ext.constrain.budgets import Budgets
from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.layouts import DEDENT, INDENT, NEWLINE
from tokenizer_ext.constrain.leads import Lead, Leads
from tokenizer_ext.constrain.lexer import Path, symbols_of
from tokenizer_ext.constrain.lexers import lexer_of
from tokenizer_ext.constrain.mask import Mask, Remembered
from tokenizer_ext.constrain.masks import Masks
from tokenizer_ext.constrain.readings import Reading, Readings
from tokenizer_ext.constrain.stacks import Parser, Stack
from tokenizer_ext.constrain.trees import Tables
from tokenizer_ext.constrain.valid import Judge, Verdict
from tokenizer_ext.constrain.vocabulary import Vocabulary
from tokenizer_ext.constrain.ways import Search

_SPECIAL = re.compile(SPECIAL_TOKEN)
_MOST_BYTES = 8_000_000  # of masks that are kept in one table; there are four
# What people call tokens that have many texts or none.
_CALLED = {
    END: "the end",
    "NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a string",
    **dict.fromkeys(("COMMENT", "INNER_COMMENT"), "a comment"),
    **{NEWLINE: "a new line", INDENT: "an indented block", DEDENT: "the end of a block"},
}


class Engine:
    """Reads texts in the ids of a tokenizer, in every way that they can be read.

    Args:
        tokenizer: see ``Constraint``, as for all of these.
        dialect: the dialect.
        ends: the ids that end a text.
        valid_python: whether the rules of valid Python hold, too.
        version: the Python that has to read what is written.

    Attributes:
        lexer: reads symbol by symbol.
        vocabulary: the ids.
        tables: what ids do in the states of the lexer.
        masks: which ids the parser takes.
        parser: the parser.
        end_bits: the ids that end a text, as bits.
        leads: what may come first after a converted beginning.
        judge: asks the rules; ``None`` if they do not hold.
        aliases: which aliases of names may come; ``None`` if the dialect has none.
        union: the ids that are in one of two numbers, or in both.
        common: the ids that are in both of two numbers.
    """

    def __init__(
        self,
        tokenizer: Any,
        dialect: Dialect,
        ends: Collection[int] | None,
        *,
        valid_python: bool,
        version: Version | None,
    ) -> None:
        self.lexer = lexer_of(dialect)
        self.vocabulary = Vocabulary(tokenizer, dialect, self.lexer.specials, ends)
        self.tables = Tables(self.lexer, self.vocabulary)
        self.masks = Masks(self.lexer, self.tables)
        self.parser = Parser(self.lexer)
        self.end_bits = bits_of(self.vocabulary.ends)
        self._made_budgets: Budgets | None = None
        self._made_search: Search | None = None
        self._mask_of: dict[int, Mask] = {}
        self._known_masks: dict[int, tuple[int, Mask]] = {}  # by the identity of the bits, which are kept: to hash them takes long
        self._most_masks = _MOST_BYTES // (self.vocabulary.size // 8 + 1)
        self.union = Remembered(or_, self._most_masks)
        self.common = Remembered(and_, self._most_masks)
        self.leads = Leads(self.lexer, self.tables)
        self.judge = Judge(self.lexer, self.tables, self.parser, version) if valid_python else None
        self.aliases = Aliases(self.lexer, self.vocabulary) if self.lexer.aliases else None

    def mask_of(self, bits: int) -> Mask:
        """The mask of some ids, given as bits. Those that were asked for last are kept: most masks come again and again."""
        known = self._known_masks.get(id(bits))
        if known is not None:
            return known[1]
        found = self._mask_of.get(bits)
        if found is not None:
            return found  # most equal ones are the same object; the others are made anew each time
        if len(self._mask_of) > self._most_masks:
            self._mask_of.clear()
        found = self._mask_of[bits] = Mask(bits, self.vocabulary.size)
        if len(self._known_masks) > self._most_masks:
            self._known_masks.clear()
        self._known_masks[id(bits)] = bits, found
        return found

    @property
    def budgets(self) -> Budgets:
        """How many ids an end takes."""
        if self._made_budgets is None:
            self._made_budgets = Budgets(self.lexer, self.tables, self.parser)
        return self._made_budgets

    @property
    def search(self) -> Search:
        """Finds ways to an end."""
        if self._made_search is None:
            self._made_search = Search(self.lexer, self.parser, self.budgets.closing, self.budgets.spelled, self.judge)
        return self._made_search

    @property
    def beginning(self) -> Readings:
        """The beginning of a text."""
        verdict = self.judge.beginning if self.judge is not None else None
        bound = Bound(0, {}) if self.aliases is not None else None
        return (Reading(self.lexer.beginning, Stack(self.lexer.automaton.root(0), None, self.lexer.indents), verdict, bound),)

    def through(self, readings: Readings, text: str, lead: Lead | None, *, looks_ahead: bool = True) -> tuple[Readings, Lead | None, int]:
        """The readings after a text, or after its beginning that can stand here; the lead after it; and where that ends.

        Unless it looks ahead, a token that nothing can end is noticed only where it would have to end.
        """
        at = 0
        while at < len(text):
            special = _SPECIAL.match(text, at) if text[at] == "<" else None
            symbol = self.lexer.specials.get(special[0]) if special else None
            found, led = self.led(readings, symbol, (special[0].encode(),), lead) if symbol and special else ((), lead)
            end = special.end() if found and special else at + 1
            is_alias = symbol is not None and symbol in self.lexer.aliases and self.lexer.step(readings[0].state, symbol)
            if not found and not is_alias:
                found, led = self.led(readings, symbols_of(text[at]), (text[at].encode(),), lead)
            if looks_ahead:
                found = self.live(found, led)
            if not found:
                break
            readings, lead, at = found, led, end
        return readings, lead, at

    def expected(self, readings: Readings) -> tuple[str, ...]:
        """What may stand next in some readings, for people."""
        keys: list[Key] = []
        for state, stack, verdict, _ in readings:
            for path in self.lexer.finish(state):
                after = self.parser.follow(stack, path)
                found = self.judge.pushed(verdict, stack, path, is_all=True) if self.judge and verdict and after else None
                if after is not None and (found is not None or verdict is None):
                    row = self.lexer.automaton.rows[after.node.state]
                    keys += [key for key in row if self.parser.push(after, key) is not None and not self._refuses(found, after, key)]
            if not state.is_start:
                paths = [path for path, _ in self.lexer.resolutions(state) if self.parser.follow(stack, path) is not None]
                keys = [*(path[0].key for path in paths if not self._refuses(verdict, stack, path[0].key)), *keys]
        return tuple(dict.fromkeys(self._called(key) for key in keys))

    def hint(self, readings: Readings, symbols: str) -> str:
        """What people should know if some symbols must not come: what is wrong with an alias, else what may stand there."""
        state, _, _, bound = readings[0]
        fault = self.aliases.fault(symbols, bound, state) if self.aliases is not None and bound is not None else ""
        return fault or f"here may stand: {', '.join(self.expected(readings)[:12])}"

    def special_at(self, text: str, at: int) -> str:
        """The symbol of the token in angle brackets that stands at an offset; empty if none does."""
        special = _SPECIAL.match(text, at)
        return self.lexer.specials.get(special[0], "") if special else ""

    def _refuses(self, verdict: Verdict | None, stack: Stack, key: Key) -> bool:
        """Whether a rule refuses a token, whatever its text."""
        return verdict is not None and self.judge is not None and self.judge.refuses(verdict, stack, key)

    def _called(self, key: Key) -> str:
        """What people call a token."""
        if key in _CALLED:
            return _CALLED[str(key)]
        token = self.lexer.automaton.token_of[key]
        kind, text = self.lexer.automaton.tables.patterns[token]
        found = self.lexer.texts(token)
        return found if isinstance(found, str) else text if kind == "str" else _CALLED.get(token) or token.lower().replace("_", " ")

    def live(self, readings: Readings, lead: Lead | None = None) -> Readings:
        """The readings whose unfinished token can still become one that the parser, the rules and the lead accept."""
        return tuple(one for one in readings if self._is_live(one) and (lead is None or self.leads.is_live(lead, one.state)))

    def _is_live(self, reading: Reading) -> bool:
        state, stack, verdict, _ = reading
        if verdict is not None and self.judge is not None:
            return self.judge.is_live(verdict, stack, state)
        return state.is_start or any(self.parser.follow(stack, path) is not None for path, _ in self.lexer.resolutions(state))

    def read(self, readings: Readings, symbols: str, parts: Sequence[bytes] = ()) -> Readings:
        """The readings after some symbols, each with its bytes in ``parts``; empty if no program has them here."""
        for at, symbol in enumerate(symbols):
            part = parts[at] if parts else b""
            if len(readings) == 1:
                readings = tuple(self._read_one(readings[0], symbol, part))
            elif readings:
                readings = self._merged(found for reading in readings for found in self._read_one(reading, symbol, part))
        return readings

    def _read_one(self, reading: Reading, symbol: str, part: bytes) -> Iterator[Reading]:
        return (after for _, after in self._branches(reading, symbol, part))

    def _branches(self, reading: Reading, symbol: str, part: bytes) -> Iterator[tuple[Path, Reading]]:
        """The tokens that a symbol decides, and the readings after it."""
        state, stack, verdict, bound = reading
        if bound is not None and self.aliases is not None and symbol in self.lexer.aliases:
            added = self.aliases.after(bound, state, symbol, verdict.text if verdict is not None else b"")
            if added is None:
                return
            bound, part = added
        for path, to in state.branches.get(symbol) or self.lexer.step(state, symbol):
            after = self.parser.follow(stack, path) if path else stack
            if after is None:
                continue
            if verdict is None or self.judge is None:
                yield path, Reading(to, after, None, bound)
            else:
                found = self.judge.read(verdict, stack, path, to, part)
                if found is not None:
                    yield path, Reading(to, after, found, bound)
            if self.lexer.is_exclusive:
                break

    def led(self, readings: Readings, symbols: str, parts: Sequence[bytes], lead: Lead | None) -> tuple[Readings, Lead | None]:
        """The readings after some symbols, as far as a lead lets them come, and the lead after them."""
        at = 0
        while lead is not None and readings and at < len(symbols):
            symbol, part = symbols[at], parts[at] if parts else b""
            path, after = next(self._branches(readings[0], symbol, part), ((), None))
            if after is None:
                return (), lead
            lead, may = self.leads.after(lead, readings[0].state, symbol, path)
            readings = (after,) if may else ()
            at += 1
        return self.read(readings, symbols[at:], parts[at:]), lead

    def _merged(self, readings: Iterable[Reading]) -> Readings:
        """The readings without duplicates. At the beginning of a line, all of them continue alike, so one is left."""
        found = tuple(dict.fromkeys(readings))
        return found[:1] if found and all(self.lexer.begins_line(reading.state) for reading in found) else found

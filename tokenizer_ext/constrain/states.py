"""A state of a constraint: how far a text has come, and which ids may come next."""

from __future__ import annotations

from collections.abc import Sequence

from tokenizer_ext.constrain.closing import NO_WAY
from tokenizer_ext.constrain.engine import Engine
from tokenizer_ext.constrain.groups import bits_of
from tokenizer_ext.constrain.leads import Accepts, Lead, lead_of
from tokenizer_ext.constrain.lexer import LexerState
from tokenizer_ext.constrain.mask import Mask
from tokenizer_ext.constrain.readings import Reading, Readings
from tokenizer_ext.constrain.stacks import Stack
from tokenizer_ext.constrain.suffixes import Suffix
from tokenizer_ext.constrain.utf8 import WHOLE, Rest, characters, read
from tokenizer_ext.constrain.valid import Verdict
from tokenizer_ext.constrain.ways import Place
from tokenizer_ext.errors import TokenizerError

_AMPLE = 8  # ids beyond the shortest end, from which on few ids move the end beyond the budget
_NEAR = 24  # ids beyond the longest end that a lead knows: where no more are left, each id is tried


class State:
    """How far a text has come. A value: ``advance`` returns another one, and what was returned before stays as it is.

    Keeping a state is a copy of it; going back is taking an older one.

    Attributes:
        engine: what reads ids.
        ended: whether an id has ended the text.
    """

    __slots__ = ("_bits", "_each", "_ends_here", "_lead", "_readings", "_rest", "_said", "_shorn", "_suffix", "_way", "ended", "engine")

    def __init__(self, engine: Engine, readings: Readings, rest: Rest, shorn: bool, ended: bool = False, lead: Lead | None = None) -> None:
        self.engine = engine
        self.ended = ended
        self._lead = lead
        self._suffix: Suffix | None = None
        self._said = b""  # since the beginning, where a suffix follows
        self._ends_here: bool | None = None
        self._readings = readings
        self._rest = rest
        self._shorn = shorn
        self._bits: int | None = None
        self._each: tuple[int, ...] | None = None
        self._way: tuple[int, ...] | None = None

    def advance(self, number: int) -> State:
        """The state after an id.

        Raises:
            TokenizerError: the id must not come here.
        """
        state = self.after(number)
        if state is None:
            vocabulary = self.engine.vocabulary
            symbols = vocabulary.spellings.symbols[number] if number in vocabulary.own else ""
            hint = self.engine.hint(self._readings, symbols)
            raise TokenizerError(f"id {number} ({vocabulary.text(number)}) must not come here", hint=hint)
        return state

    def after(self, number: int) -> State | None:
        """The state after an id; ``None`` if it must not come here."""
        state = self.read(number)
        if state is None or state.ended:
            return state
        live = self.engine.live(state._readings, state._lead)
        return state._with(live) if live else None

    def _with(self, readings: Readings) -> State:
        """The state with some of its readings."""
        same = len(readings) == len(self._readings)
        if same:
            return self
        found = State(self.engine, readings, self._rest, self._shorn, lead=self._lead)
        found._suffix, found._said = self._suffix, self._said
        return found

    def read(self, number: int) -> State | None:
        """The state after an id, whether anything follows that or not; ``None`` if the id must not come here."""
        engine = self.engine
        vocabulary = engine.vocabulary
        if number in vocabulary.ends:
            return self.finished()
        if self.ended:
            return None
        readings = self._readings
        parts: Sequence[bytes] = ()
        if number in vocabulary.own:
            symbols, rest, shorn = vocabulary.spellings.symbols[number], WHOLE, bool(vocabulary.dummy)
            first = () if self._rest.left else engine.read(tuple(one._replace(verdict=None) for one in readings), symbols[0])
            if engine.aliases is not None and (bound := readings[0].bound) is not None:
                first = first if engine.aliases.may_come(number, bound, readings[0].state) else ()
            if not first or (number in vocabulary.atomic and engine.lexer.in_literal(first[0].state)):
                return None
            if engine.judge is not None:
                parts = vocabulary.parts(number)
        else:
            piece = vocabulary.pieces.get(number)
            if piece is None:
                return None
            piece = piece.removeprefix(vocabulary.dummy.encode()) if self._shorn else piece
            found = read(piece, self._rest)
            if found is None:
                return None
            (symbols, rest), shorn = found, False
            if engine.judge is not None:
                first_part, *parts = characters(piece)
                readings = tuple(reading.with_text(first_part) for reading in readings)
        readings, lead = engine.led(readings, symbols, parts, self._lead)
        return self._followed(State(engine, readings, rest, shorn, lead=lead), number) if readings else None

    def run(self, ids: Sequence[int] | None) -> State | None:
        """The state after some ids; ``None`` if one must not come, or if ``ids`` is ``None``."""
        state: State | None = self if ids is not None else None
        for number in ids or ():
            state = state.read(number) if state is not None else None
        return state

    def finished(self) -> State | None:
        """The state after the end of the text; ``None`` if it must not end here."""
        return State(self.engine, self._readings, WHOLE, False, ended=True) if self.may_end() else None

    def _followed(self, state: State, number: int) -> State:
        """A state after an id, before the same suffix."""
        if self._suffix is not None:
            vocabulary = self.engine.vocabulary
            piece = vocabulary.bytes_of(number)
            lost = vocabulary.dummy.encode() if self._shorn and number in vocabulary.pieces else b""
            state._suffix, state._said = self._suffix, self._said + piece.removeprefix(lost)
        return state

    def before(self, suffix: Suffix) -> State:
        """The same state of a text that a suffix is to follow: it may end only where the suffix can stand.

        Then no mask tells all; ids are asked for with ``within``, as where the rules of valid Python hold.

        >>> import tiktoken
        >>> from tokenizer_ext import extend
        >>> from tokenizer_ext.constrain import Constraint
        >>> bytes_only = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
        >>> state = Constraint(extend(bytes_only)).start("<return>f(a+").before(Suffix(" c)"))
        >>> state.may_end(), state.advance(ord("b")).may_end(), state.within(ord("b"), 1) is None, state.within(ord("["), 1) is None
        (False, True, False, True)
        """
        state = State(self.engine, self._readings, self._rest, self._shorn, lead=self._lead)
        state._suffix = suffix
        return state

    @property
    def said(self) -> str:
        """What has been written since a suffix was set, without the beginning of a character."""
        return self._said.decode(errors="ignore")

    def may_end_after(self, text: str) -> bool:
        """Whether the text may end after some more of it that comes here."""
        readings, lead, at = self.engine.through(self._readings, text, self._lead)
        state = State(self.engine, readings, WHOLE, False, lead=lead)
        state._suffix, state._said = self._suffix, self._said + text.encode()
        return at == len(text) and state.may_end()

    @property
    def asks(self) -> bool:
        """Whether masks do not tell all, so that ids have to be asked for with ``within``."""
        return self.engine.judge is not None or self._suffix is not None

    def mask(self, budget: int | None = None) -> Mask:
        """The ids that may come next.

        Args:
            budget: how many ids may still come, without the one that ends the text. Then only those may after which the rest of the
                budget suffices for an end. If it suffices for none, those that come nearest to one may.
        """
        return self.engine.mask_of(self._all() if budget is None else self._affordable(budget))

    def rough_mask(self, budget: int) -> Mask:
        """A mask that costs less than ``mask(budget)`` and may hold more ids that ``within(id, budget)`` refuses.

        It is for those who draw an id, ask ``within``, and draw again: without the rules, and without the budget where it is ample.

        >>> import tiktoken
        >>> from tokenizer_ext import extend
        >>> from tokenizer_ext.constrain import Constraint
        >>> bytes_only = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
        >>> state = Constraint(extend(bytes_only), valid_python=True).start("f(a=1 b")
        >>> ord(")") in state.mask(99), ord(")") in state.rough_mask(99), ord(")") in state.rough_mask(3)
        (False, True, False)
        """
        if self.engine.judge is None or self.ended or (self._suffix is None and budget <= self.least() + _AMPLE):
            return self.mask(budget)
        bits = self.engine.end_bits if self.may_end() else 0
        for reading in self._readings:
            bits |= self._grammatical(reading)
        return Mask(bits, self.engine.vocabulary.size)

    def _all(self) -> int:
        if self._bits is None:
            each = () if self.ended else self._of_each()
            bits = each[0] if each else 0
            for own in each[1:]:
                bits |= own
            self._bits = self.engine.union(bits, self.engine.end_bits) if self.may_end() else bits
        return self._bits

    def _of_each(self) -> tuple[int, ...]:
        """The ids that may come next in each reading."""
        if self._each is None:
            self._each = tuple(map(self._of, self._readings))
        return self._each

    def _of(self, reading: Reading) -> int:
        judge = self.engine.judge
        bits = self._grammatical(reading)
        if judge is None or reading.verdict is None:
            return bits
        return bits & judge.bits(reading.state, self._rest, self._shorn, reading.stack, reading.verdict)

    def _grammatical(self, reading: Reading) -> int:
        """The ids that may come next in a reading, if no rules hold."""
        state, stack, _, bound = reading
        bits = self.engine.masks.bits(state, self._rest, self._shorn, stack)
        if bound is not None and self.engine.aliases is not None:
            bits = self.engine.common(bits, self.engine.aliases.bits(bound, state))
        if self._lead is not None:
            bits &= self.engine.leads.bits(self._lead, state, self._rest, self._shorn)
        return bits

    def _affordable(self, budget: int) -> int:
        if self.ended:
            return 0
        engine = self.engine
        if self._suffix is not None:
            return self._all() | bits_of((self.way(budget) or ())[:1])
        budget = max(budget, self.least())
        bits = 0
        if self._lead is not None and budget <= self._lead.most + _NEAR:  # what ids move away is an end that the lead may refuse
            bits = bits_of([number for number in Mask(self._all(), engine.vocabulary.size) if self._leaves(number, budget - 1)])
        else:
            for reading, allowed in zip(self._readings, self._of_each(), strict=True):
                bits |= engine.budgets.bits(reading.state, self._rest, self._shorn, reading.stack, budget, allowed)
        way = self.way(budget) if engine.judge is not None else None
        if way:
            bits |= 1 << way[0]
        return bits | engine.end_bits if self.may_end() else bits

    def _leaves(self, number: int, budget: int) -> bool:
        """Whether so many ids suffice for an end after an id."""
        state = self.read(number)
        return state is not None and not state.ended and state.least() <= budget

    def leading(self, accepts: Accepts) -> State:
        """The same state, from which only those tokens may come next that begin a text that is accepted.

        Args:
            accepts: whether a text may follow that ends the program. It is asked about one text for each token that the grammar takes.

        Raises:
            TokenizerError: no text is accepted.

        >>> import tiktoken
        >>> from tokenizer_ext import extend
        >>> from tokenizer_ext.constrain import Constraint
        >>> bytes_only = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
        >>> state = Constraint(extend(bytes_only)).start("<return>f(a").leading(lambda text: text[0] in " )")
        >>> [text for text in "b )+" if ord(text) in state.mask()]
        [' ', ')']
        """
        (reading,) = self._readings  # only Python has more of them
        engine = self.engine
        free = State(engine, (reading._replace(verdict=None),), self._rest, self._shorn)  # whether rules hold is asked later
        lead = lead_of(reading, engine.leads, engine.parser, engine.search, free._ending, accepts)
        if lead is None:
            return self
        if not lead.keys:
            raise TokenizerError("no text goes on with what this beginning ends with")
        return State(self.engine, self._readings, self._rest, self._shorn, lead=lead)

    def _ending(self, text: str) -> tuple[str, int] | None:
        """A text that begins with another one and ends the program, and how many ids it takes; ``None`` if none is found."""
        search, vocabulary = self.engine.search, self.engine.vocabulary
        ids = search.spelling(text, shorn=self._shorn)
        after = self.run(ids)
        if ids is None or after is None:
            return None
        way = search.way(after, NO_WAY) if ids else () if after.may_end() else None
        if way is None:
            return None
        spelled = b"".join(map(vocabulary.bytes_of, ids + way)).decode()
        lost = vocabulary.dummy if self._shorn and ids else ""
        return spelled.removeprefix(lost), (self.engine.budgets.cost_of(text) if text else 0) + after.least()

    def way(self, budget: int) -> tuple[int, ...] | None:
        """At most so many ids that finish a program from here, or ``None`` if no such way is found.

        Where there is one, ``within`` takes its first id.

        >>> import tiktoken
        >>> from tokenizer_ext import extend
        >>> from tokenizer_ext.constrain import Constraint
        >>> bytes_only = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
        >>> constraint = Constraint(extend(bytes_only), valid_python=True)
        >>> len(constraint.start("f(a=[1] b").way(5)) <= 5
        True
        """
        if self._way is None or len(self._way) > budget:
            found = self._led_way(budget) if self._lead is not None else self.engine.search.way(self, budget)
            self._way = self._way if found is None else found
        return self._way if self._way is not None and len(self._way) <= budget else None

    def _led_way(self, budget: int) -> tuple[int, ...] | None:
        """A way that begins with a token that the lead lets come."""
        search = self.engine.search
        if self._suffix is not None and self.may_end():
            return ()
        for text in self._lead.texts if self._lead is not None and self._at_token else ():
            ids = search.spelling(text, shorn=self._shorn)
            if ids is None or len(ids) > budget:
                continue
            state = self.run(ids)
            if state is not None:
                way = state.way(budget - len(ids)) if ids else () if self.may_end() else None
                if way is not None:
                    return *ids, *way
        return search.way(self, budget)

    @property
    def _at_token(self) -> bool:
        """Whether the first token that the lead speaks of has not begun."""
        return self._lead is not None and (self._lead.is_fresh or self._readings[0].state.is_start)

    def within(self, number: int, budget: int) -> State | None:
        """The state after an id, if the other ``budget - 1`` suffice for an end; ``None`` if they do not, or no way to one is found.

        A state that was returned knows a way to an end. So where ``way(budget)`` is not ``None``, ids that are asked for here, with what is
        left of the budget, always come to an end: the first id of the way is never refused.
        """
        state = self.read(number)
        if state is None or state.ended:
            return state
        if not self.asks:
            return state if state.least() < budget else None
        way = self._way
        if way and way[0] == number and len(way) <= budget:
            state._way = way[1:]
            return state
        if self._suffix is not None and way and len(way) < budget and not state.may_end():  # most ids change nothing of the end
            after = state.run(way)
            if after is not None and after.may_end():
                state._way = way
                return state
        return state if state.way(budget - 1) is not None else None

    def least(self) -> int:
        """How many ids finish a program from here, without the one that ends the text.

        For the grammar so many are always enough; the rules of ``valid_python`` may ask for more. Before a suffix it is not known: 0.

        >>> import tiktoken
        >>> from tokenizer_ext import extend
        >>> from tokenizer_ext.constrain import Constraint
        >>> bytes_only = tiktoken.Encoding("bytes", pat_str=".", mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
        >>> Constraint(extend(bytes_only)).start("<return>f([a").least()
        2
        """
        if self.ended or self._suffix is not None:
            return 0
        if self._lead is not None and self._at_token and not self._rest.left:
            return self._lead.least
        first = None if self._lead is None else self._lead.keys
        return min(self.engine.budgets.least(state, self._rest, stack, first) for state, stack, _, _ in self._readings)

    @property
    def places(self) -> tuple[Place, ...]:
        """Where the text has come to in each reading, as searches for an end want it."""
        return tuple((state, stack, verdict, self._rest, self._shorn) for state, stack, verdict, _ in self._readings)

    @property
    def has_suffix(self) -> bool:
        """Whether a text is to follow; see ``before``."""
        return self._suffix is not None

    @property
    def in_character(self) -> bool:
        """Whether a character has begun that more ids complete."""
        return self._rest.left > 0

    def may_end(self) -> bool:
        """Whether the text may end here."""
        if self._suffix is not None:
            if self._ends_here is None:
                self._ends_here = not self._rest.left and self._fits(self._suffix)
            return self._ends_here
        if self._rest.left or (self._lead is not None and not self.engine.leads.may_end(self._lead, self._readings[0].state)):
            return False
        return any(self._ends(one.state, one.stack, one.verdict) for one in self._readings)

    def _fits(self, suffix: Suffix) -> bool:
        """Whether a suffix can follow."""
        places = tuple((state, stack, bound and bound.bits) for state, stack, _, bound in self._readings)
        grammatical = suffix.known.get(places) if self._lead is None else None
        if grammatical is None:
            grammatical = self._goes_on(suffix, tuple(reading._replace(verdict=None) for reading in self._readings))
            if self._lead is None:
                suffix.known[places] = grammatical
        if not grammatical or (self.engine.judge is not None and not self._goes_on(suffix, self._readings)):
            return False
        text = self._said.decode()
        if text not in suffix.accepted:
            suffix.accepted[text] = suffix.accepts(text)
        return suffix.accepted[text]

    def _goes_on(self, suffix: Suffix, readings: Readings) -> bool:
        """Whether a suffix follows some readings."""
        engine = self.engine
        readings, lead, at = engine.through(readings, suffix.text, self._lead, looks_ahead=False)
        if at < len(suffix.text):
            return False
        after = State(engine, readings, WHOLE, False, lead=lead)
        return after.may_end() if suffix.is_whole else bool(engine.live(readings, lead))

    def _ends(self, state: LexerState, stack: Stack, verdict: Verdict | None) -> bool:
        engine = self.engine
        for path in engine.lexer.finish(state):
            after = engine.parser.follow(stack, path)
            made = engine.parser.ends(after) if after is not None else None
            if made is not None:
                judge = engine.judge
                if judge is None or verdict is None or judge.may_end(verdict, stack, (*path, *made)):
                    return True
        return False

    def expected(self) -> tuple[str, ...]:
        """What may stand next, for people: texts, and names of what has many texts."""
        return self.engine.expected(self._readings)

"""The pushdown automaton: tokens in, lexemes out, over the LALR(1) tables of a dialect.

A token comes here as a *key*, the name by which the lexer of its dialect and the tables know it. The stack of the parser is
cut into *frames*: one for each bracket, block and compound statement that is open. A frame is a ``Node`` that is never
changed, the state on top and the node below; equal frames are the same node, and a node remembers where each key leads,
so that the reductions between two tokens are worked out once and looked up from then on. A reduction that reaches below
its frame first joins it to the frame around it. Copying a reader is copying two references.

While ``x = f(a)`` is read, with states named after what they have read:

    read so far     frames of the stack                next key
    x = f           [module, left =, name]             (      opens a frame, on top of what ``f`` has become
    x = f(          [module, left =, primary] [(]      NAME
    x = f(a         [module, left =, primary] [( name] )      ``a`` becomes an argument
    x = f(a)        ... primary] [( arguments )]       END    the call reaches below its frame: both are joined

The comma shows what the next token tells: it comes to the stream as ``PENDING``, and the reduction that the next token
causes puts ``ARGUMENT_SEP`` in its place, or takes a redundant comma out again.
"""

from __future__ import annotations

from collections.abc import Sequence

from simpy_grammar.stream import Stream
from simpy_grammar.tables import END, Key, Tables
from simpy_grammar.terminals import COMMENT, DEFINITION, DROPPED, HEADER, ID, OPEN, ids, named

PENDING = -1  # the terminal of a lexeme that the next token tells
NOTHING = -2  # no lexeme at all
_MOST_REMEMBERED = 120_000  # nodes and runs of tokens: what is remembered of stacks is forgotten beyond that
_RUN = 4  # tokens that are read at once: of longer runs, too few come again
_REFUSED, _BELOW, _TAKEN = range(3)  # how a run ends: at a token that cannot stand there, that the frame below decides, or well

_DROPPED_IDS = ids(DROPPED)
_TARGETS = ID["TARGETS"]
# What a row of targets cannot reach back over, and how its commas are named when they turn out to stand between targets.
ROW_BOUNDS = frozenset(ID[name] for name in ("LINE_SEP", "BLOCK_START", "BLOCK_END", "ASSIGN")) | ids(COMMENT) - {ID["INNER_COMMENT"]}
OPENING = frozenset(ID[name] for name in ("(", "[", "{", "FIELD_START"))
CLOSING = frozenset(ID[name] for name in (")", "]", "}"))

# What a token causes: the node that follows; the terminal to append, or one of the above; and, where there is more to do,
# which terminal the pending lexeme is (``NOTHING`` takes it out again, ``PENDING`` if there is none), the implied terminals,
# and the node on which a new frame stands.
Step = tuple["Node", int, "tuple[int, tuple[int, ...], Node | None] | None"]
# What a run of tokens causes: the node that follows; the terminals to append; and, unless all of its tokens were read and each is
# one of these, how many were read, how that ends, which terminal the pending lexeme is, whether commas are those of targets, the
# index of the token that each terminal is (-1 for an implied one), and the nodes on which new frames stand.
Run = tuple["Node", tuple[int, ...], "tuple[int, int, int, bool, list[int] | None, tuple[Node, ...]] | None"]
Frames = tuple["Node", "Frames"] | None  # the nodes on which frames stand, the innermost first


class StuckError(Exception):
    """The text cannot go on as it does. Carries an offset into it and the keys that could have stood there."""

    def __init__(self, offset: int, expected: frozenset[Key] = frozenset()) -> None:
        super().__init__(offset)
        self.offset = offset
        self.expected = expected


class Node(dict[Key, "Step | None"]):
    """A frame of the stack; also, for each key that was asked for, the step that it causes.

    ``None`` if the key cannot stand there; ``BELOW`` if that depends on the frame around this one.
    """

    __slots__ = ("automaton", "below", "joined", "pushed", "runs", "state")
    __hash__ = object.__hash__  # type: ignore[assignment]  # equal nodes are the same node

    def __init__(self, automaton: Automaton, state: int, below: Node | None) -> None:
        self.automaton = automaton
        self.state = state
        self.below = below
        self.pushed: dict[int, Node] = {}
        self.joined: dict[Node, Node] = {}
        self.runs: dict[str, Run] = {}

    def push(self, state: int) -> Node:
        """The frame with one more state."""
        node = self.pushed.get(state)
        if node is None:
            node = self.pushed[state] = Node(self.automaton, state, self)
            self.automaton.remembered += 1
        return node

    def __missing__(self, key: Key) -> Step | None:
        automaton = self.automaton
        node, emitted = self, []
        while True:
            action = automaton.rows[node.state].get(key)
            if action is None:
                self[key] = None
                return None
            if action >= 0:
                break
            name, length, terminal = automaton.tables.rules[-1 - action]
            for _ in range(length):
                if node.below is None:
                    self[key] = BELOW
                    return BELOW
                node = node.below
            if terminal is not None:
                emitted.append(ID[terminal])
            node = node.push(automaton.tables.gotos[node.state][name])
        resolved = emitted.pop(0) if automaton.shifted[self.state] == PENDING else PENDING
        base = node if automaton.opens[action] else None
        more = resolved != PENDING or emitted or base is not None
        extra = (NOTHING if resolved in _DROPPED_IDS else resolved, tuple(emitted), base) if more else None
        after = node.push(action) if base is None else automaton.root(action)
        step = self[key] = (after, automaton.shifted[action], extra)
        return step

    def run(self, codes: str) -> Run:
        """What a run of tokens causes; remembered, as long as it is looked up in ``runs`` first."""
        node, taken, ends, resolved, targets = self, 0, _TAKEN, PENDING, False
        emitted: list[int] = []
        order: list[int] = []
        bases: list[Node] = []
        for key in map(self.automaton.decoded.__getitem__, codes):
            step = node[key]
            while step is BELOW and bases:
                node = node.on(bases.pop())
                step = node[key]
            if step is None or step is BELOW:
                ends = _BELOW if step is BELOW else _REFUSED
                break
            after, terminal, extra = step
            if extra is not None:
                pending, implied, base = extra
                if _TARGETS in implied:  # commas of an earlier run may be meant
                    if taken:
                        break
                    targets = True
                    implied = tuple(other for other in implied if other != _TARGETS)
                if not taken:
                    resolved = pending
                elif pending == NOTHING:
                    del emitted[-1], order[-1]
                elif pending != PENDING:
                    emitted[-1] = pending
                emitted += implied
                order += [-1] * len(implied)
                if base is not None:
                    bases.append(base)
            if terminal != NOTHING:
                emitted.append(terminal)
                order.append(taken)
            node = after
            taken += 1
            if targets:
                break
        plain = order == list(range(taken))
        even = plain and taken == len(codes) and resolved == PENDING and not targets and not bases
        found = self.runs[codes] = (
            node,
            tuple(emitted),
            None if even else (taken, ends, resolved, targets, None if plain else order, tuple(bases)),
        )
        self.automaton.remembered += 1
        return found

    def states(self) -> list[int]:
        """The states of the frame, the lowest first."""
        found: list[int] = []
        node: Node | None = self
        while node is not None:
            found.append(node.state)
            node = node.below
        return found[::-1]

    def on(self, base: Node) -> Node:
        """This frame joined to the one that it stands on."""
        joined = self.joined.get(base)
        if joined is None:
            joined = base
            for state in self.states():
                joined = joined.push(state)
            self.joined[base] = joined
        return joined


# The terminals that open a frame.
_FRAMES = frozenset((*named(OPEN, HEADER, DEFINITION), "BLOCK_START", "FIELD_START"))


UNKNOWN = "\0"  # the code of a key that the tables do not know


class Codes(dict[Key, str]):
    """Keys -> characters, so that a run of tokens is a text."""

    def __missing__(self, key: Key) -> str:
        return UNKNOWN


class Automaton:
    """Tables in the form that readers run on, shared by all readers of a dialect.

    Args:
        tables: the compiled dialect.
        keys: token of the tables -> the key that the lexer of the dialect has for it.
    """

    def __init__(self, tables: Tables, keys: dict[str, Key]) -> None:
        self.tables = tables
        self.key_of = {**keys, END: END}
        self.token_of = {key: token for token, key in self.key_of.items()}
        self.codes = Codes((key, chr(i)) for i, key in enumerate(self.key_of.values(), 1))
        self.decoded: dict[str, Key] = {UNKNOWN: "", **{code: key for key, code in self.codes.items()}}
        self.rows = tables.actions_by([self.key_of[token] for token in tables.tokens])
        self.shifted = [_shifted(name) for name in tables.shifted]
        self.opens = [name in _FRAMES for name in tables.shifted]
        self.remembered = 0
        self.roots: dict[int, Node] = {}

    def root(self, state: int) -> Node:
        """The frame of one state."""
        node = self.roots.get(state)
        if node is None:
            node = self.roots[state] = Node(self, state, None)
        return node

    def forget(self) -> None:
        """Begin with an empty memory, if it has grown too large. Nodes of the old one stay valid for who holds them."""
        if self.remembered > _MOST_REMEMBERED:
            self.remembered = 0
            self.roots = {}


def _shifted(name: str | None) -> int:
    """What a shift into a state adds to the stream, from ``Tables.shifted``."""
    if not name:
        return NOTHING if name is None else PENDING
    return NOTHING if ID[name] in _DROPPED_IDS else ID[name]


class Reader:
    """One reading of one text.

    Attributes:
        node: the innermost frame of the stack.
        frames: the nodes on which it and the frames around it stand.
        stream: what has been read.

    >>> from simpy_grammar.dialect import Dialect
    >>> from simpy_grammar.simpy_lexer import SimPyReader
    >>> reader = SimPyReader(Dialect.load("classic"))
    >>> reader.accepts("<return>"), reader.accepts("<in>"), reader.may_end()
    (True, False, True)
    """

    __slots__ = ("automaton", "frames", "node", "stream")

    def __init__(self, automaton: Automaton) -> None:
        automaton.forget()
        self.automaton = automaton
        self.node = automaton.root(0)
        self.frames: Frames = None
        self.stream = Stream()

    def copy(self) -> Reader:
        """A reader that goes on from here on its own, token by token, with an empty stream."""
        other = Reader(self.automaton)
        other.node, other.frames = self.node, self.frames
        return other

    def step(self, key: Key, node: Node | None = None, frames: Frames = None) -> tuple[Step | None, Frames]:
        """The step that a token causes, here or on another stack, and the frames that are below it then."""
        if node is None:
            node, frames = self.node, self.frames
        step, outer = node[key], frames
        while step is BELOW and outer is not None:
            base, outer = outer
            node = node.on(base)
            step = node[key]
        return (None, frames) if step is None or step is BELOW else (step, outer)

    def accepts(self, *keys: Key) -> bool:
        """Whether some tokens may come next, one after the other."""
        node, frames = self.node, self.frames
        for key in keys:
            step, frames = self.step(key, node, frames)
            if step is None:
                return False
            node, _, extra = step
            if extra is not None and extra[2] is not None:
                frames = extra[2], frames
        return True

    def may_end(self) -> bool:
        """Whether the text may end here."""
        return self.accepts(END)

    def expected(self) -> frozenset[Key]:
        """The keys that may come next."""
        return frozenset(key for key in self.automaton.rows[self.node.state] if self.accepts(key))

    def push(self, keys: Sequence[Key], texts: Sequence[str]) -> int:
        """Read tokens, as far as they can stand; return how many that are."""
        return self.take("".join(map(self.automaton.codes.__getitem__, keys)), texts)

    def take(self, codes: str, texts: Sequence[str]) -> int:
        """Read tokens by the codes of their keys, as far as they can stand; return how many that are."""
        terminals, stream_texts = self.stream.terminals, self.stream.texts
        node, frames = self.node, self.frames
        copied = 0  # how many texts are in the stream
        for start in range(0, len(codes), _RUN):
            run = codes[start : start + _RUN]
            node_after, emitted, extra = node.runs.get(run) or node.run(run)
            while extra is not None:
                taken, ends, resolved, targets, order, bases = extra
                if resolved != PENDING or order is not None:
                    stream_texts += texts[copied:start]
                    copied = start
                    if resolved == NOTHING:
                        del terminals[-1], stream_texts[-1]
                    elif resolved != PENDING:
                        terminals[-1] = resolved
                    if order is not None:
                        stream_texts += ["" if i < 0 else texts[start + i] for i in order]
                        copied += taken
                if targets:
                    _name_targets(terminals)
                for base in bases:
                    frames = base, frames
                if taken == len(run):
                    break
                terminals += emitted
                node = node_after
                start += taken
                if ends == _BELOW and frames is not None:
                    below, frames = frames
                    node = node.on(below)
                elif ends != _TAKEN:
                    self.node, self.frames = node, frames
                    stream_texts += texts[copied:start]
                    return start
                run = run[taken:]
                node_after, emitted, extra = node.runs.get(run) or node.run(run)
            terminals += emitted
            node = node_after
        self.node, self.frames = node, frames
        stream_texts += texts[copied:]
        return len(codes)

    def drop(self, count: int) -> None:
        """Forget lexemes at the beginning of the stream."""
        del self.stream.terminals[:count], self.stream.texts[:count]

    def settled(self) -> int:
        """How many lexemes of the stream no later text can change."""
        terminals = self.stream.terminals
        return len(terminals) - (terminals[-1:] == [PENDING])

    def end(self) -> bool:
        """Read the end of the text; whether it may end here."""
        return self.push((END,), ("",)) == 1


def _name_targets(terminals: list[int]) -> None:
    """Name the commas of the row at the end of a stream as those between targets."""
    depth, at = 0, len(terminals) - 1
    while at >= 0 and (depth or terminals[at] not in ROW_BOUNDS):
        terminal = terminals[at]
        if terminal in CLOSING:
            depth += 1
        elif terminal in OPENING:
            depth -= 1
        elif terminal == VALUE_SEP and not depth:
            terminals[at] = _TARGET_SEP
        at -= 1


BELOW: Step = (Node.__new__(Node), NOTHING, None)  # compared by identity, never taken
VALUE_SEP, _TARGET_SEP = ID["EXPRESSION_SEP"], ID["TARGET_SEP"]

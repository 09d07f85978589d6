"""From the grammar and a dialect to LALR(1) tables. Lark reads the grammar; this file puts spellings in the place of terminals,
has ``simpy_grammar.lalr`` compute the tables, and notes what each shift and each reduction means.

Only this file imports Lark; ``simpy_grammar.table_cache`` keeps the result so that it runs once for each dialect.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Sequence, Set
from functools import lru_cache
from typing import Any, NamedTuple

from lark.load_grammar import load_grammar

from simpy_grammar.dialect import GRAMMAR_FOLDER, LINES, Dialect
from simpy_grammar.errors import DialectError
from simpy_grammar.implied_closers import require_spelled
from simpy_grammar.lalr import State, automaton
from simpy_grammar.lines import MEANINGS, with_lines
from simpy_grammar.spaced import is_spaced
from simpy_grammar.tables import END, Tables, tables_data
from simpy_grammar.terminals import ID, SETTLED_BY_NEXT, SPACE_RULE, general

START = "module"


class _Symbol(NamedTuple):
    """A symbol of a rule: a rule name, or a token pattern together with the terminal of the grammar that it spells."""

    name: str
    is_token: bool
    terminal: str | None = None


class _Production(NamedTuple):
    origin: str
    symbols: tuple[_Symbol, ...]


class Spelled(NamedTuple):
    """The grammar with the spellings of one dialect in it.

    Attributes:
        productions: the rules, flat.
        patterns: token name -> ("str", text) or ("re", regular expression).
        emitters: rule name -> the terminal it stands for, for implied and for twice-spelled terminals and ``space``. Where the two
            spellings of a terminal differ in blanks only, each of them tells the terminal, and there is a rule but no emitter.
    """

    productions: tuple[_Production, ...]
    patterns: dict[str, tuple[str, str]]
    emitters: dict[str, str]


def spell(dialect: Dialect) -> Spelled:
    """Put the spellings of a dialect into the grammar, without yet asking whether the result is unambiguous."""
    own, terminals, rules = _grammar(dialect.layout == LINES)
    patterns = {t.name: (t.pattern.type, t.pattern.value) for t in terminals if t.pattern is not None}
    literal = {name: value for name, (kind, value) in patterns.items() if kind == "str" and name not in own}
    emitted = {name for name, texts in dialect.spellings.items() if texts == ("",)} | _settled_by_next(dialect)
    spaced = {name for name, texts in dialect.spellings.items() if is_spaced(texts)} - emitted
    token_of: dict[tuple[str, str], str] = {}

    def token(name: str, pattern: tuple[str, str]) -> str:
        """One token for one pattern, whatever terminals it spells."""
        return token_of.setdefault(pattern, name)

    for name in sorted(patterns):  # terminals of one pattern, such as the comments, are one token, named after the first of them
        token(name, patterns[name])

    def symbol(name: str) -> _Symbol | None:
        if name in patterns:
            return _Symbol(token(name, patterns[name]), True, MEANINGS.get(name) or literal.get(name, name))
        texts = dialect.spellings.get(name)
        if texts is None:
            return None
        if name in emitted or name in spaced:
            return _Symbol(f"spelled_{name.lower()}", False)
        return _Symbol(token(name, ("str", texts[0])), True, name)

    productions: list[_Production] = []
    for rule in rules:
        symbols = [symbol(s.name) if s.is_term else _Symbol(str(s.name), False) for s in rule.expansion]
        if all(s is not None for s in symbols):
            productions.append(_Production(str(rule.origin.name), tuple(s for s in symbols if s is not None)))
    emitters = {SPACE_RULE: SPACE_RULE}
    for name, texts in dialect.spellings.items():
        if name in emitted or name in spaced:
            terminal = None if name in emitted else name
            if terminal is None:
                emitters[f"spelled_{name.lower()}"] = name
            for number, text_ in enumerate(texts, 1):
                symbols_ = (_Symbol(token(name if number == 1 else f"{name}_{number}", ("str", text_)), True, terminal),) if text_ else ()
                productions.append(_Production(f"spelled_{name.lower()}", symbols_))
    useful = _useful(dialect, productions)
    used = {s.name for p in useful for s in p.symbols if s.is_token}
    return Spelled(tuple(useful), {name: pattern for pattern, name in token_of.items() if name in used}, emitters)


@lru_cache(maxsize=2)
def _grammar(lines: bool) -> tuple[frozenset[str], list[Any], list[Any]]:
    """The grammar: the terminals that it spells itself, and Lark's terminals and rules."""
    with open(os.path.join(GRAMMAR_FOLDER, "simpy.lark"), encoding="utf-8") as file:
        text = file.read()
    if lines:
        text = with_lines(text)
    own = frozenset(re.findall(r"^([A-Z_0-9]+):", text, re.MULTILINE))
    contextual = [name for name in ID if name.isidentifier() and name not in own and name != SPACE_RULE]
    grammar, _ = load_grammar(f"{text}\n%declare {' '.join(contextual)}\n", "simpy.lark", [], False)
    terminals, rules, _ = grammar.compile([START], "*")
    return own, terminals, rules


def _settled_by_next(dialect: Dialect) -> set[str]:
    """The terminals whose text does not tell which of several it is: a reduction does, when the next token has been seen."""
    shared: dict[str, set[str]] = {}
    for name, texts in dialect.spellings.items():
        if name in SETTLED_BY_NEXT or _is_settled_late(texts):
            for text in texts:
                shared.setdefault(text, set()).add(name)
    groups = [names for names in shared.values() if len({general(name) for name in names}) > 1]
    several = {name for name, texts in dialect.spellings.items() if _is_settled_late(texts)}
    return several.union(*(names for names in groups))


def _is_settled_late(texts: tuple[str, ...]) -> bool:
    return len(texts) > 1 and not is_spaced(texts)


def _useful(dialect: Dialect, productions: list[_Production]) -> list[_Production]:
    """Drop what the missing terminals of a dialect leave without meaning: rules that derive nothing or are never reached.

    Raises:
        DialectError: two alternatives are spelled alike, and are not the same.
    """

    def derives(production: _Production, productive: Set[str]) -> bool:
        return all(s.is_token or s.name in productive for s in production.symbols)

    productive = _fixpoint(frozenset(), lambda known: {p.origin for p in productions if derives(p, known)})
    productions = [p for p in productions if derives(p, productive)]
    reached = _fixpoint({START}, lambda known: {s.name for p in productions if p.origin in known for s in p.symbols if not s.is_token})
    kept: dict[tuple[str, tuple[tuple[str, bool], ...]], _Production] = {}
    for production in productions:
        if production.origin in reached:
            same = kept.setdefault(_shape(production), production)
            for one, other in zip(same.symbols, production.symbols, strict=True):
                if one.terminal and other.terminal and general(one.terminal) != general(other.terminal):
                    raise DialectError(f"dialect {dialect.name}: {one.terminal} and {other.terminal} are spelled alike in one place")
    return list(kept.values())


def _fixpoint(known: Set[str], more: Callable[[Set[str]], Set[str]]) -> Set[str]:
    """What grows out of some names, until nothing is added."""
    while added := more(known) - known:
        known |= added
    return known


def _shape(production: _Production) -> tuple[str, tuple[tuple[str, bool], ...]]:
    return production.origin, tuple((s.name, s.is_token) for s in production.symbols)


def compile_dialect(dialect: Dialect) -> bytes:
    """Compile the tables of a dialect; return them in their stored form.

    Raises:
        DialectError: the spellings make the language ambiguous; the message says which meet where.
    """
    spelled = spell(dialect)
    if not dialect.is_python:
        _check_lexing(dialect, spelled)
    names = list(dict.fromkeys(p.origin for p in spelled.productions))
    tokens = [*spelled.patterns, END]
    states = _automaton(spelled, names, tokens)
    if conflicts := _conflicts(spelled, states, names, tokens):
        raise DialectError(f"dialect {dialect.name} is ambiguous: {_explain(conflicts, spelled)}")
    data = _written(dialect, spelled, states, names)
    if not dialect.is_python:
        _check_words(dialect, Tables(data))
        _check_longest(dialect, Tables(data))
    return data


def _automaton(spelled: Spelled, names: list[str], tokens: list[str]) -> list[State]:
    """The states, with numbers in the place of names, then of tokens."""
    name_of = {name: i for i, name in enumerate(names)}
    token_of = {token: i for i, token in enumerate(tokens, len(names))}
    productions = tuple(
        (name_of[p.origin], tuple([(token_of if s.is_token else name_of)[s.name] for s in p.symbols])) for p in spelled.productions
    )
    return automaton(productions, len(names), name_of[START], token_of[END])


def _conflicts(spelled: Spelled, states: list[State], names: list[str], tokens: list[str]) -> list[tuple[str, list[str]]]:
    """Where two readings are possible: a token, and the rules which could end before it."""
    found: list[tuple[str, list[str]]] = []
    for state in states:
        once = shared = 0
        for symbol in state.moves:
            if symbol >= len(names):
                once |= 1 << symbol
        for bits in state.reductions.values():
            shared |= once & bits
            once |= bits
        for i, token in enumerate(tokens, len(names)):
            if shared >> i & 1:
                rules = {spelled.productions[rule].origin.partition("{")[0] for rule, bits in state.reductions.items() if bits >> i & 1}
                found.append((token, sorted(rules)))
    return found


def _written(dialect: Dialect, spelled: Spelled, states: list[State], names: list[str]) -> bytes:
    """The stored form of the tables."""
    emits = {rule: general(terminal) for rule, terminal in spelled.emitters.items()}
    name_of = {name: i for i, name in enumerate(names)}
    first, count = len(names), len(spelled.patterns) + 1
    tokens_of: dict[int, tuple[int, ...]] = {}  # by their bits
    actions: list[dict[int, int]] = []
    for state in states:
        row = {symbol - first: target for symbol, target in state.moves.items() if symbol >= first}
        for rule, bits in state.reductions.items():
            if bits not in tokens_of:
                tokens_of[bits] = tuple(token for token in range(count) if bits >> first + token & 1)
            row.update(dict.fromkeys(tokens_of[bits], -1 - rule))
        actions.append(row)
    gotos = [{symbol: target for symbol, target in state.moves.items() if symbol < first} for state in states]
    shifted = [_meaning(dialect, spelled, state.before) for state in states]
    rules = [(name_of[p.origin], len(p.symbols), emits.get(p.origin)) for p in spelled.productions]
    return tables_data(spelled.patterns, names, rules, shifted, actions, gotos)


def _meaning(dialect: Dialect, spelled: Spelled, places: Sequence[tuple[int, int]]) -> str | None:
    """The terminal that was shifted to reach a state, in its general form: what stands before its places in productions.

    The empty text where the next token tells it, ``None`` where no token was shifted.
    """
    found: dict[str, str] = {}
    for rule, read in places:
        before = spelled.productions[rule].symbols[read - 1]
        if before.is_token:
            found[general(before.terminal) if before.terminal else ""] = before.name
    if len(found) > 1:
        names = " and ".join(sorted(filter(None, found)))
        text = spelled.patterns[next(iter(found.values()))][1]
        raise DialectError(f"dialect {dialect.name}: {names} are both spelled {text!r} where only what follows tells them apart")
    return min(found, default=None)


def _check_lexing(dialect: Dialect, spelled: Spelled) -> None:
    """Refuse a spelling that reads as data, or that a name can make into another token."""
    data = {name: re.compile(value) for name, (kind, value) in spelled.patterns.items() if kind == "re"}
    checked = ("NAME", "NUMBER", "STRING", "COMMENT", "INNER_COMMENT", "FIELD_VERBATIM")
    for name, (kind, text) in spelled.patterns.items():
        if kind == "str" and name.removesuffix("_2") in dialect.spellings:
            for other in checked:
                if other in data and data[other].match(text):
                    raise DialectError(f"dialect {dialect.name} spells {name} as {text!r}, which reads as a {other}")
            if text.endswith("<") and text != "<<":
                raise DialectError(
                    f"dialect {dialect.name} spells {name} as {text!r}: a name and '>' after it would read as a special token"
                )


def _check_words(dialect: Dialect, tables: Tables) -> None:
    """Refuse a spelling that runs into the word before or after it."""
    starts = {token for token, (kind, text) in tables.patterns.items() if _starts_as_word(token, kind, text)}
    for state, terminal in enumerate(tables.shifted):
        if terminal is None or not _ends_as_word(dialect, terminal):
            continue
        for token in starts.intersection(tables.actions[state]):
            text = tables.patterns[token][1] if tables.patterns[token][0] == "str" else token
            before = dialect.spellings.get(terminal, (terminal,))[0]
            raise DialectError(f"dialect {dialect.name}: {text!r} would run into {before!r} before it")


# What stands next to each other around blocks, where only a reduction tells which of several texts is meant.
_NEIGHBOURS = (("BLOCK_START", "BLOCK_END"), ("BLOCK_END", "BLOCK_END"))
_STRUCTURE = ("LINE_SEP", "BLOCK_START", "BLOCK_END")


def _check_longest(dialect: Dialect, tables: Tables) -> None:
    """Refuse a spelling that, with what follows it, begins with a longer one: the lexer would read that.

    The blank that separates elements may be preceded by reductions where an operator is not. There, what follows it is all that
    follows it anywhere.
    """
    text_of = {token: text for token, (kind, text) in tables.patterns.items() if kind == "str"}
    rows = [{text_of[token]: action for token, action in tables.actions[state].items() if token in text_of} for state in range(len(tables))]
    followers: dict[str, set[str]] = {}
    for row in rows:
        for text, action in row.items():
            if action >= 0:
                followers.setdefault(text, set()).update(rows[action])
    texts = dict.fromkeys(text_of.values())
    longer_than = {text: [longer for longer in texts if longer.startswith(text) and longer != text] for text in texts}
    for row in rows:
        for text, action in row.items():
            for longer in longer_than[text]:
                other = row.get(longer)
                if other is None:
                    continue
                if action >= 0 and other >= 0:
                    _check_pair(dialect, text, longer, {**followers, text: set(rows[action])})
                elif text == " " and action != other:
                    _check_pair(dialect, text, longer, followers)
    spelled = {name: dialect.spellings[name][0] for name in _STRUCTURE if name in dialect.spellings}
    for first, second in _NEIGHBOURS:
        if first in spelled and second in spelled:
            for longer in spelled.values():
                _check_pair(dialect, spelled[first], longer, {**followers, spelled[first]: {spelled[second]}})


def _check_pair(dialect: Dialect, text: str, longer: str, followers: dict[str, set[str]]) -> None:
    if text and longer != text and longer.startswith(text):
        after = _spelling_of(longer[len(text) :], text, followers)
        if after is not None:
            raise DialectError(f"dialect {dialect.name}: {text!r} before {after!r} would read as {longer!r}")


def _spelling_of(rest: str, before: str, followers: dict[str, set[str]]) -> str | None:
    """A text that begins with ``rest``, made of spellings that may follow each other, the first of them after ``before``."""
    for text in sorted(followers.get(before, set()) - {""}):
        if text.startswith(rest):
            return text
        if rest.startswith(text):
            more = _spelling_of(rest[len(text) :], text, followers)
            if more is not None:
                return text + more
    return None


def _starts_as_word(token: str, kind: str, text: str) -> bool:
    return token in ("NAME", "NUMBER") if kind == "re" else _WORD.match(text) is not None


def _ends_as_word(dialect: Dialect, terminal: str) -> bool:
    if terminal in ("NAME", "NUMBER"):
        return True
    return any(text and _WORD.match(text[-1]) for text in dialect.spellings.get(terminal, ()))


_WORD = re.compile(r"\w")


def _explain(conflicts: list[tuple[str, list[str]]], spelled: Spelled) -> str:
    """A conflict in the words of the dialect, the first by name: the spelling that two readings share, and the rules they come from."""
    spelling = {name: repr(text) for name, (kind, text) in spelled.patterns.items() if kind == "str"}
    # Preferably one that a person can look up: a spelling, and a rule that is not a helper (whose name begins with `_`).
    name, rules = min(conflicts, key=lambda found: (found[0] not in spelling, found[1][0].startswith("_"), found))
    shared = spelling.get(name, f"a {name}" if name in spelled.patterns else "the same text")
    return f"at {shared} two readings are possible, in {' and '.join(rule.strip('_') for rule in rules)}"


def lark_grammar(dialect: Dialect) -> str:
    """The grammar of a dialect as text that a stock ``lark.Lark(..., start="module")`` reads, without conflicts.

    Raises:
        DialectError: the dialect is ambiguous, or closing brackets are implied.

    >>> "def_stmt" in lark_grammar(Dialect.load("classic"))
    True
    """
    require_spelled(dialect)
    spelled = spell(dialect)

    def rule(name: str) -> str:
        return re.sub(r"[^a-z0-9_]", "_", name.lower()).lstrip("_")

    unique: dict[str, str] = {}
    for production in spelled.productions:
        base = rule(production.origin)
        while base in unique.values() and unique.get(production.origin) != base:
            base += "_"
        unique.setdefault(production.origin, base)
    lines = [f"// The grammar of the dialect {dialect.name}, written by simpy_grammar from grammars/.", ""]
    alternatives: dict[str, list[str]] = {}
    for production in spelled.productions:
        text = " ".join(s.name if s.is_token else unique[s.name] for s in production.symbols)
        alternatives.setdefault(unique[production.origin], []).append(text)
    for name, texts in alternatives.items():
        lines += [f"{name}: " + "\n    | ".join(texts)]
    lines.append("")
    for name, (kind, value) in spelled.patterns.items():
        body = _literal(value) if kind == "str" else _regexp(value)
        lines.append(f"{name}: {body}")
    return "\n".join(lines) + "\n"


def _regexp(pattern: str) -> str:
    """A regular expression as Lark writes it: on one line, with its slashes and control characters escaped."""
    escaped = re.sub(r"(?<!\\)/", r"\\/", pattern)
    return "/" + "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in escaped) + "/"


def _literal(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'

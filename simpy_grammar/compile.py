"""From the grammar and a dialect to LALR(1) tables. Lark reads the grammar and computes the tables; this file puts
spellings in the place of terminals first and notes what each shift and each reduction means afterwards.

Only this file imports Lark; ``simpy_grammar.tables`` keeps the result so that it runs once for each dialect.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Set
from typing import NamedTuple

from lark.common import ParserConf
from lark.exceptions import GrammarError
from lark.grammar import NonTerminal, Rule, RuleOptions, Terminal
from lark.load_grammar import load_grammar
from lark.parsers.lalr_analysis import LALR_Analyzer, Shift

from simpy_grammar.dialect import GRAMMAR_FOLDER, LINES, Dialect
from simpy_grammar.errors import DialectError
from simpy_grammar.implied_closers import require_spelled
from simpy_grammar.lines import MEANINGS, with_lines
from simpy_grammar.spaced import is_spaced
from simpy_grammar.tables import END, Tables, tables_text
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
    with open(os.path.join(GRAMMAR_FOLDER, "simpy.lark"), encoding="utf-8") as file:
        text = file.read()
    if dialect.layout == LINES:
        text = with_lines(text)
    own = set(re.findall(r"^([A-Z_0-9]+):", text, re.MULTILINE))
    contextual = [name for name in ID if name.isidentifier() and name not in own and name != SPACE_RULE]
    grammar, _ = load_grammar(f"{text}\n%declare {' '.join(contextual)}\n", "simpy.lark", [], False)
    terminals, rules, _ = grammar.compile([START], "*")

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


def compile_dialect(dialect: Dialect) -> str:
    """Compile the tables of a dialect; return their text.

    Raises:
        DialectError: the spellings make the language ambiguous; the message says which meet where.
    """
    spelled = spell(dialect)
    if not dialect.is_python:
        _check_lexing(dialect, spelled)
    rules = [
        Rule(NonTerminal(p.origin), [(Terminal if s.is_token else NonTerminal)(s.name) for s in p.symbols], i, None, RuleOptions())
        for i, p in enumerate(spelled.productions)
    ]
    analyzer = LALR_Analyzer(ParserConf(rules, {}, [START]), debug=True, strict=True)
    try:
        analyzer.compute_lalr()
    except GrammarError as error:
        raise DialectError(f"dialect {dialect.name} is ambiguous: {_explain(analyzer, spelled)}") from error
    text = _number(dialect, spelled, analyzer)
    if not dialect.is_python:
        _check_words(dialect, Tables(text))
        _check_longest(dialect, Tables(text))
    return text


def _number(dialect: Dialect, spelled: Spelled, analyzer: LALR_Analyzer) -> str:
    """Lark's table with numbers in the place of states, tokens and rules."""
    table = analyzer.parse_table
    start, end = table.start_states[START], table.end_states[START]
    order = [start, *(state for state in table.states if state != start)]
    state_of = {state: i for i, state in enumerate(order)}
    tokens = [*spelled.patterns, END]
    names = list(dict.fromkeys(p.origin for p in spelled.productions))
    token_of = {token: i for i, token in enumerate(tokens)}
    name_of = {name: i for i, name in enumerate(names)}
    emits = {rule: general(terminal) for rule, terminal in spelled.emitters.items()}
    sets: dict[tuple[int, ...], int] = {}
    states: list[tuple[list[int], list[int], list[int]]] = []
    for state in order:
        shift: list[int] = []
        goto: list[int] = []
        on: dict[int, list[int]] = {}
        for name, (kind, target) in table.states[state].items():
            if kind is not Shift:
                on.setdefault(target.order, []).append(token_of[name])
            elif name in name_of:
                goto += (name_of[name], state_of[target])
            else:
                shift += (token_of[name], state_of[target])
        if state == end:
            shift += (token_of[END], state_of[end])  # accept
        reductions = [x for rule, group in on.items() for x in (rule, sets.setdefault(tuple(sorted(group)), len(sets)))]
        states.append((shift, reductions, goto))
    shifted = [_meaning(dialect, spelled, state) for state in order]
    rules = [(name_of[p.origin], len(p.symbols), emits.get(p.origin)) for p in spelled.productions]
    return tables_text(spelled.patterns, names, rules, shifted, sets, states)


def _meaning(dialect: Dialect, spelled: Spelled, state: Iterable[object]) -> str | None:
    """The terminal that was shifted to reach a state, in its general form.

    The empty text where the next token tells it, ``None`` where no token was shifted.
    """
    found: dict[str, str] = {}
    for pointer in state:
        if pointer.index and pointer.rule.origin.name[0] != "$":  # type: ignore[attr-defined]  # a RulePtr of Lark; $ is its own start rule
            before = spelled.productions[pointer.rule.order].symbols[pointer.index - 1]  # type: ignore[attr-defined]
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
    for row in rows:
        for text, action in row.items():
            for longer, other in row.items():
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


def _explain(analyzer: LALR_Analyzer, spelled: Spelled) -> str:
    """A conflict in the words of the dialect: the spelling that two readings share, and the rules they come from.

    Lark reports the first conflict that it meets, in an order that changes from process to process; this is the first by name.
    """
    conflicts = [
        (ahead.name, sorted({rule.origin.name.partition("{")[0] for rule in rules}))
        for items in analyzer.lr0_itemsets
        for ahead, rules in items.lookaheads.items()
        if len(rules) > 1 or ahead in items.transitions
    ]
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

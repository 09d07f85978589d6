"""Fitting a dialect to a vocabulary: for each terminal, the spelling with which a corpus takes the fewest tokens.

The search is greedy and starts from a built-in dialect: it tries each candidate of each terminal on the programs that hold
the terminal, and takes the best ones that the loader accepts and that decode to the same programs, until none helps.
Programs are encoded once, into *templates* that hold terminals where a dialect puts spellings. Which spellings are
unambiguous only the loader knows (``simpy_grammar``); learned tokens are ``tokenizer_ext.learn``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import DialectError, SimPyError
from simpy_grammar.tables import in_memory
from simpy_grammar.terminals import GENERAL, LAYOUT, PYTHON
from tokenizer_ext.costs import Costs, plain_count
from transpiler import decode, encode

SPELLINGS = ("dense", "dense-newline")  # the built-in dialects that fitted_dialect chooses from
WORTH = 0.0001  # a change must save this share of the tokens; less is chance
_MARK = re.compile("\x01([A-P])([A-P])")
_CLOSING = frozenset(")]}'\"")
_OPENING = frozenset("([{'\"")
Template = list[str | int]
Spelling = tuple[str, ...]

# What stands beside a name in most places, and so may be a blank, a comma, or one between brackets and the other elsewhere.
_SEPARATORS: tuple[Spelling, ...] = ((" ",), (",",), (", ",), (" ", ","), (", ", ","))
_CANDIDATES: dict[str, tuple[Spelling, ...]] = {
    "LINE_SEP": ((";",), ("\n",), ("\t",), ("; ",)),
    "BLOCK_START": (("{",), (":",), (":\n",), ("\n",), (": ",)),
    "BLOCK_END": (("}",), ("\n\n",), ("\n",), ("} ",), (";;",)),
    "RETURN_ARROW": (("->",), (" -> ",), ("-> ",), (" ->",)),
    "FOR_IN": ((" ",), (" in ",)),
    "COMPREHENSION_IN": ((" ",), (" in ",)),
    "IMPORT_NAMES": ((" ",), (" import ",)),
}


def candidates(terminal: str, dialect: Dialect) -> list[Spelling]:
    """The spellings to try for a terminal: its special token, and plain texts with blanks that a vocabulary may merge.

    A text never begins or ends with a letter unless the dialect spells the terminal so already: it would run into a name.

    >>> candidates("EQUAL", Dialect.load("dense"))
    [(' ==',), ('== ',), (' == ',), ('<eq>',)]
    """
    now = dialect.spellings.get(terminal, ("",))
    general = GENERAL.get(terminal, terminal)
    if now == ("",) or (general != terminal and general not in LAYOUT):
        return []
    classic = Dialect.load("classic").spellings.get(terminal, ())
    if terminal in _CANDIDATES:
        found = list(_CANDIDATES[terminal])
    elif terminal.endswith("_SEP"):
        found = list(_SEPARATORS)
    else:
        bare = PYTHON.get(terminal, "").strip()
        found = [(bare,), (f" {bare}",), (f"{bare} ",), (f" {bare} ",)] if bare and not bare.isdigit() else []
    found += [classic] if classic and classic[0].startswith("<") and classic[0].endswith(">") else []
    return [spelling for spelling in dict.fromkeys(found) if spelling != now and not any(map(_runs_into_names, spelling))]


def _runs_into_names(text: str) -> bool:
    return text[:1].isalnum() or text[-1:].isalnum()


class Templates:
    """Programs, encoded once, to be spelled in many ways.

    Args:
        programs: Python sources; those that cannot be encoded are left out.
        dialect: which terminals are implied, and which are left out, is that of this dialect.

    >>> Templates(["x = 1"], Dialect.load("dense")).spelled(Dialect.load("dense"))
    ['x=1']
    """

    def __init__(self, programs: Iterable[str], dialect: Dialect) -> None:
        self.terminals = tuple(dialect.spellings)
        marks = Dialect("marks", {terminal: (self._mark(i),) for i, terminal in enumerate(self.terminals)})
        self.programs: list[str] = []
        self.templates: list[Template] = []
        for program in programs:
            if "\x01" in program:
                continue
            try:
                text = encode(program, dialect=marks, verify=False)
            except (SimPyError, RecursionError):
                continue
            self.programs.append(program)
            self.templates.append(self._template(text))
        self.where: list[list[int]] = [[] for _ in self.terminals]
        for at, template in enumerate(self.templates):
            for piece in {piece for piece in template if isinstance(piece, int)}:
                self.where[piece].append(at)

    @staticmethod
    def _mark(number: int) -> str:
        return f"\x01{chr(65 + number // 16)}{chr(65 + number % 16)}"

    @staticmethod
    def _template(text: str) -> Template:
        parts = _MARK.split(text)
        template: Template = [parts[0]]
        for high, low, data in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            template += ((ord(high) - 65) * 16 + ord(low) - 65, data)
        return [piece for piece in template if piece != ""]

    def spelled(self, dialect: Dialect, which: Iterable[int] | None = None) -> list[str]:
        """The programs in a dialect: all, or those of some numbers."""
        table = [dialect.spellings[terminal] for terminal in self.terminals]
        return [self._spell(self.templates[at], table) for at in (range(len(self.templates)) if which is None else which)]

    @staticmethod
    def _spell(template: Template, table: list[Spelling]) -> str:
        out: list[str] = []
        for at, piece in enumerate(template):
            if isinstance(piece, str):
                out.append(piece)
                continue
            texts = table[piece]
            if len(texts) > 1 and out and out[-1][-1:] in _CLOSING:
                after = template[at + 1]
                first = after if isinstance(after, str) else table[after][0]
                out.append(texts[1] if first[:1] in _OPENING else texts[0])
            else:
                out.append(texts[0])
        return "".join(out)


@dataclass(frozen=True)
class Step:
    """One accepted change: a terminal, its new spelling, and how many tokens the corpus takes with it."""

    terminal: str
    spelling: Spelling
    tokens: int


@dataclass(frozen=True)
class Fit:
    """A fitted dialect.

    Attributes:
        dialect: the dialect.
        start: the dialect that the search started from.
        python: the tokens of the corpus as Python.
        before: the tokens of the corpus in ``start``.
        steps: the accepted changes, in order.
        refused: how many promising spellings the loader refused as ambiguous.
    """

    dialect: Dialect
    start: Dialect
    python: int
    before: int
    steps: tuple[Step, ...]
    refused: int

    @property
    def after(self) -> int:
        """The tokens of the corpus in the fitted dialect."""
        return self.steps[-1].tokens if self.steps else self.before


def fit(
    tokenizer: Any,
    programs: Iterable[str],
    *,
    start: str | Dialect = "dense",
    name: str = "fitted",
    terminals: Collection[str] | None = None,
    rounds: int = 3,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Fit:
    """Fit a dialect to a tokenizer.

    The same programs and tokenizer give the same dialect.

    Args:
        tokenizer: any that ``extend`` takes; ``None`` for the built-in estimate.
        programs: Python sources to count on.
        start: the dialect to start from.
        name: what to call the result.
        terminals: the terminals whose spelling may change; all if there is no such choice.
        rounds: how often at most every spelling is tried again, since one choice may change what another saves.
        progress: called with how many terminals of a round have been tried, and how many there are.

    Raises:
        DialectError: there is no such dialect, or it is ``compact``, which has no spellings.

    >>> fit(None, ["if a is not b:\\n    pass\\n"], name="mine").dialect.name
    'mine'
    """
    origin = Dialect.load(start)
    if origin.is_python:
        raise DialectError(f"{origin.name} is Python and has no spellings to fit", hint=f"start from one of {', '.join(SPELLINGS)}")
    templates = Templates(programs, origin)
    specials = {*origin.special_tokens, *Dialect.load("classic").special_tokens}
    costs = Costs(plain_count(tokenizer), specials)
    search = _Search(templates, costs, origin, terminals)
    for _ in range(rounds):
        if not search.round(progress):
            break
    dialect = origin.with_spellings(name, {step.terminal: step.spelling for step in search.steps})
    return Fit(dialect, origin, sum(costs.total(templates.programs)), search.before, tuple(search.steps), len(search.refused))


class _Search:
    """The state of one search: the dialect so far and the tokens of each program in it."""

    def __init__(self, templates: Templates, costs: Costs, start: Dialect, terminals: Collection[str] | None) -> None:
        self.templates = templates
        self.terminals = [t for t in templates.terminals if terminals is None or t in terminals]
        self.costs = costs
        self.start = start
        self.dialect = start
        self.decoded: dict[int, str] = {}
        self.tokens = costs.total(templates.spelled(start))
        self.before = sum(self.tokens)
        self.steps: list[Step] = []
        self.refused: set[tuple[str, Spelling]] = set()

    def round(self, progress: Callable[[int, int], None]) -> bool:
        """Try every candidate once, take those that help, the best first; whether there were any."""
        least = self.before * WORTH
        moves: list[tuple[int, str, Spelling]] = []
        for number, terminal in enumerate(self.terminals):
            for spelling in candidates(terminal, self.dialect):
                saved = self._saved(terminal, spelling)[0]
                if saved > least:
                    moves.append((-saved, terminal, spelling))
            progress(number + 1, len(self.terminals))
        accepted = False
        for _, terminal, spelling in sorted(moves):
            saved, dialect, changed = self._saved(terminal, spelling)
            if saved <= least or (terminal, spelling) in self.refused:
                continue
            if not self._accepts(dialect, changed):
                self.refused.add((terminal, spelling))
                continue
            self.dialect = dialect
            for at, tokens in changed.items():
                self.tokens[at] = tokens
            self.steps.append(Step(terminal, spelling, sum(self.tokens)))
            accepted = True
        return accepted

    def _accepts(self, dialect: Dialect, which: Collection[int]) -> bool:
        """Whether the loader accepts a dialect and some programs decode from it as they do from the first one."""
        texts = self.templates.spelled(dialect, which)
        try:
            with in_memory():
                return all(decode(text, dialect=dialect) == self._python(at) for at, text in zip(which, texts, strict=True))
        except SimPyError:
            return False

    def _python(self, at: int) -> str:
        if at not in self.decoded:
            self.decoded[at] = decode(self.templates.spelled(self.start, [at])[0], dialect=self.start)
        return self.decoded[at]

    def _saved(self, terminal: str, spelling: Spelling) -> tuple[int, Dialect, dict[int, int]]:
        """What a spelling saves now, the dialect with it, and the tokens of the programs that it changes."""
        dialect = self.dialect.with_spellings(self.dialect.name, {terminal: spelling})
        where = self.templates.where[self.templates.terminals.index(terminal)]
        tokens = self.costs.total(self.templates.spelled(dialect, where))
        changed = dict(zip(where, tokens, strict=True))
        return sum(self.tokens[at] for at in where) - sum(tokens), dialect, changed


# ------------------------------------------------------------------------------------------------------- built-in choice

_SAMPLE = '''
import os
from collections.abc import Iterable, Mapping


class Inventory(Base):
    """What is in stock."""

    def __init__(self, items: Mapping[str, int] | None = None, *, limit=100, strict=False):
        super().__init__(name="inventory", limit=limit)
        self.items = dict(items or {})
        self._strict = strict

    @property
    def total(self) -> int:
        return sum(self.items.values())

    def add(self, name: str, count: int = 1) -> None:
        if not isinstance(name, str):
            raise TypeError(f"expected a name, got {type(name).__name__}")
        if self._strict and name not in self.items:
            raise KeyError(name)
        self.items[name] = self.items.get(name, 0) + count
        self.changed = True

    def remove(self, names: Iterable[str], default=None):
        removed = []
        for index, name in enumerate(names):
            try:
                removed.append((index, self.items.pop(name)))
            except KeyError as error:
                if default is None:
                    logger.warning("no %s here: %s", name, error)
                    continue
                removed.append((index, default))
            finally:
                self.changed = True
        return [count for index, count in removed if count > 0]


def read(path, encoding="utf-8"):
    with open(os.path.join(path, "items.txt"), encoding=encoding) as file:
        lines = [line.strip() for line in file if line and line[0] != "#"]
    pairs = (line.split(",", 1) for line in lines)
    result = {key: int(value) for key, value in pairs}
    while len(result) > 100 and result:
        key = min(result, key=lambda k: (result[k], k))
        del result[key]
    assert len(result) <= 100, "too many"
    return Inventory(result, strict=True), lines[1:-1], result == {}


if __name__ == "__main__":
    inventory, lines, empty = read(sys.argv[1])
    print(inventory.total, "in", len(lines), "lines" if not empty else "", sep="\\t")
'''


def fitted_dialect(tokenizer: Any) -> Dialect:
    """The built-in dense dialect with which a tokenizer takes the fewest tokens, measured on a small sample.

    >>> fitted_dialect(None).name in SPELLINGS
    True
    """
    specials = Dialect.load("classic").special_tokens
    costs = Costs(plain_count(tokenizer), specials)
    sizes: Sequence[int] = [costs.total([encode(_SAMPLE, dialect=name, verify=False)])[0] for name in SPELLINGS]
    return Dialect.load(SPELLINGS[sizes.index(min(sizes))])

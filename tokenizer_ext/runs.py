"""From programs to the runs of lexemes that may become learned tokens, each with how often it occurs.

A run ends at every lexeme that must not be merged: a literal, a comment, an identifier that is not common. What is left
of such a lexeme in the run is only what the tokenizer may merge with the run's end: a quote, or a stand-in for a name.
So runs repeat, and a corpus of any size fits into a table of bounded size. Choosing tokens is ``tokenizer_ext.learn``.
"""

from __future__ import annotations

import io
import re
import tokenize
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from transpiler import encode, lexemes

CLASSES = ("grammar", "punctuation", "identifiers")
_LAYOUT = frozenset(("LINE_SEP", "BLOCK_START", "BLOCK_END"))
_COMMENTS = frozenset(("COMMENT", "TRAILING_COMMENT", "HEADER_COMMENT", "INNER_COMMENT"))
_WORD = re.compile(r"\w+")
_OPENING = re.compile(r"[A-Za-z]{0,2}(?:\"\"\"|'''|\"|')")
_CLOSING = re.compile(r"(?:\"\"\"|'''|\"|')$")
_STAND_IN = "Qzv"  # a name that no vocabulary has as one token, so that nothing merges into it as a whole

# A lexeme as learning sees it: its class, or "word" (an identifier or number) or "data" (never merged), and its text.
Piece = tuple[str, str]
Lexer = Callable[[str], list[Piece]]


@dataclass(frozen=True)
class Program:
    """A Python source of a corpus.

    Attributes:
        group: the package it is from; a token is learned only if several packages use it, where there are several.
        source: its text.
    """

    group: str
    source: str


@dataclass
class Runs:
    """Runs with their counts, package by package.

    Attributes:
        counts: for each package, run -> how often it occurs. The first and the last text of a run are its neighbours and
            are never merged.
        limit: how many runs are kept; the rarest are dropped when there are more.
        skipped: how many programs could not be encoded.
    """

    counts: list[dict[tuple[str, ...], int]] = field(default_factory=list)
    limit: int = 800_000
    skipped: int = 0

    def __len__(self) -> int:
        return sum(map(len, self.counts))

    def add(self, run: tuple[str, ...], group: int) -> None:
        """Count one occurrence in a package."""
        while len(self.counts) <= group:
            self.counts.append({})
        counts = self.counts[group]
        counts[run] = counts.get(run, 0) + 1

    def shrink(self) -> None:
        """Drop the rarest runs where there are too many."""
        least = 1
        while len(self) > self.limit:
            self.counts = [{run: count for run, count in counts.items() if count > least} for counts in self.counts]
            least += 1


def read_programs(paths: Iterable[str | Path]) -> Iterable[Program]:
    """The Python files at and below some paths, sorted, each in the group of the package that it is in.

    The group is the first folder below a path, or the path itself for what lies directly in it.

    >>> list(read_programs([]))
    []
    """
    from transpiler.source import read_source

    for root in map(Path, paths):
        files = sorted(root.rglob("*.py")) if root.is_dir() else [root]
        for file in files:
            inner = file.relative_to(root).parts if root.is_dir() else ()
            package = inner[0] if len(inner) > 1 and not (root / "__init__.py").exists() else ""
            try:
                yield Program(f"{root}/{package}", read_source(file.read_bytes(), path=str(file)))
            except (OSError, SimPyError):
                continue


def simpy_lexer(dialect: Dialect) -> Lexer:
    """The pieces of a Python source, spelled in a dialect; ``compact`` and Python are the business of ``python_lexer``.

    >>> simpy_lexer(Dialect.load("classic"))("return a")
    [('grammar', '<return>'), ('word', 'a')]
    """

    def pieces(source: str) -> list[Piece]:
        text = encode(source, dialect=dialect, verify=False)
        return [(_class(lexeme.terminal, lexeme.text, lexeme.is_data), lexeme.text) for lexeme in lexemes(text, dialect=dialect)]

    return pieces


def _class(terminal: str, text: str, is_data: bool) -> str:
    if is_data:
        return "word" if terminal in ("NAME", "NUMBER") else "comment" if terminal in _COMMENTS else "data"
    return "grammar" if terminal in _LAYOUT or any(map(str.isalpha, text)) else "punctuation"


def python_lexer(source: str) -> list[Piece]:
    """The pieces of a Python text as it stands, white space included: for the control, tokens learned on plain Python.

    >>> python_lexer("if a:\\n    b()")[:6]
    [('grammar', 'if'), ('punctuation', ' '), ('word', 'a'), ('punctuation', ':'), ('grammar', '\\n    '), ('word', 'b')]
    """
    import keyword

    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: list[Piece] = []
    at = 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        start = starts[min(token.start[0] - 1, len(starts) - 1)] + token.start[1]
        end = starts[min(token.end[0] - 1, len(starts) - 1)] + token.end[1]
        if not source[start:end].strip():
            continue
        if start > at:
            gap = source[at:start]
            found.append(("grammar" if "\n" in gap else "punctuation", gap))
        text = source[start:end]
        if token.type == tokenize.NAME:
            found.append(("grammar" if keyword.iskeyword(text) else "word", text))
        elif token.type == tokenize.OP:
            found.append(("punctuation", text))
        else:
            found.append(("word" if token.type == tokenize.NUMBER else "comment" if token.type == tokenize.COMMENT else "data", text))
        at = end
    if source[at:]:
        found.append(("grammar", source[at:]))
    return found


def common_words(programs: Sequence[Program], *, most: int = 5000) -> frozenset[str]:
    """The identifiers and numbers that may be part of learned tokens: frequent, and used by several packages if there are several.

    >>> sorted(common_words([Program("a", "x = self.y"), Program("b", "self.z")] * 2))
    ['self']
    """
    by_group: dict[str, Counter[str]] = {}
    for program in programs:
        by_group.setdefault(program.group, Counter()).update(_WORD.findall(program.source))
    counts: Counter[str] = Counter()
    top: Counter[str] = Counter()
    for group in by_group.values():
        counts.update(group)
        top |= group
    if len(by_group) > 1:
        counts -= top  # what is common in one package only is that package's own
    kept = [(count, word) for word, count in counts.items() if count > 1]
    return frozenset(word for _, word in sorted(kept, key=lambda item: (-item[0], item[1]))[:most])


def collect(
    programs: Iterable[Program],
    lexer: Lexer,
    *,
    classes: str = "identifiers",
    words: frozenset[str] = frozenset(),
    progress: Callable[[], None] = lambda: None,
) -> Runs:
    """Count the runs of a corpus.

    Args:
        programs: the corpus.
        lexer: what makes pieces of a program.
        classes: what may be merged: "grammar", "punctuation" (and grammar) or "identifiers" (common ones, and both).
        words: the common identifiers.
        progress: called after each program.

    >>> collect([Program("", "return foo(1)")], simpy_lexer(Dialect.load("classic")), classes="punctuation").counts
    [{('', '<return>', 'Qzv'): 1, ('Qzv', '(', 'Qzv'): 1, ('Qzv', ')', ''): 1}]
    """
    allowed = frozenset(CLASSES[: CLASSES.index(classes) + 1])
    runs = Runs()
    numbers: dict[str, int] = {}
    for program in programs:
        group = numbers.setdefault(program.group, len(numbers))
        try:
            pieces = lexer(program.source)
        except (SimPyError, SyntaxError, tokenize.TokenError, RecursionError):
            runs.skipped += 1
            pieces = []
        _cut(pieces, allowed, words, runs, group)
        runs.shrink()
        progress()
    return runs


def _cut(pieces: list[Piece], allowed: frozenset[str], words: frozenset[str], runs: Runs, group: int) -> None:
    """Cut the pieces of a program into runs."""
    with_words = "identifiers" in allowed
    run = [""]
    for kind, text in pieces:
        if kind in allowed or (kind == "word" and with_words and text in words):
            run.append(text)
            continue
        if len(run) > 1:
            runs.add((*run, _neighbour(kind, text, _OPENING)), group)
        run = [_neighbour(kind, text, _CLOSING)]
    if len(run) > 1:
        runs.add((*run, ""), group)


def _neighbour(kind: str, text: str, part: re.Pattern[str]) -> str:
    """What a tokenizer may merge into a run from the piece beside it."""
    if kind == "data":
        match = part.search(text)
        return match[0] if match else text if len(text) < 3 else _STAND_IN
    if kind == "comment":
        return ("\n" if text.endswith("\n") else _STAND_IN) if part is _CLOSING else "#"
    return _STAND_IN if kind == "word" else text

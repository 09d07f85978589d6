"""From programs to the runs of lexemes that may become learned tokens, each with how often it occurs.

A run ends at every lexeme that must not be merged: a literal, a comment, an identifier that is not common. What is left
of such a lexeme in the run is only what the tokenizer may merge with the run's end: a quote, or a stand-in for a name.
So runs repeat, and a corpus of any size fits into a table of bounded size. Choosing tokens is ``tokenizer_ext.learn``.
"""

from __future__ import annotations

import io
import re
import tokenize
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeVar

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError
from transpiler import encode, lexemes

CLASSES = ("grammar", "punctuation", "identifiers")
_LAYOUT = frozenset(("LINE_SEP", "BLOCK_START", "BLOCK_END"))
_COMMENTS = frozenset(("COMMENT", "TRAILING_COMMENT", "HEADER_COMMENT", "INNER_COMMENT"))
_WORD = re.compile(r"\w+")
_OPENING = re.compile(r"[A-Za-z]{0,2}(?:\"\"\"|'''|\"|')")
_CLOSING = re.compile(r"(?:\"\"\"|'''|\"|')$")
MOST_RUNS = 800_000  # different runs that are counted at a time
_CHUNK = 500_000  # characters of a portion of work
_STAND_IN = "Qzv"  # a name that no vocabulary has as one token, so that nothing merges into it as a whole

# A lexeme as learning sees it: its class, or "word" (an identifier or number) or "data" (never merged), and its text.
Piece = tuple[str, str]
Lexer = Callable[[str], list[Piece]]
Run = tuple[str, ...]
_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


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

    counts: list[dict[Run, int]] = field(default_factory=list)
    limit: int = MOST_RUNS
    skipped: int = 0

    def __len__(self) -> int:
        return sum(map(len, self.counts))

    def add(self, run: Run, group: int, number: int = 1, texts: dict[str, str] | None = None) -> None:
        """Count some occurrences in a package.

        Args:
            run: the run.
            group: the package.
            number: how many there are.
            texts: text -> the same text, where equal texts shall be one object.
        """
        while len(self.counts) <= group:
            self.counts.append({})
        counts = self.counts[group]
        if run in counts:
            counts[run] += number
        else:
            counts[run if texts is None else tuple([texts.setdefault(text, text) for text in run])] = number

    def shrink(self) -> None:
        """Drop the rarest runs where there are too many, of equally rare ones those that a hash picks; a tenth becomes free."""
        excess = len(self) - self.limit * 9 // 10 if len(self) > self.limit else 0
        least = 1
        while excess > 0:
            # Long runs are mostly seen once, and hold much of what is common: as many of them stay as there is room for.
            rare = sorted(_hash(run) for counts in self.counts for run, count in counts.items() if count == least)
            if rare:
                last = rare[min(excess, len(rare)) - 1]
                self.counts = [{r: n for r, n in counts.items() if n != least or _hash(r) > last} for counts in self.counts]
                excess -= min(excess, len(rare))
            least += 1


def _hash(run: Run) -> int:
    return zlib.crc32("".join(run).encode("utf-8", "replace"))


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

    return partial(_simpy_pieces, dialect)


def _simpy_pieces(dialect: Dialect, source: str) -> list[Piece]:
    text = encode(source, dialect=dialect, verify=False)
    return [(_class(lexeme.terminal, lexeme.text, lexeme.is_data), lexeme.text) for lexeme in lexemes(text, dialect=dialect)]


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
    processes: int = 1,
    limit: int = MOST_RUNS,
    progress: Callable[[], None] = lambda: None,
) -> Runs:
    """Count the runs of a corpus. The result does not depend on the number of processes.

    Args:
        programs: the corpus.
        lexer: what makes pieces of a program.
        classes: what may be merged: "grammar", "punctuation" (and grammar) or "identifiers" (common ones, and both).
        words: the common identifiers.
        processes: how many programs are read at the same time; if several, ``lexer`` must be one that can be pickled.
        limit: how many different runs are kept; the rarest are dropped when there are more.
        progress: called after each program.

    Raises:
        SimPyError: a process died.

    >>> collect([Program("", "return foo(1)")], simpy_lexer(Dialect.load("classic")), classes="punctuation").counts
    [{('', '<return>', 'Qzv'): 1, ('Qzv', '(', 'Qzv'): 1, ('Qzv', ')', ''): 1}]
    """
    allowed = frozenset(CLASSES[: CLASSES.index(classes) + 1])
    runs = Runs(limit=limit)
    numbers: dict[str, int] = {}
    texts: dict[str, str] = {}  # what came from another process shares no text with what is here
    groups: list[tuple[int, int]] = []

    def chunks() -> Iterator[list[str]]:
        for group, sources in _chunks(programs):
            groups.append((numbers.setdefault(group, len(numbers)), len(sources)))
            yield sources

    for done, (counts, skipped) in enumerate(_each(partial(_count, lexer, allowed, words), chunks(), processes)):
        group, size = groups[done]
        runs.skipped += skipped
        for run, count in counts.items():
            runs.add(run, group, count, texts)
        runs.shrink()
        for _ in range(size):
            progress()
    return runs


def _chunks(programs: Iterable[Program]) -> Iterator[tuple[str, list[str]]]:
    """The sources of a corpus in portions of one package each, and the package."""
    group, sources, size = "", list[str](), 0
    for program in programs:
        if sources and (program.group != group or size > _CHUNK):
            yield group, sources
            sources, size = [], 0
        group = program.group
        sources.append(program.source)
        size += len(program.source)
    if sources:
        yield group, sources


def _each(work: Callable[[_Item], _Result], items: Iterable[_Item], processes: int) -> Iterator[_Result]:
    """The results of a function in order; in several processes no more are begun than are soon wanted."""
    if processes <= 1:
        yield from map(work, items)
        return
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # Not forked: a tokenizer may have threads by now, which a fork does not survive.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_ignore_interrupt)
    waiting: deque[Future[_Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise SimPyError("a worker process died, perhaps for want of memory", hint="learn in one process") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _ignore_interrupt() -> None:
    """Leave Ctrl-C to the process that speaks to the user."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _count(lexer: Lexer, allowed: frozenset[str], words: frozenset[str], sources: list[str]) -> tuple[dict[Run, int], int]:
    """The runs of some programs with their counts, and how many of the programs could not be encoded."""
    runs = Runs()
    for source in sources:
        try:
            pieces = lexer(source)
        except (SimPyError, SyntaxError, tokenize.TokenError, RecursionError):
            runs.skipped += 1
            continue
        _cut(pieces, allowed, words, runs)
    return runs.counts[0] if runs.counts else {}, runs.skipped


def _cut(pieces: list[Piece], allowed: frozenset[str], words: frozenset[str], runs: Runs) -> None:
    """Cut the pieces of a program into runs."""
    with_words = "identifiers" in allowed
    run = [""]
    for kind, text in pieces:
        if kind in allowed or (kind == "word" and with_words and text in words):
            run.append(text)
            continue
        if len(run) > 1:
            runs.add((*run, _neighbour(kind, text, _OPENING)), 0)
        run = [_neighbour(kind, text, _CLOSING)]
    if len(run) > 1:
        runs.add((*run, ""), 0)


def _neighbour(kind: str, text: str, part: re.Pattern[str]) -> str:
    """What a tokenizer may merge into a run from the piece beside it."""
    if kind == "data":
        match = part.search(text)
        return match[0] if match else text if len(text) < 3 else _STAND_IN
    if kind == "comment":
        return ("\n" if text.endswith("\n") else _STAND_IN) if part is _CLOSING else "#"
    return _STAND_IN if kind == "word" else text

"""From programs to passages, each with how often it occurs: what learned tokens are n-grams of.

A passage is a longest sequence of lexemes, or parts of names, that may be merged. It ends at a literal, a comment, or a part of a
name that is not common; of these it keeps only what a tokenizer may merge with its own end: a quote, or a stand-in for a name. So passages
repeat, and a corpus of any size fits into a table of bounded size. The n-grams in passages are found by
``tokenizer_ext.learning.ngrams``.
"""

from __future__ import annotations

import re
import tokenize
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from simpy_grammar.errors import SimPyError
from tokenizer_ext.learning.corpus import CorpusFile, package_groups
from tokenizer_ext.learning.pieces import CLASSES, LITERAL, WORD, Piece, Splitter
from tokenizer_ext.learning.pool import map_in_order

MOST_PASSAGES = 800_000  # different passages that are counted at a time
_PORTION = 500_000  # characters of a portion of work
_OPENING = re.compile(r"[A-Za-z]{0,2}(?:\"\"\"|'''|\"|')")
_CLOSING = re.compile(r"(?:\"\"\"|'''|\"|')$")
_STAND_IN = "Qzv"  # a name that no vocabulary has as one token, so that nothing merges into it as a whole

Passage = tuple[str, ...]
"""The texts of the lexemes, and before and after them those of the neighbours, which are never merged."""


@dataclass
class PassageTable:
    """Passages with their counts, by group of packages.

    Attributes:
        counts: for each group, passage -> how often it occurs.
        limit: how many passages are kept; the rarest are dropped when there are more.
        skipped: how many programs could not be encoded.
    """

    counts: list[dict[Passage, int]] = field(default_factory=list)
    limit: int = MOST_PASSAGES
    skipped: int = 0

    def __len__(self) -> int:
        return sum(map(len, self.counts))

    def add(self, passage: Passage, group: int, number: int = 1, texts: dict[str, str] | None = None) -> None:
        """Count some occurrences in a group.

        Args:
            passage: the passage.
            group: the group.
            number: how many there are.
            texts: each text mapped to itself, so that equal texts are stored once.
        """
        while len(self.counts) <= group:
            self.counts.append({})
        counts = self.counts[group]
        if passage in counts:
            counts[passage] += number
        else:
            counts[passage if texts is None else tuple([texts.setdefault(text, text) for text in passage])] = number

    def shrink(self) -> None:
        """Drop the rarest passages if there are too many, and make a tenth of the table free. A hash decides among equally rare ones."""
        excess = len(self) - self.limit * 9 // 10 if len(self) > self.limit else 0
        least = 1
        while excess > 0:
            # Most long passages are seen once, yet they hold much of what is common: as many of them stay as there is room for.
            rare = sorted(_hash(passage) for counts in self.counts for passage, count in counts.items() if count == least)
            if rare:
                last = rare[min(excess, len(rare)) - 1]
                self.counts = [{p: n for p, n in counts.items() if n != least or _hash(p) > last} for counts in self.counts]
                excess -= min(excess, len(rare))
            least += 1


def _hash(passage: Passage) -> int:
    return zlib.crc32("".join(passage).encode("utf-8", "replace"))


def count_passages(
    files: Sequence[CorpusFile],
    splitter: Splitter,
    *,
    classes: str = "identifiers",
    words: frozenset[str] = frozenset(),
    processes: int = 1,
    limit: int = MOST_PASSAGES,
    progress: Callable[[], None] = lambda: None,
) -> PassageTable:
    """Count the passages of a corpus. The result does not depend on the number of processes.

    Args:
        files: the corpus.
        splitter: what makes pieces of a program.
        classes: what may be merged: "grammar", "punctuation" (and grammar), "identifiers" (common parts of them, and both) or
            "literals" (common strings as a whole, and all of these).
        words: the common parts of identifiers, and the common literals.
        processes: how many programs are read at the same time; if several, ``splitter`` must be one that can be pickled.
        limit: how many different passages are kept; the rarest are dropped when there are more.
        progress: called after each program.

    Raises:
        SimPyError: a process died.

    >>> from simpy_grammar.dialect import Dialect
    >>> from tokenizer_ext.learning.pieces import simpy_splitter
    >>> files = [CorpusFile("", "return foo(1)")]
    >>> count_passages(files, simpy_splitter(Dialect.load("classic")), classes="punctuation").counts
    [{('', '<return>', 'Qzv'): 1, ('Qzv', '(', 'Qzv'): 1, ('Qzv', ')', ''): 1}]
    """
    allowed = frozenset(CLASSES[: CLASSES.index(classes) + 1])
    table = PassageTable(limit=limit)
    groups = package_groups(files)
    portions = list(_portions(files))
    texts: dict[str, str] = {}  # what came from another process shares no text with what is here
    count = partial(_count, splitter, allowed, words)
    counted = map_in_order(count, (sources for _, sources in portions), processes)
    for (package, sources), (counts, skipped) in zip(portions, counted, strict=True):
        table.skipped += skipped
        for passage, number in counts.items():
            table.add(passage, groups[package], number, texts)
        table.shrink()
        for _ in sources:
            progress()
    return table


def _portions(files: Sequence[CorpusFile]) -> Iterator[tuple[str, list[str]]]:
    """A corpus in portions of one package each: the package, and sources."""
    package, sources, size = "", list[str](), 0
    for file in files:
        if sources and (file.package != package or size > _PORTION):
            yield package, sources
            sources, size = [], 0
        package = file.package
        sources.append(file.source)
        size += len(file.source)
    if sources:
        yield package, sources


def _count(splitter: Splitter, allowed: frozenset[str], words: frozenset[str], sources: list[str]) -> tuple[dict[Passage, int], int]:
    """The passages of some programs with their counts, and how many of the programs could not be encoded."""
    table = PassageTable()
    for source in sources:
        try:
            pieces = splitter(source)
        except (SimPyError, SyntaxError, tokenize.TokenError, RecursionError):
            table.skipped += 1
            continue
        _cut(pieces, allowed, words, table)
    return table.counts[0] if table.counts else {}, table.skipped


def _cut(pieces: list[Piece], allowed: frozenset[str], words: frozenset[str], table: PassageTable) -> None:
    """Cut the pieces of a program into passages."""
    with_words, with_literals = "identifiers" in allowed, "literals" in allowed
    passage = [""]
    for class_, text in pieces:
        if class_ in allowed or (text in words and ((class_ == WORD and with_words) or (class_ == LITERAL and with_literals))):
            passage.append(text)
            continue
        if len(passage) > 1:
            table.add((*passage, _neighbour(class_, text, _OPENING)), 0)
        passage = [_neighbour(class_, text, _CLOSING)]
    if len(passage) > 1:
        table.add((*passage, ""), 0)


def _neighbour(class_: str, text: str, part: re.Pattern[str]) -> str:
    """What a tokenizer may merge into a passage from the piece beside it."""
    if class_ in ("data", LITERAL):
        match = part.search(text)
        return match[0] if match else text if len(text) < 3 else _STAND_IN
    if class_ == "comment":
        return ("\n" if text.endswith("\n") else _STAND_IN) if part is _CLOSING else "#"
    return _STAND_IN if class_ == WORD else text

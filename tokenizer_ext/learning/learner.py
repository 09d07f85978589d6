"""``learn``: a corpus in, learned tokens out, judged on programs that they were not learned from. The steps are in other files."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import DialectError, SimPyError
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.costs import ordinary_costs
from tokenizer_ext.extension import extend, refusal
from tokenizer_ext.grammar_tokens import extension_tokens
from tokenizer_ext.learned_tokens import LearnedTokens
from tokenizer_ext.learning.choosing import choose
from tokenizer_ext.learning.corpus import CorpusFile, common_words
from tokenizer_ext.learning.evaluation import Point, evaluate
from tokenizer_ext.learning.passages import count_passages
from tokenizer_ext.learning.pieces import simpy_splitter

MOST_HELD_OUT = 3_000_000  # characters; measuring more takes long and changes little


@dataclass(frozen=True)
class LearningResult:
    """What ``learn`` returns.

    Attributes:
        learned: the tokens.
        python: the tokens of the held-out programs as Python.
        curve: points for growing budgets, the first without learned tokens.
        files: how many programs were learned from.
        skipped: how many of them could not be encoded.
    """

    learned: LearnedTokens
    python: int
    curve: tuple[Point, ...]
    files: int
    skipped: int

    def table(self) -> str:
        """The curve as text: percent of the Python tokens that are saved."""
        lines = ["learned   promised   realised  (tokens saved on held-out files)"]
        for point in self.curve:
            promised, realised = (f"{100 - 100 * tokens / max(self.python, 1):8.2f} %" for tokens in (point.promised, point.realised))
            lines.append(f"{point.budget:7,} {promised} {realised}")
        return "\n".join(lines)


def learn(
    tokenizer: Any,
    files: Sequence[CorpusFile],
    *,
    budget: int,
    dialect: str | Path | Dialect = "dense",
    classes: str = "identifiers",
    held_out: float = 0.1,
    tokenizer_name: str = "",
    processes: int = 1,
    progress: Callable[[], None] = lambda: None,
) -> LearningResult:
    """Learn tokens for a tokenizer.

    The same files, tokenizer and budget give the same tokens, in however many processes.

    Args:
        tokenizer: any that ``extend`` takes.
        files: the corpus.
        budget: how many tokens.
        dialect: the dialect whose text is merged.
        classes: what may be merged: "grammar", "punctuation" (and grammar), "identifiers" (common parts of them, and both) or
            "literals" (common strings as a whole, and all of these).
        held_out: the share of the files that is not learned from, up to ``MOST_HELD_OUT`` characters.
        tokenizer_name: the name of the tokenizer in the file of learned tokens.
        processes: how many processes read programs. They start afresh, so a script that asks for several must be one that can
            be imported (``if __name__ == "__main__"``).
        progress: called after each file and each token.

    Raises:
        TokenizerError: the tokenizer cannot be extended.
        DialectError: there is no such dialect, or it is ``compact``, which takes no tokens.
        SimPyError: no program could be encoded.

    >>> import tiktoken
    >>> ranks = {bytes([i]): i for i in range(256)}
    >>> letters = tiktoken.Encoding("letters", pat_str=r".|\\n", mergeable_ranks=ranks, special_tokens={})
    >>> files = [CorpusFile("", f"self.value = self.get({i})") for i in range(20)]
    >>> learn(letters, files, budget=2).learned.tokens
    ('self.value=self.get(',)
    """
    chosen = Dialect.load(dialect)
    if chosen.is_python:
        raise DialectError(f"{chosen.name} is for models whose vocabulary cannot be extended", hint="learn in dense or classic")
    extend(tokenizer, dialect=chosen)  # says now if it cannot work
    known, held = _split(files, held_out)
    words = common_words(known, literals=classes == "literals") if classes in ("identifiers", "literals") else frozenset()
    splitter = simpy_splitter(chosen)
    table = count_passages(known, splitter, classes=classes, words=words, processes=processes, progress=progress)
    if not len(table):
        raise SimPyError("there is nothing to learn from in this corpus", hint="give more Python files")
    adapter = adapter_of(tokenizer)
    plain = adapter.ordinary(())
    costs = ordinary_costs(plain, chosen.special_tokens)
    choice = choose(table, costs, budget, can_be_added=lambda text: not refusal(text) and adapter.id_of(text) is None, progress=progress)
    name = str(dialect) if isinstance(dialect, (str, Path)) else chosen.name
    meta = {"budget": budget, "classes": classes, "programs": len(known), "saved_on_corpus": list(choice.saved)}
    learned = LearnedTokens(choice.tokens, tokenizer_name, name, meta)
    held_table = count_passages(held, splitter, classes=classes, words=words, processes=processes, progress=progress)
    own = list(extension_tokens(adapter.added, chosen))
    python, curve = evaluate(adapter.ordinary(own) if own else plain, chosen, choice, held, held_table, costs)
    return LearningResult(learned, python, curve, len(known), table.skipped)


def _split(files: Sequence[CorpusFile], share: float) -> tuple[list[CorpusFile], list[CorpusFile]]:
    """The files that are learned from and those that are held out: by what they say, so that their order does not matter."""
    numbers = [zlib.crc32(file.source.encode("utf-8", "replace")) % 10_000 for file in files]
    held: set[int] = set()
    size = 0
    for i in sorted((i for i, number in enumerate(numbers) if number < share * 10_000), key=lambda i: (numbers[i], files[i].source)):
        if size < MOST_HELD_OUT:
            held.add(i)
            size += len(files[i].source)
    return [file for i, file in enumerate(files) if i not in held], [file for i, file in enumerate(files) if i in held]

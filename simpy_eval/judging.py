"""Judging spellings by a model: how much each candidate dialect surprises it, beside how many tokens it takes, and which one to choose.

A model that was not trained on a dialect reads it with new rows that are the means of what their tokens stand for. Candidates come from
elsewhere: the built-in dialects, and what ``tokenizer_ext.fitting`` finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from simpy_eval.functions import functions_of
from simpy_eval.models import EvaluatedModel
from simpy_eval.nats import nats_of
from simpy_eval.programs import convert_programs
from simpy_eval.statistics import difference_interval
from simpy_grammar.dialect import COMPACT, PYTHON, Dialect
from simpy_grammar.errors import BackendError, SimPyError
from simpy_grammar.spaced import with_blanks
from tokenizer_ext import extend, extend_model
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.plain_codec import PlainCodec
from transpiler import encode


class Judged(NamedTuple):
    """What a model says of a dialect.

    Attributes:
        dialect: the dialect.
        tokens: ids of each program, in order.
        nats: of each program, its end included.
    """

    dialect: Dialect
    tokens: list[int]
    nats: list[float]


def spaced(dialect: Dialect, name: str) -> Dialect:
    """A dialect with the blanks of Python, under another name.

    >>> spaced(Dialect.load("classic"), "mine") == Dialect.load("classic-spaced")
    True
    """
    return Dialect(name, with_blanks(dialect.spellings), is_open=dialect.is_open)


def units(sources: Iterable[str]) -> Iterator[str]:
    """The functions and methods of some Python, each as a program of its own; all of a source where it has none. Other text is left out.

    >>> list(units(["x=1", "def f():\\n    return 1\\n", "x ="]))
    ['x = 1\\n', 'def f():\\n    return 1\\n']
    """
    for source in sources:
        for program in convert_programs([("", source)], Dialect.load(PYTHON))[0]:
            functions = [function.prompt + function.body for function in functions_of(program)]
            yield from functions or [program.python]


def judge(
    folder: str,
    candidates: Sequence[Dialect],
    programs: Sequence[str],
    *,
    device: str | None = None,
    progress: Callable[[], None] = lambda: None,
) -> list[Judged]:
    """Ask a model about Python, ``compact`` and candidates, on the same programs.

    Args:
        folder: a causal language model of ``transformers`` with its tokenizer, not extended for another dialect than the candidates.
        candidates: dialects of SimPy.
        programs: Python; what some dialect or the vocabulary refuses is left out everywhere.
        device: where the model runs, as PyTorch names it.
        progress: called after each dialect.

    Returns:
        One for each dialect: ``python``, ``compact``, then the candidates in order.

    Raises:
        BackendError: the folder holds no model, there is no such device, or no program is left.
        TokenizerError: the tokenizer cannot be extended for a candidate.
    """
    dialects = [Dialect.load(PYTHON), Dialect.load(COMPACT), *candidates]
    texts = _spelled(dialects, programs)
    found: dict[int, Judged] = {}
    order = sorted(range(len(dialects)), key=lambda i: dialects[i].special_tokens)
    for tokens, group in groupby(order, key=lambda i: dialects[i].special_tokens):
        base = EvaluatedModel.open(folder, dialect=dialects[0], device=device)  # anew, since rows cannot be taken away again
        if not found:
            texts = _carried(base, texts)
        for i in group:
            read = _extended(base, dialects[i]) if tokens else base
            ids = [[*read.ids(row[i]), *([] if read.end is None else [read.end])] for row in texts]
            found[i] = Judged(dialects[i], [*map(len, ids)], nats_of(read.model, ids, start=read.start))
            progress()
    return [found[i] for i in range(len(dialects))]


def _spelled(dialects: Sequence[Dialect], programs: Sequence[str]) -> list[list[str]]:
    """Each program in each dialect."""
    found = []
    for program in programs:
        try:
            found.append([encode(program, dialect=dialect, verify=False) for dialect in dialects])
        except SimPyError:
            continue
    return found


def _carried(model: EvaluatedModel, texts: list[list[str]]) -> list[list[str]]:
    """The programs that the vocabulary can carry. Each dialect has the same literals and names, so Python speaks for all."""
    codec = PlainCodec(model.tokenizer)

    def has_ids(text: str) -> bool:
        try:
            codec.encode(text)
        except TokenizerError:
            return False
        return True

    kept = [row for row in texts if has_ids(row[0])]
    if not kept:
        raise BackendError("no program to measure with", path=model.name, hint="name Python that the vocabulary can carry")
    return kept


def _extended(base: EvaluatedModel, dialect: Dialect) -> EvaluatedModel:
    try:
        tokenizer: Any = extend(base.tokenizer, dialect=dialect)
        model = extend_model(base.model, tokenizer, dialect=dialect)
    except TokenizerError as error:
        error.path = error.path or base.name
        error.hint = error.hint or "name the model as it was before it was extended"
        raise
    return EvaluatedModel(model.eval(), tokenizer, dialect=dialect, name=base.name)


def choose(candidates: Sequence[Judged], *, seed: int = 0) -> Judged:
    """The candidate with the fewest tokens, among those of which the model does not decidedly need more nats than of the best.

    The best is the one with the fewest nats. Another needs decidedly more if the paired interval of the difference is above zero.

    Args:
        candidates: judged on the same programs.
        seed: of the resamples.

    >>> cheap = Judged(Dialect.load("dense"), [5, 5, 5], [11.0, 9.0, 13.0])
    >>> best = Judged(Dialect.load("classic"), [9, 9, 9], [10.0, 10.0, 12.0])
    >>> choose([best, cheap]).dialect.name  # 33.0 nats against 32.0, of which the interval holds zero
    'dense'
    >>> choose([best, cheap._replace(nats=[11.0, 12.0, 13.0])]).dialect.name
    'classic'
    """
    best = min(candidates, key=lambda one: sum(one.nats))
    close = [one for one in candidates if one is best or difference_interval(best.nats, one.nats, seed=seed).low <= 0]
    return min(close, key=lambda one: (sum(one.tokens), sum(one.nats)))

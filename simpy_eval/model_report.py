"""What a model costs and what it is worth, in figures that can be compared before and after a change: size, time, nats, validity.

Quality is nats per program, and the share of free generations that are programs; correctness is left to ``simpy eval``.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simpy_eval.answers import Sampling, ask
from simpy_eval.models import FREE, VALID, EvaluatedModel
from simpy_eval.nats import nats_of
from simpy_grammar.dialect import Dialect

_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt")
_PROMPT_IDS, _TIMED = 16, 32  # ids before those that are timed, and how many are
PROMPTS = (
    "def add(a, b):\n    return",
    "def largest(numbers):\n    best = numbers[0]\n    for number in",
    "import os\n\ndef files(folder):\n    for name in",
    "class Stack:\n    def __init__(self):\n        self.items = ",
    "def is_prime(n):\n    if n < 2:\n        return",
)
"""What models go on with, in turn."""


@dataclass(frozen=True)
class Validity:
    """What became of programs that a model went on with.

    Attributes:
        samples: how many there are.
        ended: how many the model ended itself before the limit.
        parsed: how many are, with their prompt, Python that parses. Under a mask a program that takes up the limit is whole, too.
        compiled: how many of them compile.
    """

    samples: int
    ended: int
    parsed: int
    compiled: int


@dataclass(frozen=True)
class ModelReport:
    """The figures of one model.

    Attributes:
        megabytes: size of the files of weights, in 10^6 bytes.
        parameters: how many numbers the model has.
        milliseconds_per_token: processor time of generating one more id, on one core.
        nats: of each program, its end included.
        free: generations without a mask.
        masked: generations under a mask of valid Python.
    """

    megabytes: float
    parameters: int
    milliseconds_per_token: float
    nats: list[float]
    free: Validity
    masked: Validity


def report(
    folder: str | Path, programs: Sequence[str], *, dialect: str | Path | Dialect, samples: int = 20, limit: int = 96
) -> ModelReport:
    """Measure a model in a folder.

    Args:
        folder: a causal language model of ``transformers`` with its tokenizer.
        programs: in the dialect; the same for all models that are compared.
        dialect: what the model reads and writes.
        samples: generations of each kind; 0 for none.
        limit: ids of a generation at most.

    Raises:
        BackendError: the folder holds no such model, or its tokenizer was not extended for the dialect.
    """
    evaluated = EvaluatedModel.open(str(folder), dialect=Dialect.load(dialect))
    model = evaluated.model
    ids = [[*evaluated.ids(program), *([] if evaluated.end is None else [evaluated.end])] for program in programs]
    return ModelReport(
        megabytes=megabytes(folder),
        parameters=evaluated.parameters,
        milliseconds_per_token=milliseconds_per_token(model, evaluated.start),
        nats=nats_of(model, ids, start=evaluated.start),
        free=validity(evaluated, FREE, samples, limit),
        masked=validity(evaluated, VALID, samples, limit),
    )


def megabytes(folder: str | Path) -> float:
    """The size of the files of weights in a folder, in 10^6 bytes.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = Path(folder, "model.safetensors").write_bytes(bytes(250_000))
    ...     megabytes(folder)
    0.25
    """
    return sum(path.stat().st_size for path in Path(folder).iterdir() if path.suffix in _WEIGHTS) / 1e6


def milliseconds_per_token(model: Any, start: int) -> float:
    """The processor time of generating one more id in one thread, in milliseconds: the median of some measurements."""
    import torch

    def seconds(ids: int) -> float:
        began = time.process_time()
        model.generate(**read, min_new_tokens=ids, max_new_tokens=ids, do_sample=False, pad_token_id=start)
        return time.process_time() - began

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    prompt = torch.full((1, _PROMPT_IDS), start, device=model.device)
    read = {"input_ids": prompt, "attention_mask": torch.ones_like(prompt)}
    try:
        seconds(1)  # the first call makes what later ones keep
        return 1000 * statistics.median((seconds(1 + _TIMED) - seconds(1)) / _TIMED for _ in range(3))
    finally:
        torch.set_num_threads(threads)


def validity(evaluated: EvaluatedModel, mask: str, samples: int, limit: int) -> Validity:
    """What becomes of the prompts, at temperature 0.8. The seeds are the same for all models.

    Args:
        evaluated: the model.
        mask: how answers are held, one of ``simpy_eval.models.MASKS``.
        samples: how many there are.
        limit: ids of an answer at most.
    """
    if not samples:
        return Validity(0, 0, 0, 0)
    code, sampling = evaluated.code(mask), Sampling(limit, temperature=0.8)
    answers = [ask(code, prompt := PROMPTS[i % len(PROMPTS)], sampling.options(prompt, i)) for i in range(samples)]
    whole = [answer for answer in answers if answer.decoded]
    return Validity(samples, sum(answer.ended for answer in answers), sum(one.parsed for one in whole), sum(one.compiled for one in whole))

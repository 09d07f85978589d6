"""What a model costs and what it is worth, in figures that can be compared before and after a change: size, time, nats, validity.

Quality is nats per program, and the share of free generations that are programs; correctness is left to ``simpy eval``.
"""

from __future__ import annotations

import ast
import statistics
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simpy_eval.nats import nats_of
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError

if TYPE_CHECKING:
    from dualcode.backends.transformers_backend import TransformersBackend

_WEIGHTS = (".safetensors", ".bin", ".gguf", ".pt")
_PROMPT_IDS, _TIMED = 16, 32  # ids before the first timed one, and timed ids
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
        ended: how many the model ended itself, within the limit.
        parsed: how many of these are Python that parses.
        compiled: how many of these compile.
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
        milliseconds_per_token: processor time of a step with one id, on one core, the median of 32 after 16 ids.
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
        BackendError: the folder holds no such model.
        SimPyError: the tokenizer has no token that ends a text, or was not extended for the dialect.
    """
    from dualcode.backends.transformers_backend import open_backend

    chosen = Dialect.load(dialect)
    backend = open_backend(str(folder), dialect=chosen)
    model, tokenizer = backend.model.eval(), backend.tokenizer
    end = tokenizer.eos_token_id
    if end is None:
        raise SimPyError("the tokenizer has no token that ends a text", path=str(folder))
    ids = [[*_ids(backend, program), end] for program in programs]
    masked = open_backend(str(folder), dialect=chosen, constrain=True, valid_python=True) if samples else backend
    return ModelReport(
        megabytes=megabytes(folder),
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        milliseconds_per_token=milliseconds_per_token(model, end),
        nats=nats_of(model, ids, start=end),
        free=validity(backend, chosen, samples, limit),
        masked=validity(masked, chosen, samples, limit),
    )


def _ids(backend: TransformersBackend, program: str) -> list[int]:
    return backend._ids(program, start=False)


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
    """The processor time of a step that reads one id after others, in milliseconds: the median of some, in one thread."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    times: list[float] = []
    try:
        with torch.inference_mode():
            output = model(input_ids=torch.full((1, _PROMPT_IDS), start), use_cache=True)
            for _ in range(_TIMED):
                following = output.logits[:, -1:].argmax(-1)
                began = time.process_time()
                output = model(input_ids=following, past_key_values=output.past_key_values, use_cache=True)
                times.append(time.process_time() - began)
    finally:
        torch.set_num_threads(threads)
    return 1000 * statistics.median(times)


def validity(backend: TransformersBackend, dialect: Dialect, samples: int, limit: int) -> Validity:
    """What becomes of the prompts, at temperature 0.8; each sample has its number as its seed."""
    from dualcode.backends.protocol import COMPLETE, END, Request
    from transpiler import decode
    from transpiler.unfinished import encode_beginning

    ended = parsed = compiled = 0
    for seed in range(samples):
        prompt = PROMPTS[seed % len(PROMPTS)]
        begun = prompt if dialect.is_python else encode_beginning(prompt, dialect=dialect)[0]
        request = Request(task=COMPLETE, prompt=begun, options={"max_tokens": limit, "temperature": 0.8, "seed": seed})
        text = begun + "".join(backend.run(request))
        if request.spent.stopped != END:
            continue
        ended += 1
        try:
            python = text if dialect.is_python else decode(text, dialect=dialect)
        except SimPyError:
            continue
        parses, compiles = judge(python)
        parsed += parses
        compiled += compiles
    return Validity(samples, ended, parsed, compiled)


def judge(python: str) -> tuple[bool, bool]:
    """Whether a text parses as Python, and whether it compiles. Nothing is run.

    >>> judge("x = 1"), judge("return"), judge("x = = 1")
    ((True, True), (True, False), (False, False))
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(python)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return False, False
        try:
            compile(python, "generated", "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return True, False
    return True, True

"""Answers of a model: asked for through ``DualCode``, and judged without being run: do they end, decode, parse and compile?"""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from dualcode import DualCode
from dualcode.backends.protocol import LENGTH
from simpy_eval.reports import CHECKS
from simpy_grammar.errors import BackendError
from transpiler.proof import parse_tree


@dataclass(frozen=True)
class Answer:
    """An answer.

    Attributes:
        text: what the model adds to the prompt, in Python.
        read: how many tokens the model read.
        written: how many tokens it wrote.
        ended: see ``CHECKS``.
        decoded: see ``CHECKS``.
        parsed: see ``CHECKS``.
        compiled: see ``CHECKS``.
        note: why there is no answer, or what could not be converted; empty if all is well.
    """

    text: str
    read: int
    written: int
    ended: bool
    decoded: bool
    parsed: bool
    compiled: bool
    note: str = ""

    def described(self) -> dict[str, Any]:
        """The answer as a report has it."""
        found: dict[str, Any] = {"text": self.text, "read": self.read, "written": self.written}
        found |= {name: getattr(self, name) for name in CHECKS}
        return found | ({"note": self.note} if self.note else {})


@dataclass(frozen=True)
class Sampling:
    """How answers are drawn.

    Attributes:
        max_tokens: how many tokens an answer may have.
        temperature: how freely tokens are drawn; 0 for the likeliest token at each step.
        top_p: draw from the likeliest tokens that together have this probability.
        seed: the seed of the evaluation.
    """

    max_tokens: int = 256
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int = 0

    def options(self, name: str, sample: int) -> dict[str, Any]:
        """The options for one answer. Its seed depends on the problem and the number of the answer alone, not on what came before."""
        digest = sha256(f"{self.seed}\0{name}\0{sample}".encode("utf-8", "surrogatepass")).digest()
        options: dict[str, Any] = {"max_tokens": self.max_tokens, "temperature": self.temperature}
        return options | ({"top_p": self.top_p, "seed": int.from_bytes(digest[:4], "big")} if self.temperature else {})


def ask(
    code: DualCode, prompt: str, options: Mapping[str, Any], *, until: str | None = None, stop: Sequence[str] = (), held: bool = False
) -> Answer:
    """Let a model continue a program. If the model fails, the answer is empty.

    Args:
        code: the wrapper around the model.
        prompt: the beginning of a program.
        options: those of ``Sampling.options``.
        until: the unit at whose end the answer is cut.
        stop: texts before which it is cut.
        held: whether a mask holds the answer, which then ends within the limit even if no token is left to say so.
    """
    wanted = {**options, "stop": list(stop)} if stop else dict(options)
    try:
        result = code.complete(prompt, until=until, **wanted)
    except BackendError as error:
        return Answer("", code.backend.count(prompt) or 0, 0, False, False, False, False, error.message)
    usage = result.usage
    parsed, compiled = judge(prompt + result.text)
    written = usage.tokens_out if usage.generated is None else usage.generated
    note = str(result.notes[0]) if result.notes else ""
    decoded = not result.notes
    ended = usage.stopped != LENGTH or (held and decoded)
    return Answer(result.text, usage.tokens_in, written, ended, decoded, parsed, compiled, note)


def judge(program: str) -> tuple[bool, bool]:
    """Whether CPython parses a program, and compiles it.

    >>> judge("x = 1"), judge("return 1"), judge("x =")
    ((True, True), (True, False), (False, False))
    """
    try:
        tree = parse_tree(program)
    except SyntaxError:
        return False, False
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(program, "<answer>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return tree is not None, False
    return True, True

"""The model that is evaluated: a folder of ``transformers``, its dialect, the ids of programs, and the wrapper for each mask."""

from __future__ import annotations

import os
from typing import Any

from dualcode import DualCode
from dualcode.backends.registry import open_backend
from dualcode.backends.transformers_backend import TransformersBackend
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import BackendError, SimPyError

FREE, GRAMMAR, VALID = "free", "grammar", "valid"
MASKS = {FREE: (False, False), GRAMMAR: (True, False), VALID: (True, True)}
"""How answers are held: not at all; to programs of the dialect that end in time; to valid Python as well. For each, the options
``constrain`` and ``valid_python`` of the backend."""


class EvaluatedModel:
    """A model with its tokenizer.

    Args:
        model: a causal language model of ``transformers``.
        tokenizer: its tokenizer, extended for the dialect unless that is ``compact`` or ``python``.
        dialect: what the model reads and writes.
        name: what a report calls it.

    Attributes:
        start: the id before each program: the one that begins a text for this model, or else the one that ends a text.
        end: the id that ends a text; ``None`` if the tokenizer has none.
        parameters: how many parameters it has; shared ones count once.

    Raises:
        BackendError: the tokenizer has no token that begins or ends a text.
        TokenizerError: it was not extended for the dialect.
    """

    def __init__(self, model: Any, tokenizer: Any, *, dialect: Dialect, name: str) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.dialect = dialect
        self.name = name
        self._backends = {FREE: self._backend(FREE)}
        self.end: int | None = tokenizer.eos_token_id
        start = tokenizer.bos_token_id if tokenizer.bos_token_id is not None else self.end
        if start is None:
            raise BackendError("the tokenizer has no token that begins or ends a text", path=name)
        self.start: int = start
        self.parameters: int = sum(one.numel() for one in {id(one): one for one in model.parameters()}.values())

    @classmethod
    def open(cls, folder: str, *, dialect: Dialect, device: str | None = None) -> EvaluatedModel:
        """The model in a folder, on a device as PyTorch names it.

        Raises:
            BackendError: the folder holds no model that can be evaluated, or there is no such device.
        """
        check_folder(folder)
        backend = open_backend(folder)
        if not isinstance(backend, TransformersBackend):
            raise BackendError("not a folder of a model", path=folder)
        if device is not None:
            try:
                backend.model.to(device)
            except (RuntimeError, AssertionError, ValueError) as error:
                raise BackendError(f"no device {device!r}: {str(error).splitlines()[0]}", path=folder) from None
        return cls(backend.model.eval(), backend.tokenizer, dialect=dialect, name=folder)

    def ids(self, text: str) -> list[int]:
        """The ids of a program of the dialect.

        Raises:
            BackendError: the vocabulary cannot carry it.
        """
        return self._backends[FREE].ids(text)

    def code(self, mask: str) -> DualCode:
        """The wrapper whose answers are held by a mask of ``MASKS``.

        Raises:
            BackendError: there are no masks for the vocabulary.
        """
        if mask not in self._backends:
            self._backends[mask] = self._backend(mask)
        return DualCode(self._backends[mask], dialect=self.dialect)

    def _backend(self, mask: str) -> TransformersBackend:
        constrain, valid_python = MASKS[mask]
        try:
            return TransformersBackend(self.model, self.tokenizer, dialect=self.dialect, constrain=constrain, valid_python=valid_python)
        except SimPyError as error:
            error.path = error.path or self.name
            raise

    def described(self) -> dict[str, Any]:
        """The model as a report has it."""
        return {
            "name": self.name,
            "dialect": self.dialect.name,
            "parameters": self.parameters,
            "vocabulary": len(self.tokenizer),
            "type": str(self.model.dtype).removeprefix("torch."),
        }


def check_folder(folder: str) -> None:
    """Check that a folder holds a model, without loading it.

    Raises:
        BackendError: it does not.

    >>> check_folder("no/such/folder")
    Traceback (most recent call last):
        ...
    simpy_grammar.errors.BackendError: no/such/folder: error: no such folder
    hint: name the folder of a causal language model of transformers, with its tokenizer
    """
    hint = "name the folder of a causal language model of transformers, with its tokenizer"
    if not os.path.isdir(folder):
        raise BackendError("no such folder", path=folder, hint=hint)
    if not os.path.isfile(os.path.join(folder, "config.json")):
        raise BackendError("holds no config.json, so it is not a model", path=folder, hint=hint)

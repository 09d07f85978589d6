"""The backends: one line each. A backend is a module with two functions,

    accepts(target) -> bool              whether the text names a model of this backend
    open_backend(target, **options)      the backend itself

and is imported only when it is needed.
"""

from __future__ import annotations

import importlib
from typing import Any

from dualcode.backends.protocol import Backend
from simpy_grammar.errors import BackendError

BACKENDS: dict[str, str] = {
    "openai": "dualcode.backends.openai_backend",
    "transformers": "dualcode.backends.transformers_backend",
}


def register(name: str, module: str) -> None:
    """Add a backend by the full name of its module; it is asked before the backends that are already there.

    Raises:
        ValueError: the name is taken by another module.
    """
    if BACKENDS.get(name, module) != module:
        raise ValueError(f"there is already a backend {name!r}: {BACKENDS[name]}")
    others = {key: value for key, value in BACKENDS.items() if key != name}
    BACKENDS.clear()
    BACKENDS.update({name: module, **others})


def open_backend(target: str, *, backend: str | None = None, **options: Any) -> Backend:
    """The backend for a model folder, a server's URL, or whatever a registered backend accepts.

    Args:
        target: what names the model.
        backend: the name of the backend; found from the target by default.
        options: handed on to the backend.

    Raises:
        BackendError: no backend knows the target, or the backend cannot open it.

    >>> open_backend("nowhere")
    Traceback (most recent call last):
        ...
    simpy_grammar.errors.BackendError: nowhere: error: no backend knows this model
    hint: name a folder with a model, or the URL of an OpenAI-compatible server
    """
    if backend is not None and backend not in BACKENDS:
        raise BackendError(f"no backend {backend!r}", hint=f"there are: {', '.join(BACKENDS)}")
    for name in [backend] if backend else BACKENDS:
        module = importlib.import_module(BACKENDS[name])
        if backend or module.accepts(target):
            opened: Backend = module.open_backend(target, **options)
            return opened
    raise BackendError(
        "no backend knows this model", path=target, hint="name a folder with a model, or the URL of an OpenAI-compatible server"
    )

"""What tells one model, and the way in which it is asked, from another: for policies that keep answers longer than a process runs."""

from __future__ import annotations

import hashlib
import json
import uuid
from collections.abc import Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from simpy_grammar.dialect import Dialect


def identity_of(models: Mapping[str, object], dialect: Dialect, options: Mapping[str, Any]) -> str:
    """A digest of models, as they were named, of the dialect and of everything that changes what a model is sent.

    A folder is known by the names, sizes and times of its files. A model that was not named but given open is another one each time.

    >>> classic = Dialect.load("classic")
    >>> one, other = (identity_of({"": "http://127.0.0.1:8000", "small": "/nowhere"}, classic, {"seed": n}) for n in (1, 2))
    >>> one == other, identity_of({"": object()}, classic, {}) == identity_of({"": object()}, classic, {})
    (False, False)
    """
    named = [(name, _said(model)) for name, model in sorted(models.items())]
    said = json.dumps([named, dialect.digest, dialect.layout, sorted(options.items())], default=_said)
    return hashlib.sha256(said.encode("utf-8", "surrogatepass")).hexdigest()


def _said(model: object) -> object:
    if is_dataclass(model) and not isinstance(model, type):
        return repr(model)
    if not isinstance(model, str):
        return uuid.uuid4().hex
    folder = Path(model)
    if not folder.exists():
        return model
    files = sorted(path for path in (folder.iterdir() if folder.is_dir() else [folder]) if path.is_file())
    return str(folder.resolve()), [(path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in files]

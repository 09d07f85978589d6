"""The local model that is used where none is named: a small file in the user's cache folder says which folder it is.

``simpy model use FOLDER`` writes it. Nothing is copied, and nothing is ever downloaded.
"""

from __future__ import annotations

import json
import os
from typing import NamedTuple

from simpy_grammar.errors import BackendError
from simpy_grammar.table_cache import cache_folder, read_kept, write_kept

VARIABLE = "SIMPY_MODEL"
"""The variable of the environment that names a model; it wins over the file."""
_FILE = "default-model.json"


class DefaultModel(NamedTuple):
    """What is known of the model.

    Attributes:
        where: its folder or GGUF file; from the environment, also the URL of a server.
        dialect: what it reads and writes; ``None`` if nobody has said.
        weights: how its weights are held, as ``dualcode.backends.weights`` has it; ``None`` for as they are on disk.
    """

    where: str
    dialect: str | None = None
    weights: str | None = None


def path() -> str:
    """The file that says which model it is."""
    return os.path.join(cache_folder(), _FILE)


def keep(model: DefaultModel) -> None:
    """Use a model from now on where none is named.

    Raises:
        BackendError: it is not a model, or the file cannot be written.
    """
    from dualcode.backends.weights import is_model

    if not is_model(model.where):
        raise BackendError("not a model", path=model.where, hint="name a folder with a model of transformers, or a GGUF file")
    kept = model._replace(where=os.path.abspath(model.where))
    write_kept(path(), json.dumps(kept._asdict()).encode())
    if find_kept() != kept:
        raise BackendError("cannot be written", path=path(), hint=f"name the model in the environment: {VARIABLE}={kept.where}")


def find() -> DefaultModel | None:
    """The model that the environment names, or else the one that was kept; ``None`` if neither names one."""
    named = os.environ.get(VARIABLE)
    return DefaultModel(named) if named else find_kept()


def find_kept() -> DefaultModel | None:
    """The model that was kept; ``None`` if no model was kept, or if the file is damaged."""
    body = read_kept(path())
    try:
        found = json.loads(body) if body is not None else None
        return DefaultModel(**found) if isinstance(found, dict) else None
    except (ValueError, TypeError):
        return None

"""Files of settings, in TOML. What may stand in one, its reader says."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import Any

from simpy_grammar.errors import SimPyError


def read_toml(path: Path) -> dict[str, Any]:
    """What a TOML file holds.

    Raises:
        SimPyError: it cannot be read, or it is not TOML.
        ModuleNotFoundError: before Python 3.11, the library tomli is missing.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder, "a.toml")
    ...     _ = path.write_text("port = 81\\n")
    ...     read_toml(path)
    {'port': 81}
    """
    tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
    try:
        with path.open("rb") as file:
            found: dict[str, Any] = tomllib.load(file)
    except OSError as error:
        raise SimPyError(f"cannot be read: {error.strerror}", path=str(path)) from None
    except ValueError as error:  # not TOML, or not UTF-8
        raise SimPyError(f"is not TOML: {error}", path=str(path)) from None
    return found

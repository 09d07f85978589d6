"""The native core, if it is built and wanted: the engine in C, over the same tables.

Pure Python is complete, and says what the native core has to do. Every function of the core returns ``None`` where it cannot do
something, wrong text included; who calls it takes the Python path then, which also says what is wrong. ``SIMPY_PURE=1`` leaves
the core out.
"""

from __future__ import annotations

import os

from simpy_grammar.terminals import TERMINALS

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from typing import Any

    from simpy_grammar.tables import Tables

    Core = Any  # the extension module
    Capsule = Any  # what it has made, for itself


def table_check() -> str:
    """What a core must have been built for: the table of terminals.

    >>> "IF_STMT" in table_check()
    True
    """
    return ";".join(f"{terminal.name}:{terminal.python}:{terminal.role}:{terminal.general}" for terminal in TERMINALS)


def _load() -> Core | None:
    if os.environ.get("SIMPY_PURE", "0") not in ("", "0"):
        return None
    try:
        from simpy_grammar import _native  # type: ignore[attr-defined]  # built where there is a C compiler
    except ImportError:
        return None
    found: Core = _native
    return found if found.terminal_check == table_check() else None


core: Core = _load()
"""The extension module, or ``None``."""


def tables_in_core(tables: Tables) -> Capsule | None:
    """What the core has made of tables; ``None`` without a core, and where it refuses them."""
    if tables.native is None and core is not None:
        tables.native = (core.tables(tables.data),)
    return tables.native[0] if tables.native is not None else None

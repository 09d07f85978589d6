"""The compiled tables of a dialect, and the cache that keeps them. What they mean is in ``simpy_grammar.compile``;
what runs on them is ``simpy_grammar.parser``."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from functools import lru_cache
from pathlib import Path

from simpy_grammar.dialect import GRAMMAR_FOLDER, Dialect

END = "$END"
_FORMAT = 1  # raise it when the meaning of the stored fields changes


@dataclass(frozen=True)
class Tables:
    """LALR(1) tables.

    Attributes:
        patterns: token -> ("str", text) or ("re", regular expression).
        actions: for each state, token -> next state, or -1 - rule for a reduction.
        gotos: for each state, rule name -> next state.
        shifted: for each state, the terminal that a shift into it has read; ``None`` if a reduction leads there.
        rules: for each rule its name, its length, and the terminal that reducing it stands for (mostly ``None``).
    """

    patterns: dict[str, tuple[str, str]]
    actions: list[dict[str, int]]
    gotos: list[dict[str, int]]
    shifted: list[str | None]
    rules: list[tuple[str, int, str | None]]


@lru_cache(maxsize=32)
def _tables(dialect_digest: str, grammar_digest: str) -> Tables:
    dialect = _dialects[dialect_digest]
    name = hashlib.sha256(f"{_FORMAT} {dialect_digest} {grammar_digest}".encode()).hexdigest()[:32] + ".json"
    for folder in (_SHIPPED, cache_folder()):
        tables = _read(folder / name)
        if tables is not None:
            return tables
    from simpy_grammar.compile import compile_dialect  # Lark takes long to import and is needed once a dialect

    tables = compile_dialect(dialect)
    _write(cache_folder() / name, tables)
    return tables


_dialects: dict[str, Dialect] = {}
_SHIPPED = Path(__file__).parent / "compiled"


def load_tables(dialect: Dialect) -> Tables:
    """The tables of a dialect: from memory, from the cache, or compiled now (about a second).

    Raises:
        DialectError: the dialect is ambiguous.
    """
    _dialects[dialect.digest] = dialect
    return _tables(dialect.digest, _grammar_digest())


@lru_cache(maxsize=1)
def _grammar_digest() -> str:
    parts = [GRAMMAR_FOLDER / "simpy.lark", Path(__file__).with_name("terminals.py")]
    return hashlib.sha256(b"\0".join(part.read_bytes() for part in parts)).hexdigest()


def cache_folder() -> Path:
    """Where compiled tables are kept: ``$SIMPY_CACHE``, else the user's cache folder of the platform."""
    if os.environ.get("SIMPY_CACHE"):
        return Path(os.environ["SIMPY_CACHE"])
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "simpy-tables"


def _read(path: Path) -> Tables | None:
    """The stored tables, or ``None`` where they are missing, damaged or not ours."""
    try:
        stored = json.loads(path.read_bytes())
        if stored.pop("digest") != _content_digest(stored):
            return None
        return Tables(
            patterns={name: (kind, value) for name, (kind, value) in stored["patterns"].items()},
            actions=stored["actions"],
            gotos=stored["gotos"],
            shifted=stored["shifted"],
            rules=[(name, length, terminal) for name, length, terminal in stored["rules"]],
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _write(path: Path, tables: Tables) -> None:
    """Store tables so that a reader sees all of them or none; a cache that cannot be written is no error."""
    stored = asdict(tables)
    stored["digest"] = _content_digest(stored)
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".tmp")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            json.dump(stored, file, separators=(",", ":"))
        os.replace(temporary, path)
    except OSError:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)


def _content_digest(stored: dict[str, object]) -> str:
    return hashlib.sha256(json.dumps(stored, sort_keys=True).encode()).hexdigest()

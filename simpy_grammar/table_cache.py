"""The cache of compiled tables. They are looked for in memory, in the wheel and in the user's cache folder, and compiled if they
are in none of these."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from _thread import RLock  # threading imports much more
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from simpy_grammar.dialect import GRAMMAR_FOLDER, Dialect
from simpy_grammar.errors import DialectError
from simpy_grammar.tables import Stored, Tables

_FORMAT = 3  # raise it when the meaning of the stored fields changes


@lru_cache(maxsize=32)
def _tables(dialect_digest: str, grammar_digest: str) -> Tables:
    if dialect_digest in _refused:
        raise _refused[dialect_digest]
    dialect = _dialects[dialect_digest]
    name = hashlib.sha256(f"{_FORMAT} {dialect_digest} {grammar_digest}".encode()).hexdigest()[:32] + ".json"
    for folder in (_SHIPPED, cache_folder()):
        stored = _read(os.path.join(folder, name))
        if stored is not None:
            return Tables(stored)
    from simpy_grammar.compile import compile_dialect  # Lark takes long to import and is needed once per dialect

    try:
        stored = compile_dialect(dialect)
    except DialectError as error:
        _refused[dialect_digest] = error
        raise
    if not _unkept.get():
        write_tables(os.path.join(cache_folder(), name), stored)
    return Tables(stored)


@contextmanager
def in_memory() -> Iterator[None]:
    """Do not keep tables as files that are compiled within this: for a search through dialects that are needed only once."""
    token = _unkept.set(True)
    try:
        yield
    finally:
        _unkept.reset(token)


_unkept: ContextVar[bool] = ContextVar("unkept", default=False)
_lock = RLock()
_dialects: dict[str, Dialect] = {}
_refused: dict[str, DialectError] = {}  # by digest
_SHIPPED = os.path.join(os.path.dirname(__file__), "compiled")


def load_tables(dialect: Dialect) -> Tables:
    """The tables of a dialect: from memory, from the cache, or compiled now (about a second).

    Raises:
        DialectError: the dialect is ambiguous.
    """
    _dialects[dialect.digest] = dialect
    with _lock:  # so that the threads of a first use do not all compile
        return _tables(dialect.digest, _grammar_digest())


@lru_cache(maxsize=1)
def _grammar_digest() -> str:
    digest = hashlib.sha256()
    here = os.path.dirname(__file__)
    for part in (os.path.join(GRAMMAR_FOLDER, "simpy.lark"), os.path.join(here, "terminals.py"), os.path.join(here, "compile.py")):
        with open(part, "rb") as file:
            digest.update(file.read())
    return digest.hexdigest()


def cache_folder() -> str:
    """Where compiled tables are kept: ``$SIMPY_CACHE``, else the user's cache folder of the platform."""
    chosen = os.environ.get("SIMPY_CACHE")
    if chosen:
        return chosen
    home = os.path.expanduser("~")
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or os.path.join(home, "AppData", "Local")
    elif sys.platform == "darwin":
        base = os.path.join(home, "Library", "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or os.path.join(home, ".cache")
    return os.path.join(base, "simpy-tables")


def _read(path: str) -> Stored | None:
    """The stored tables; ``None`` if the file is missing, damaged or not ours."""
    try:
        with open(path, "rb") as file:
            digest, body = file.read().split(b"\n", 1)
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        return Stored(**json.loads(body))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def write_tables(path: str, stored: Stored) -> None:
    """Write a file of tables in one step, so that nobody reads half of it. A cache that cannot be written is not an error."""
    import tempfile  # needed once per dialect

    body = json.dumps(stored._asdict(), separators=(",", ":")).encode()
    temporary = None
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        os.replace(temporary, path)
    except OSError:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)

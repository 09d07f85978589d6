"""The cache of compiled tables. They are looked for in memory, in the wheel and in the user's cache folder, and compiled if they
are in none of these.

The wheel holds those of the built-in dialects, under their names. They are trusted like the code beside them. A file in the
user's folder is named by a hash of what the tables are made from, and begins with a digest of its content.
"""

from __future__ import annotations

import os
import sys
from _thread import RLock, _local  # threading imports much more
from functools import lru_cache

from simpy_grammar.dialect import BUILT_IN, GRAMMAR_FOLDER, LINES, PYTHON, Dialect
from simpy_grammar.errors import DialectError
from simpy_grammar.tables import Tables

_FORMAT = 5  # raise it when the stored form changes
_SHIPPED = os.path.join(os.path.dirname(__file__), "compiled")

_tables: dict[Dialect, Tables | DialectError] = {}  # the dialects that were asked for last
_MOST_TABLES = 32
_lock = RLock()


def load_tables(dialect: Dialect) -> Tables:
    """The tables of a dialect: from memory, from the cache, or compiled now (about a second).

    Raises:
        DialectError: the dialect is ambiguous.
    """
    dialect = dialect.without_aliases()  # they are up to the lexer
    found = _tables.get(dialect)
    if found is None:
        with _lock:  # so that the threads of a first use do not all compile
            found = _tables.get(dialect)
            if found is None:
                while len(_tables) >= _MOST_TABLES:
                    del _tables[next(iter(_tables))]
                found = _tables[dialect] = _load(dialect)
    if isinstance(found, DialectError):
        raise found.with_traceback(None)  # one error is raised again and again
    return found


def _load(dialect: Dialect) -> Tables | DialectError:
    if dialect.is_built_in:
        try:
            with open(_shipped(_SHIPPED, dialect), "rb") as file:
                return Tables(file.read())
        except (OSError, ValueError):  # not an installed wheel
            pass
    path = os.path.join(cache_folder(), f"{tables_key(dialect)}.tables")
    tables = _read(path)
    if tables is not None:
        return tables
    from simpy_grammar.compile import compile_dialect  # Lark takes long to import and is needed once per dialect

    try:
        data = compile_dialect(dialect)
    except DialectError as error:
        return error
    if not getattr(_here, "unkept", False):
        write_kept(path, data)
    return Tables(data)


class InMemory:
    """Do not keep tables as files that this thread compiles within this: for a search through dialects that are needed only once."""

    def __enter__(self) -> None:
        self._outer = getattr(_here, "unkept", False)
        _here.unkept = True

    def __exit__(self, *error: object) -> None:
        _here.unkept = self._outer


_here = _local()


def _shipped(folder: str, dialect: Dialect) -> str:
    return os.path.join(folder, f"{PYTHON if dialect.is_python and dialect.layout != LINES else dialect.name}.tables")


def ship(folder: str) -> None:
    """Compile the built-in dialects into a folder of the wheel."""
    from simpy_grammar.compile import compile_dialect
    from simpy_grammar.lines import lines_dialect

    for dialect in (*map(Dialect.load, (*BUILT_IN, PYTHON)), lines_dialect()):
        _write(_shipped(folder, dialect), compile_dialect(dialect), mode=0o644)


def _digest(*parts: bytes) -> bytes:
    import hashlib  # not needed where tables are shipped

    return hashlib.sha256(b"\n".join(parts)).hexdigest().encode()


def tables_key(dialect: Dialect) -> str:
    """A hash of what the tables of a dialect are made from."""
    return _digest(f"{_FORMAT} {dialect.digest}".encode(), _grammar_digest()).decode()[:32]


@lru_cache(maxsize=1)
def _grammar_digest() -> bytes:
    here = os.path.dirname(__file__)
    parts = []
    grammars = (os.path.join(GRAMMAR_FOLDER, name) for name in ("simpy.lark", "lines.lark"))
    for part in (*grammars, *(os.path.join(here, name) for name in ("terminals.py", "compile.py", "lalr.py", "lines.py"))):
        with open(part, "rb") as file:
            parts.append(file.read())
    return _digest(*parts)


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


def _read(path: str) -> Tables | None:
    """The stored tables; ``None`` if the file is missing, damaged or not ours."""
    try:
        body = read_kept(path)
        return None if body is None else Tables(body)
    except ValueError:
        return None


def read_kept(path: str) -> bytes | None:
    """What ``write_kept`` has put into a file; ``None`` if it is missing or damaged."""
    try:
        with open(path, "rb") as file:
            digest, body = file.read().split(b"\n", 1)
        return body if _digest(body) == digest else None
    except (OSError, ValueError):
        return None


def write_kept(path: str, data: bytes) -> None:
    """Put data into a file of the cache, after a digest of it."""
    _write(path, _digest(data) + b"\n" + data)


def _write(path: str, data: bytes, mode: int = 0o600) -> None:
    """Write a file of tables in one step, so that nobody reads half of it. A cache that cannot be written is not an error."""
    import tempfile  # needed once per dialect

    temporary = None
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(path), suffix=".tmp")
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        os.chmod(temporary, mode)
        os.replace(temporary, path)
    except OSError:
        if temporary is not None and os.path.exists(temporary):
            os.unlink(temporary)

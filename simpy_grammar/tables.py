"""The compiled tables of a dialect, and the cache that keeps them. What they mean is in ``simpy_grammar.compile``;
what runs on them is ``simpy_grammar.parser``."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache
from typing import NamedTuple

from simpy_grammar.dialect import GRAMMAR_FOLDER, Dialect

END = "$END"
_FORMAT = 2  # raise it when the meaning of the stored fields changes


class Stored(NamedTuple):
    """Tables as they are kept: small, with rows that share what they can.

    Attributes:
        tokens: the tokens; elsewhere a token is its index here.
        names: the rule names; elsewhere a rule name is its index here.
        sets: the sets of tokens on which reductions happen.
        shifts: for each state token, next state, token, next state, ...
        reductions: for each state rule, set, rule, set, ...
        gotos: for each state rule name, next state, ...
        patterns, shifted, rules: as in ``Tables``.
    """

    tokens: list[str]
    names: list[str]
    sets: list[list[int]]
    shifts: list[list[int]]
    reductions: list[list[int]]
    gotos: list[list[int]]
    patterns: dict[str, tuple[str, str]]
    shifted: list[str | None]
    rules: list[tuple[str, int, str | None]]


class _Actions(dict[int, dict[str, int]]):
    """The action rows, each made when it is first asked for."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored

    def __missing__(self, state: int) -> dict[str, int]:
        stored = self.stored
        tokens = stored.tokens
        pairs = iter(stored.shifts[state])
        row = {tokens[token]: target for token, target in zip(pairs, pairs, strict=True)}
        pairs = iter(stored.reductions[state])
        for rule, group in zip(pairs, pairs, strict=True):
            row.update(dict.fromkeys((tokens[token] for token in stored.sets[group]), -1 - rule))
        self[state] = row
        return row


class _Gotos(dict[int, dict[str, int]]):
    """The goto rows, likewise."""

    def __init__(self, stored: Stored) -> None:
        self.stored = stored

    def __missing__(self, state: int) -> dict[str, int]:
        pairs = iter(self.stored.gotos[state])
        row = self[state] = {self.stored.names[name]: target for name, target in zip(pairs, pairs, strict=True)}
        return row


class Tables:
    """LALR(1) tables.

    Attributes:
        patterns: token -> ("str", text) or ("re", regular expression).
        actions: state -> token -> next state, or -1 - rule for a reduction.
        gotos: state -> rule name -> next state.
        shifted: for each state, the terminal that a shift into it has read; ``None`` if a reduction leads there.
        rules: for each rule its name, its length, and the terminal that reducing it stands for (mostly ``None``).
    """

    def __init__(self, stored: Stored) -> None:
        self.stored = stored
        self.patterns = stored.patterns
        self.shifted = stored.shifted
        self.rules = stored.rules
        self.actions = _Actions(stored)
        self.gotos = _Gotos(stored)
        self.automaton: object = None  # what simpy_grammar.parser has made of them

    def __len__(self) -> int:
        return len(self.shifted)


@lru_cache(maxsize=32)
def _tables(dialect_digest: str, grammar_digest: str) -> Tables:
    dialect = _dialects[dialect_digest]
    name = hashlib.sha256(f"{_FORMAT} {dialect_digest} {grammar_digest}".encode()).hexdigest()[:32] + ".json"
    for folder in (_SHIPPED, cache_folder()):
        stored = _read(os.path.join(folder, name))
        if stored is not None:
            return Tables(stored)
    from simpy_grammar.compile import compile_dialect  # Lark takes long to import and is needed once a dialect

    stored = compile_dialect(dialect)
    if not _unkept.get():
        write_tables(os.path.join(cache_folder(), name), stored)
    return Tables(stored)


@contextmanager
def in_memory() -> Iterator[None]:
    """Within this, tables that are compiled are not kept as files: for a search through dialects that nobody asks for again."""
    token = _unkept.set(True)
    try:
        yield
    finally:
        _unkept.reset(token)


_unkept: ContextVar[bool] = ContextVar("unkept", default=False)
_dialects: dict[str, Dialect] = {}
_SHIPPED = os.path.join(os.path.dirname(__file__), "compiled")


def load_tables(dialect: Dialect) -> Tables:
    """The tables of a dialect: from memory, from the cache, or compiled now (about a second).

    Raises:
        DialectError: the dialect is ambiguous.
    """
    _dialects[dialect.digest] = dialect
    return _tables(dialect.digest, _grammar_digest())


@lru_cache(maxsize=1)
def _grammar_digest() -> str:
    digest = hashlib.sha256()
    for part in (os.path.join(GRAMMAR_FOLDER, "simpy.lark"), os.path.join(os.path.dirname(__file__), "terminals.py")):
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
    """The stored tables, or ``None`` where they are missing, damaged or not ours."""
    try:
        with open(path, "rb") as file:
            digest, body = file.read().split(b"\n", 1)
        if hashlib.sha256(body).hexdigest().encode() != digest:
            return None
        return Stored(**json.loads(body))
    except (OSError, ValueError, TypeError, RecursionError):
        return None


def write_tables(path: str, stored: Stored) -> None:
    """Store tables so that a reader sees all of them or none; a cache that cannot be written is no error."""
    import tempfile  # needed once a dialect

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

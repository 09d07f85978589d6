"""What became of files in earlier runs, so that what has not changed need not be done again.

A file is known by a digest of its content, never by its date. One file of the cache holds what was done with the same code, the same
Python and the same options; it is loaded by each process that looks into it, and written once at the end of a run.
"""

from __future__ import annotations

import os
import sys

from simpy_grammar.code_digest import code_digest
from simpy_grammar.table_cache import cache_folder

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Iterable

CachedResult = tuple[str, int, int]
"""What became of a file. Of a conversion: the digest of the result, the characters before and after. Of a check: the length in each
dialect, the characters, and 0."""

_FOLDER = "results"
_MOST_ENTRIES = 50_000  # of a file of the cache: about 6 MB
_MOST_FILES = 16
_CODE = ("simpy_grammar", "transpiler", "simpy_cli", "grammars")

_loaded: dict[str, dict[str, CachedResult]] = {}  # of this process: the files of the cache that were read


class ResultCache:
    """The results of one kind of run; goes to worker processes as it is.

    Args:
        what: the kind.
        options: whatever the results depend on besides the content of the file, the code and the interpreter.
        folder: where the cache is.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     cache, digest = ResultCache("check", "", folder=folder), ResultCache.file_digest(b"x = 1\\n", "a.py")
    ...     cache.keep([(digest, ("3", 6, 0))])
    ...     cache.find(digest), cache.find("another")
    (('3', 6, 0), None)
    """

    __slots__ = ("path",)

    def __init__(self, what: str, options: str, *, folder: str | None = None) -> None:
        key = _hash(f"{what}\n{options}\n{sys.version}\n{code_digest(_CODE)}".encode())
        self.path = os.path.join(folder or os.path.join(cache_folder(), _FOLDER), f"{what}-{key}.json")

    @staticmethod
    def content_digest(data: bytes) -> str:
        """The digest of a content."""
        return _hash(data)

    @staticmethod
    def file_digest(data: bytes, path: str) -> str:
        """The digest of a file: of its content, and of its suffix, which says how the content is read."""
        return _hash(os.path.splitext(path)[1].encode("utf-8", "surrogateescape") + b"\n" + data)

    def find(self, digest: str) -> CachedResult | None:
        """What became of a file, by its digest; ``None`` if no earlier run has kept that."""
        if self.path not in _loaded:
            _loaded[self.path] = _load(self.path)
        return _loaded[self.path].get(digest)

    def keep(self, found: Iterable[tuple[str, CachedResult]]) -> None:
        """Add what became of files. What other runs have added meanwhile stays, and the oldest entries go where there are too many.

        A cache that cannot be written is not an error.
        """
        new = dict(found)
        if not new:
            return
        entries = _load(self.path)
        for digest in new:
            entries.pop(digest, None)  # so that it is among the youngest
        entries.update(new)
        kept = dict(list(entries.items())[-_MOST_ENTRIES:])
        _loaded[self.path] = kept
        import json

        body = json.dumps(kept, separators=(",", ":")).encode()
        temporary = f"{self.path}.{os.getpid()}-{os.urandom(4).hex()}.tmp"
        try:
            os.makedirs(os.path.dirname(self.path), exist_ok=True)
            with open(temporary, "xb") as file:
                file.write(_hash(body).encode() + b"\n" + body)
            os.replace(temporary, self.path)
            _remove_oldest(os.path.dirname(self.path))
        except OSError:
            if os.path.exists(temporary):
                os.unlink(temporary)


def _hash(data: bytes) -> str:
    import hashlib  # slow to import; runs over one file need none of this

    return hashlib.sha256(data).hexdigest()[:32]


def _load(path: str) -> dict[str, CachedResult]:
    """The entries of a file of the cache; none if it is missing, damaged or not ours."""
    import json

    try:
        with open(path, "rb") as file:
            digest, body = file.read().split(b"\n", 1)
        if _hash(body).encode() != digest:
            return {}
        entries = json.loads(body)
    except (OSError, ValueError):
        return {}
    return {key: (str(value[0]), int(value[1]), int(value[2])) for key, value in entries.items()}


def _remove_oldest(folder: str) -> None:
    """Keep the files of the cache to their number: those that were written last, of any version and options."""
    files = [entry for entry in os.scandir(folder) if entry.name.endswith((".json", ".tmp"))]
    files.sort(key=lambda entry: entry.stat().st_mtime_ns, reverse=True)
    for entry in files[_MOST_FILES:]:
        os.unlink(entry.path)

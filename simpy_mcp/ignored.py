"""Whether git ignores a path: by the ``.gitignore`` files from the top of its repository down, and ``.git/info/exclude``.

A person's own list of patterns (``core.excludesFile``) is not read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from simpy_grammar.errors import BackendError

if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

NEVER = (".git", "__pycache__")
"""Names that are left out wherever they stand."""


class Ignored:
    """What git ignores below a folder. The files of patterns are read once, so make a new one for each question.

    Args:
        root: the folder, which counts as not ignored itself.

    Raises:
        BackendError: ``pathspec`` is not installed.
    """

    def __init__(self, root: str) -> None:
        try:
            from pathspec import GitIgnoreSpec
        except ImportError as error:
            raise BackendError(f"simpy mcp needs {error.name}", path="simpy mcp", hint="pip install 'simpy-lang[mcp]'") from None
        self._new = GitIgnoreSpec
        self._root = root
        self._top = _repository(root)
        self._specs: dict[str, list[GitIgnoreSpec]] = {}

    def holds(self, path: str, *, is_folder: bool = False) -> bool:
        """Whether git ignores a path below the root, or a folder that it is in."""
        folder = self._root
        names = os.path.relpath(path, folder).split(os.sep)
        for at, name in enumerate(names, 1):
            if name in NEVER or self._says(folder, name, is_folder or at < len(names)):
                return True
            folder = os.path.join(folder, name)
        return False

    def _says(self, folder: str, name: str, is_folder: bool) -> bool:
        """What the patterns say of one name: those of the innermost folder that has an opinion."""
        path = os.path.join(folder, name)
        for above in _upwards(folder, self._top):
            for spec in self._patterns(above):
                include = spec.check_file(_relative(path, above, is_folder)).include
                if include is not None:
                    return include
        return False

    def _patterns(self, folder: str) -> list[GitIgnoreSpec]:
        if folder not in self._specs:
            names = [".gitignore"] + ([os.path.join(".git", "info", "exclude")] if folder == self._top else [])
            texts = [_text(os.path.join(folder, name)) for name in names]
            specs = [self._new.from_lines(text.splitlines()) for text in texts if text]
            # Who names a folder that git ignores wants it, so what ignores all of it does not count.
            root = _relative(self._root, folder, is_folder=True)
            self._specs[folder] = [spec for spec in specs if root.startswith(".") or not spec.check_file(root).include]
        return self._specs[folder]


def _relative(path: str, folder: str, is_folder: bool) -> str:
    """A path as patterns see it."""
    return os.path.relpath(path, folder).replace(os.sep, "/") + ("/" if is_folder else "")


def _text(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="surrogateescape") as file:
            return file.read()
    except OSError:
        return ""


def _repository(folder: str) -> str:
    """The top of the repository that a folder is in; the folder itself if it is in none."""
    for above in _upwards(folder, os.path.abspath(os.sep)):
        if os.path.exists(os.path.join(above, ".git")):
            return above
    return folder


def _upwards(folder: str, top: str) -> Iterator[str]:
    """A folder and those that hold it, up to one of them."""
    while True:
        yield folder
        above = os.path.dirname(folder)
        if folder == top or above == folder:
            return
        folder = above

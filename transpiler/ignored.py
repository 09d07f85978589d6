"""Which paths below a folder are left out: what git ignores, and outside of git the folders that tools usually make.

Git's patterns are those of the ``.gitignore`` files from the top of the repository down, and of ``.git/info/exclude``. A person's
own list of patterns (``core.excludesFile``) is not read. Reading the files that remain is left to others.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from simpy_grammar.errors import SimPyError
from simpy_grammar.installing import install

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from pathspec import GitIgnoreSpec

NEVER = (".git", "__pycache__")
"""Names that are left out wherever they stand."""

USUAL = (
    "__pypackages__",
    "_build",
    "build",
    "buck-out",
    "dist",
    "env",
    "node_modules",
    "site-packages",
    "venv",
)
"""Names of folders that are left out where no ``.gitignore`` says what is left out."""

_BY_GIT = "git ignores it"
_MADE = "tools make folders of this kind"


class Ignored:
    """What is left out below a folder. The files of patterns are read once, so make a new one for each run.

    Args:
        root: the folder, which counts as not ignored itself.
        exclude: further patterns, as a line of ``.gitignore`` would have them; they hold for paths below the folder, and for
            paths as the folder was named.
        usual: whether git's patterns and the usual names count; otherwise only ``NEVER`` and ``exclude`` do.

    Raises:
        SimPyError: one of the patterns is malformed, or ``pathspec`` is not installed.

    >>> Ignored("src", exclude=("*_pb2.py", "/old/")).why(os.path.join("src", "old", "a.py"))
    'the pattern /old/'
    """

    def __init__(self, root: str, *, exclude: Sequence[str] = (), usual: bool = True) -> None:
        self._named = os.path.normpath(root)
        self._root = os.path.abspath(root)
        self._usual = usual
        self._top = _repository(self._root) if usual else None
        self._specs: dict[str, list[GitIgnoreSpec]] = {}
        self._excluded = [(pattern, _spec([pattern])) for pattern in exclude]

    def why(self, path: str, *, is_folder: bool = False) -> str:
        """Why a path below the root is left out, or a folder that it is in; empty if it is not.

        Args:
            path: the path, absolute or from the current folder.
            is_folder: whether it is a folder.
        """
        names = os.path.relpath(os.path.abspath(path), self._root).split(os.sep)
        folder = self._root
        for at, name in enumerate(names, 1):
            reason = self.why_here(folder, name, is_folder=is_folder or at < len(names))
            if reason:
                return reason
            folder = os.path.join(folder, name)
        return ""

    def why_here(self, folder: str, name: str, *, is_folder: bool) -> str:
        """The same for a name in a folder that is not left out itself."""
        if name in NEVER:
            return _BY_GIT
        folder = os.path.abspath(folder)
        path = os.path.join(folder, name)
        if self._excluded:
            below = _relative(path, self._root, is_folder)
            named = os.path.join(self._named, below).replace(os.sep, "/").removeprefix("./")
            for pattern, spec in self._excluded:
                if spec.match_file(below) or spec.match_file(named):
                    return f"the pattern {pattern}"
        if not self._usual:
            return ""
        return self._by_git(folder, path, is_folder) or (_MADE if is_folder and self._is_made(folder, name, path) else "")

    def _by_git(self, folder: str, path: str, is_folder: bool) -> str:
        """What git's patterns say about one path; those of the innermost folder with a match decide."""
        for above in _upwards(folder, self._top) if self._top is not None else ():
            for spec in self._patterns(above):
                include = spec.check_file(_relative(path, above, is_folder)).include
                if include is not None:
                    return _BY_GIT if include else ""
        return ""

    def _is_made(self, folder: str, name: str, path: str) -> bool:
        """Whether a folder is a virtual environment, or has a usual name where git has no patterns."""
        if os.path.exists(os.path.join(path, "pyvenv.cfg")):
            return True
        if name not in USUAL:
            return False
        return self._top is None or not any(self._patterns(above) for above in _upwards(folder, self._top))

    def _patterns(self, folder: str) -> list[GitIgnoreSpec]:
        if folder not in self._specs:
            names = [".gitignore"] + ([os.path.join(".git", "info", "exclude")] if folder == self._top else [])
            lines = [_lines(os.path.join(folder, name)) for name in names]
            self._specs[folder] = [self._for_root(_spec(some), folder) for some in lines if some]
        return self._specs[folder]

    def _for_root(self, spec: GitIgnoreSpec, folder: str) -> GitIgnoreSpec:
        """Patterns without those that ignore the whole root: a person who names a folder that git ignores wants it."""
        root = _relative(self._root, folder, is_folder=True)
        if root.startswith(("./", "../")) or not spec.check_file(root).include:
            return spec
        from pathspec import GitIgnoreSpec

        return GitIgnoreSpec([pattern for pattern in spec.patterns if pattern.include is None or not pattern.match_file(root)])


def _spec(lines: Sequence[str]) -> GitIgnoreSpec:
    try:
        from pathspec import GitIgnoreSpec  # takes long to import, and is needed only where there are patterns
    except ImportError:  # installed without its dependencies
        raise SimPyError("searching folders by patterns needs pathspec", hint=install("pathspec")) from None
    try:
        return GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise SimPyError(f"not a pattern of .gitignore: {error}") from None


def _relative(path: str, folder: str, is_folder: bool) -> str:
    """A path as patterns see it."""
    return os.path.relpath(path, folder).replace(os.sep, "/") + ("/" if is_folder else "")


def _lines(path: str) -> list[str]:
    """The patterns in a file, without comments and blank lines; none if it cannot be read."""
    try:
        with open(path, encoding="utf-8-sig", errors="surrogateescape") as file:
            return [line for line in file.read().splitlines() if line.strip() and not line.startswith("#")]
    except OSError:
        return []


def _repository(folder: str) -> str | None:
    """The top of the repository that a folder is in, if it is in one."""
    return next((above for above in _upwards(folder, None) if os.path.exists(os.path.join(above, ".git"))), None)


def _upwards(folder: str, top: str | None) -> Iterator[str]:
    """A folder and the folders that hold it, from the inside out, up to ``top``."""
    while True:
        yield folder
        above = os.path.dirname(folder)
        if folder == top or above == folder:
            return
        folder = above

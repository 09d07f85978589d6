"""The corpus of learning: files by package, packages by group, and the identifiers that several packages use."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from simpy_grammar.errors import SimPyError
from simpy_grammar.name_boundaries import NAME_PART
from tokenizer_ext.whole_literals import WHOLE_LITERAL
from transpiler.source import read_source

MOST_GROUPS = 6  # packages are counted in so many groups at most; docs/learning.md has what other numbers save


@dataclass(frozen=True)
class CorpusFile:
    """A Python source of a corpus.

    Attributes:
        package: the package that it is from; a token is learned only if several packages use it, where there are several.
        source: its text.
    """

    package: str
    source: str


def python_files(path: Path) -> list[Path]:
    """All Python files at and below a path, sorted.

    >>> python_files(Path("no/such/folder"))
    []
    """
    return sorted(path.rglob("*.py")) if path.is_dir() else [path] if path.exists() else []


def read_corpus(paths: Iterable[str | Path], *, files: Callable[[Path], Iterable[Path]] = python_files) -> Iterable[CorpusFile]:
    """The Python files at and below some paths, each with the package that it is in.

    The package is the first folder below a path, or the path itself for what lies directly in it. Files that cannot be read
    are left out.

    Args:
        paths: files and folders.
        files: says which files at and below a path are read, for a corpus that leaves some out.

    >>> list(read_corpus([]))
    []
    """
    for root in map(Path, paths):
        for file in files(root):
            inner = file.relative_to(root).parts if root.is_dir() else ()
            package = inner[0] if len(inner) > 1 and not (root / "__init__.py").exists() else ""
            try:
                yield CorpusFile(f"{root}/{package}", read_source(file.read_bytes(), path=str(file)))
            except (OSError, SimPyError):
                continue


def package_groups(files: Iterable[CorpusFile], *, most: int = MOST_GROUPS) -> dict[str, int]:
    """The group of each package: as many groups as packages, but not more than ``most``, and about equally large.

    So what is asked of a token does not grow with the number of packages. The largest packages are dealt first, each to the
    smallest group so far; the order of the files does not matter.

    >>> files = [CorpusFile("a", "x" * 9), CorpusFile("b", "x" * 5), CorpusFile("c", "x" * 3)]
    >>> package_groups(files), package_groups(files, most=2)
    ({'a': 0, 'b': 1, 'c': 2}, {'a': 0, 'b': 1, 'c': 1})
    """
    sizes: Counter[str] = Counter()
    for file in files:
        sizes[file.package] += len(file.source)
    totals = [0] * min(most, len(sizes))
    groups: dict[str, int] = {}
    for package, size in sorted(sizes.items(), key=lambda item: (-item[1], item[0])):
        group = totals.index(min(totals))
        groups[package] = group
        totals[group] += size + 1
    return groups


def common_words(files: Sequence[CorpusFile], *, literals: bool = False, most: int = 5000) -> frozenset[str]:
    """The parts of identifiers and numbers that may be part of learned tokens: frequent, and used by several packages if there are several.

    Args:
        files: the corpus.
        literals: strings, too.
        most: how many there may be.

    >>> sorted(common_words([CorpusFile("a", "x = self.y"), CorpusFile("b", "self.z")] * 2))
    ['self']
    """
    by_package: dict[str, Counter[str]] = {}
    for file in files:
        found = by_package.setdefault(file.package, Counter())
        found.update(NAME_PART.findall(file.source))
        if literals:
            found.update(WHOLE_LITERAL.findall(file.source))
    counts: Counter[str] = Counter()
    top: Counter[str] = Counter()
    for words in by_package.values():
        counts.update(words)
        top |= words
    if len(by_package) > 1:
        counts -= top  # what is common in one package only is that package's own
    kept = [(count, word) for word, count in counts.items() if count > 1]
    return frozenset(word for _, word in sorted(kept, key=lambda item: (-item[0], item[1]))[:most])

"""The programs of a recipe as token ids: read from packed ids or converted from a folder, held out by repository, cut into blocks."""

from __future__ import annotations

import ast
import os
import random
import warnings
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from simpy_corpus import PackedIds, convert_batch
from simpy_corpus.packed_ids import DESCRIPTION
from simpy_grammar.errors import SimPyError
from tokenizer_ext import TokenizerError
from tokenizer_ext.plain_codec import codec_for

UNITS = ("function", "file")
_SHORTEST, _LONGEST = 80, 1200  # characters of a function, as Python


class Source(NamedTuple):
    """A program before it has ids.

    Attributes:
        text: in the dialect.
        group: the repository that it belongs to: what is held out together.
        python: its text in Python.
    """

    text: str
    group: str
    python: str


@dataclass(frozen=True)
class Split:
    """Programs to train on and programs to measure, from different repositories.

    Attributes:
        train: for each program, its ids with ``end`` after them: a list or an array.
        held: the same of the held-out programs that are measured.
        held_groups: the repositories that are held out.
        end: the id after each program, which also stands before each program that is measured.
    """

    train: Sequence[Any]
    held: list[list[int]]
    held_groups: tuple[str, ...]
    end: int


def python_programs(folder: str | os.PathLike[str], unit: str = "function") -> Iterator[Source]:
    """The programs of a folder of Python, with the folder directly below it that each is from as their group.

    A function is taken as ``ast.unparse`` writes it, without decorators and docstring, if that has 80 to 1,200 characters. Where there are
    files and no folders, each file is a group.

    Raises:
        SimPyError: there is no such unit, or no Python in the folder.
    """
    if unit not in UNITS:
        raise SimPyError(f"no unit {unit!r}", hint=f"use {' or '.join(UNITS)}")
    root = Path(folder)
    hidden = (".", "__pycache__")
    paths = sorted(path for path in root.rglob("*.py") if not any(part.startswith(hidden) for part in path.relative_to(root).parts))
    if not paths:
        raise SimPyError("the folder holds no Python", path=str(folder))
    has_folders = sum(path.is_dir() and not path.name.startswith((".", "__")) for path in root.iterdir()) > 1
    for path in paths:
        text = path.read_bytes()
        group = path.relative_to(root).parts[0] if has_folders else path.relative_to(root).as_posix()
        for program in [text.decode("utf-8", "replace")] if unit == "file" else functions(text):
            yield Source(program, group, program)


def functions(source: str | bytes) -> Iterator[str]:
    """The functions and methods of a file, each as a program of its own.

    >>> body = "y = [x] * 4 + [x + 1, x + 2, x + 3, x + 4]\\n        return y + [x, x]"
    >>> print(*functions(f"class A:\\n    def f(self, x):\\n        'Doc.'\\n        {body}"))
    def f(self, x):
        y = [x] * 4 + [x + 1, x + 2, x + 3, x + 4]
        return y + [x, x]
    <BLANKLINE>
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # others' files warn of their escapes
            tree = ast.parse(source)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.decorator_list = []
            if ast.get_docstring(node, clean=False) is not None:
                node.body = node.body[1:]
            program = ast.unparse(node) + "\n" if len(node.body) > 1 else ""
            if _SHORTEST < len(program) < _LONGEST:
                yield program


def convert(programs: Iterable[Source], dialect: str) -> list[Source]:
    """The programs in a dialect, each once; what is refused is left out, so that every dialect loses the same."""
    sources = list({one.text: one for one in programs}.values())
    found = convert_batch([one.text for one in sources], dialect=dialect, verify=False)
    rows = zip(found, sources, strict=True)
    return [source._replace(text=one.program) for one, source in rows if one.program is not None]


class Encoder:
    """Programs of a dialect to ids.

    Args:
        tokenizer: extended for the dialect, unless that is Python, or Python in the layout ``compact``.
        dialect: its name.
    """

    def __init__(self, tokenizer: Any, dialect: str) -> None:
        self._codec = codec_for(tokenizer, dialect)

    def __call__(self, text: str) -> list[int] | None:
        """The ids of a program; ``None`` where the vocabulary cannot carry it.

        Data never becomes a token of the grammar, nor one of the tokenizer's own.
        """
        try:
            return self._codec.encode(text)
        except TokenizerError:
            return None


def split_groups(groups: Sequence[str], share: float, seed: int) -> frozenset[str]:
    """The groups to hold out: drawn by the seed until they hold a share of the programs, and never all of them.

    Args:
        groups: the group of each program.
        share: of the programs that is wanted.
        seed: of the draw.

    Raises:
        SimPyError: there are fewer than two groups.

    >>> sorted(split_groups(["a", "a", "b", "c"], 0.5, seed=0))
    ['a']
    """
    names = sorted(set(groups))
    if len(names) < 2:
        raise SimPyError("all programs are from one repository, so none can be held out", hint="name a folder of several")
    random.Random(seed).shuffle(names)
    sizes = Counter(groups)
    held: set[str] = set()
    count = 0
    for name in names[:-1]:
        held.add(name)
        count += sizes[name]
        if count >= share * len(groups):
            break
    return frozenset(held)


def split(ids: Sequence[Any], groups: Sequence[str], held: frozenset[str], *, end: int, programs: int, seed: int) -> Split:
    """Split programs by repository.

    Args:
        ids: of each program, with ``end`` after them.
        groups: the repository of each.
        held: the repositories that are held out.
        end: the id after each program.
        programs: how many of those that are held out are measured, drawn by the seed.
        seed: of that draw.
    """
    at = [i for i, group in enumerate(groups) if group in held]
    measured = sorted(random.Random(seed).sample(at, min(programs, len(at))))
    train = [i for i, group in enumerate(groups) if group not in held]
    return Split(Chosen(ids, train), [[int(number) for number in ids[i]] for i in measured], tuple(sorted(held)), end)


class Chosen(Sequence[Any]):
    """Some programs of a sequence, which are read when they are used."""

    def __init__(self, ids: Sequence[Any], at: Sequence[int]) -> None:
        self._ids, self._at = ids, at

    def __len__(self) -> int:
        return len(self._at)

    def __getitem__(self, i: Any) -> Any:
        """The ids of a program."""
        return self._ids[self._at[i]]


def is_packed(data: str) -> bool:
    """Whether a folder holds token ids that ``simpy corpus`` has written."""
    return os.path.isfile(os.path.join(data, DESCRIPTION))


def packed_groups(packed: PackedIds) -> list[str]:
    """The repository of each program: the column ``repository`` or ``repo``, or else the first folder of ``path``.

    Raises:
        SimPyError: the corpus has none of these columns.
    """
    for name in ("repository", "repo", "repo_name"):
        if name in packed.columns:
            return [str(value) for value in packed.column(name)]
    if "path" not in packed.columns:
        raise SimPyError("the corpus says of no program where it is from", hint="convert it with a column `repository` or `path`")
    paths = [str(value) for value in packed.column("path")]
    folders = [path.partition("/")[0] for path in paths]
    return folders if len(set(folders)) > 1 else paths


class Blocks(Sequence[Any]):
    """Programs in a row, cut into blocks of one length; what is left at the end is not used.

    >>> [block["input_ids"].tolist() for block in Blocks([[1, 2, 0], [3, 4, 5, 0]], 3)]
    [[1, 2, 0], [3, 4, 5]]
    """

    def __init__(self, programs: Sequence[Any], length: int) -> None:
        parts = [np.asarray(programs[i], dtype=np.uint32) for i in range(len(programs))]
        self._ids = np.concatenate(parts) if parts else np.zeros(0, np.uint32)
        self._length = length

    def __len__(self) -> int:
        return len(self._ids) // self._length

    def __getitem__(self, i: Any) -> Any:
        """A block, as a model of ``transformers`` takes it."""
        import torch

        number = range(len(self))[i]
        ids = torch.from_numpy(self._ids[number * self._length : (number + 1) * self._length].astype(np.int64))
        return {"input_ids": ids, "labels": ids}

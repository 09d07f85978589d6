"""The data of a recipe as its settings name it, and the folder of a run."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from recipes.programs import Encoder, Source, Split, convert, is_packed, packed_groups, python_programs, split, split_groups
from recipes.settings import TrainingSettings, described
from simpy_corpus import PackedIds
from simpy_grammar.dialect import PYTHON
from simpy_grammar.errors import SimPyError
from simpy_grammar.whole_files import write

_SETTINGS = "settings.json"
_MAY_DIFFER = {"threads", "device", "output"}  # of a run that goes on


def begin(settings: TrainingSettings) -> Path:
    """The folder of a run, which notes its settings.

    Raises:
        SimPyError: it holds a run with other settings.
    """
    folder = Path(settings.output)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / _SETTINGS
    mine = described(settings)
    if path.is_file():
        theirs = json.loads(path.read_text(encoding="utf-8"))
        other = sorted(name for name in {*mine, *theirs} - _MAY_DIFFER if mine.get(name) != theirs.get(name))
        if other:
            hint = "name another folder, or remove this one"
            raise SimPyError(f"holds a run with other settings: {', '.join(other)}", path=str(folder), hint=hint)
    else:
        write(str(path), json.dumps(mine, indent=1).encode() + b"\n")
    return folder


def read_sources(settings: TrainingSettings) -> list[Source]:
    """The programs of a folder of Python, in the dialect of the settings.

    Raises:
        SimPyError: the folder holds no Python.
    """
    return convert(python_programs(settings.data, settings.unit), settings.dialect)


def encode_sources(sources: Sequence[Source], tokenizer: Any, settings: TrainingSettings, *, share: float = 1.0) -> Split:
    """Programs as ids, split by repository; those that the vocabulary cannot carry are left out.

    Args:
        sources: the programs.
        tokenizer: extended for the dialect.
        settings: of the run.
        share: of the programs to train on that are in the dialect; the others, drawn by the seed, are Python.
    """
    end = end_of(tokenizer)
    encode, plain = Encoder(tokenizer, settings.dialect), Encoder(tokenizer, PYTHON)
    held = split_groups([one.group for one in sources], settings.held_out, settings.seed)
    rng = random.Random(settings.seed)
    stays = [share < 1 and one.group not in held and rng.random() >= share for one in sources]
    found = [plain(one.python) if python else encode(one.text) for one, python in zip(sources, stays, strict=True)]
    kept = [(ids, one.group) for ids, one in zip(found, sources, strict=True) if ids is not None]
    return _split([[*ids, end] for ids, _ in kept], [group for _, group in kept], held, end, settings)


def load_data(settings: TrainingSettings, tokenizer: Any, *, share: float = 1.0) -> Split:
    """The programs that the settings name, as ids of a tokenizer that has been extended for their dialect.

    Args:
        settings: of the run.
        tokenizer: extended for the dialect.
        share: see ``encode_sources``.

    Raises:
        SimPyError: the data cannot be read; or they are packed ids of another dialect, with another end, or to be mixed.
    """
    if not is_packed(settings.data):
        return encode_sources(read_sources(settings), tokenizer, settings, share=share)
    if share < 1:
        raise SimPyError("a mixture needs programs, not their ids", path=settings.data, hint="name a folder of Python")
    packed = open_packed(settings)
    if packed.separator != end_of(tokenizer):
        hint = f"convert it with --separator {tokenizer.eos_token!r} and the tokenizer of the model"
        raise SimPyError("the programs do not end with the token that ends a text of this tokenizer", path=settings.data, hint=hint)
    groups = packed_groups(packed)
    return _split(packed, groups, split_groups(groups, settings.held_out, settings.seed), end_of(tokenizer), settings)


def open_packed(settings: TrainingSettings) -> PackedIds:
    """The packed ids of the settings.

    Raises:
        SimPyError: they are of another dialect.
    """
    packed = PackedIds(settings.data)
    if packed.dialect != settings.dialect:
        raise SimPyError(f"the programs are in {packed.dialect}, not in {settings.dialect}", path=settings.data, hint="--dialect names it")
    return packed


def end_of(tokenizer: Any) -> int:
    """The id that ends a text.

    Raises:
        SimPyError: the tokenizer has none.
    """
    if tokenizer.eos_token_id is None:
        raise SimPyError("the tokenizer has no token that ends a text", hint="set its eos_token")
    return int(tokenizer.eos_token_id)


def _split(ids: Sequence[Any], groups: Sequence[str], held: frozenset[str], end: int, settings: TrainingSettings) -> Split:
    return split(ids, groups, held, end=end, programs=settings.held_programs, seed=settings.seed)

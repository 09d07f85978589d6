"""Which inputs some paths name: folders of programs, files of data sets, data sets saved to disk, ids of a hub."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Sequence

from simpy_corpus.data_sets import DATA_SETS
from simpy_corpus.inputs import Input
from simpy_grammar.errors import SimPyError

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")

Files = Callable[[str], Sequence[tuple[str, str]]]
"""The programs at and below a path: for each, where it is and how it is called."""


def find_inputs(
    paths: Iterable[str], *, files: Files, column: str | None = None, split: str | None = None, config: str | None = None
) -> list[Input]:
    """The inputs of a corpus, in the order of their paths.

    A folder is a data set if ``datasets`` has saved it, or if it holds files of data sets and no programs.

    Args:
        paths: what is named.
        files: finds the programs at and below a path.
        column: the column of the programs; ``None`` for the usual names.
        split: which split is read of a data set that has several.
        config: which configuration of a data set of a hub.

    Raises:
        SimPyError: there is no such path, or it holds nothing.
        ModuleNotFoundError: the extra ``corpus`` is not installed.
    """
    found: list[Input] = []
    for path in paths:
        if os.path.isfile(path) and path.endswith(DATA_SETS):
            found.append(_data_set(path, column))
        elif os.path.isdir(path) and is_saved(path):
            from simpy_corpus.inputs.hub import SavedDataset

            found.append(SavedDataset(path, column, split))
        elif os.path.isdir(path):
            found += _in_folder(path, files, column)
        elif os.path.exists(path):
            found.append(_programs(files(path)))
        elif _HUB_ID.fullmatch(path) and not path.endswith((".py", *DATA_SETS)):
            from simpy_corpus.inputs.hub import HubDataset

            found.append(HubDataset(path, column, split, config))
        else:
            raise SimPyError("no such file or folder", path=path, hint="the id of a data set on a hub is OWNER/NAME")
    return found


def is_saved(path: str) -> bool:
    """Whether ``save_to_disk`` of ``datasets`` has written a folder.

    >>> is_saved("no/such/folder")
    False
    """
    return any(os.path.isfile(os.path.join(path, name)) for name in ("dataset_dict.json", "state.json"))


def data_sets_in(path: str) -> list[str]:
    """The files of data sets below a folder, sorted; none in hidden folders."""
    found = []
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [os.path.join(folder, name) for name in sorted(names) if name.endswith(DATA_SETS) and not name.startswith(".")]
    return found


def _in_folder(path: str, files: Files, column: str | None) -> list[Input]:
    data_sets = data_sets_in(path)
    try:
        programs = files(path)
    except SimPyError:
        if not data_sets:
            raise
        programs = []
    if programs and data_sets:
        message = f"holds programs ({programs[0][1]}) and data sets ({os.path.relpath(data_sets[0], path)})"
        raise SimPyError(message, path=path, hint="name the files or the folders of one kind")
    return [_data_set(file, column) for file in data_sets] if data_sets else [_programs(programs)]


def _data_set(path: str, column: str | None) -> Input:
    if path.endswith(".parquet"):
        from simpy_corpus.inputs.parquet import Parquet

        return Parquet(path, column)
    from simpy_corpus.inputs.json_lines import JsonLines

    return JsonLines(path, column)


def _programs(found: Sequence[tuple[str, str]]) -> Input:
    from simpy_corpus.inputs.python_files import PythonFiles

    return PythonFiles(found)

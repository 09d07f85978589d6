"""Engines: what runs one function over many items. All give the results in the order of the items, so they give equal corpora.

The function writes files that depend on its item only. So an engine decides nothing but where and when the work is done.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from itertools import islice
from typing import Any

from simpy_grammar.errors import SimPyError
from simpy_grammar.suggestions import did_you_mean
from tokenizer_ext.learning.pool import Pool

Mapper = Callable[[Callable[[Any], Any], Iterable[Any]], Iterator[Any]]
"""Runs a function on items, which are taken as they are needed, and gives the results in their order. All can be pickled."""

_AGAIN = "run the same command again: it goes on where it was"
_WINDOW = 8  # items for each worker that Ray and datasets get at once; those of processes are handed out one by one


@contextmanager
def open_engine(engine: str, workers: int) -> Iterator[Mapper]:
    """An engine, as long as it is needed.

    Args:
        engine: one of ``ENGINES``.
        workers: how many work at the same time.

    Raises:
        SimPyError: there is no such engine; also while it runs, if a worker died.
        ModuleNotFoundError: its library is missing.

    >>> with open_engine("processes", 1) as run:
    ...     list(run(abs, [-1, 2]))
    [1, 2]
    """
    if engine not in ENGINES:
        raise SimPyError(f"no engine {engine!r}", hint=did_you_mean(engine, ENGINES, f"use {', '.join(ENGINES)}"))
    with ENGINES[engine](workers) as run:
        yield run


@contextmanager
def _processes(workers: int) -> Iterator[Mapper]:
    with Pool(workers, hint=_AGAIN) as pool:
        yield pool.map


@contextmanager
def _datasets(workers: int) -> Iterator[Mapper]:
    """``Dataset.map``: each item is a row."""
    import datasets
    import pyarrow as pa

    def run(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        for window in _windows(items, workers):
            rows = datasets.Dataset(pa.table({"item": pa.array([pickle.dumps(item) for item in window], pa.large_binary())}))
            done = rows.map(
                _call_row,
                fn_kwargs={"function": pickle.dumps(function)},
                num_proc=min(workers, len(window)) if workers > 1 else None,
                remove_columns=["item"],
                new_fingerprint=os.urandom(8).hex(),  # or datasets would make one of the function and all that it uses
                keep_in_memory=True,
            )
            yield from (pickle.loads(result) for result in done["result"])

    shown = datasets.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        yield run
    finally:
        if shown:
            datasets.enable_progress_bars()


@contextmanager
def _ray(workers: int) -> Iterator[Mapper]:
    """Ray Data: each item is a row. On a cluster, the folders of the run must be the same ones on all machines."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers over the network
    import ray
    import ray.data

    def run(function: Callable[[Any], Any], items: Iterable[Any]) -> Iterator[Any]:
        packed = pickle.dumps(function)
        for window in _windows(items, workers):
            numbered = [{"number": i, "item": pickle.dumps(item)} for i, item in enumerate(window)]
            rows = ray.data.from_items(numbered, override_num_blocks=len(numbered))
            done = rows.map(_call_row, fn_kwargs={"function": packed}).take_all()
            yield from (pickle.loads(row["result"]) for row in sorted(done, key=lambda row: int(row["number"])))

    started = not ray.is_initialized()
    if started:
        ray.init(num_cpus=workers, include_dashboard=False, log_to_driver=False)
    ray.data.DataContext.get_current().enable_progress_bars = False
    try:
        yield run
    finally:
        if started:
            ray.shutdown()


ENGINES: dict[str, Callable[[int], AbstractContextManager[Mapper]]] = {"processes": _processes, "ray": _ray, "datasets": _datasets}
"""The engines by name."""


def _windows(items: Iterable[Any], workers: int) -> Iterator[list[Any]]:
    waiting = iter(items)
    while window := list(islice(waiting, _WINDOW * workers)):
        yield window


def _call_row(row: dict[str, Any], function: bytes) -> dict[str, Any]:
    found = pickle.dumps(pickle.loads(function)(pickle.loads(row["item"])))
    return {"result": found, **({"number": row["number"]} if "number" in row else {})}

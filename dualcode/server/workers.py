"""Processes that convert long texts, so that the thread which sends the streams never waits for one. What is remembered, they never see.

A thread would not do: CPython holds its lock while it parses, and for 90 KB that takes tens of milliseconds. Several servers that
share a port would not do either: within each of them the streams would still wait.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

from dualcode.conversion.messages import MessageConverter
from dualcode.conversion.outcomes import Converted
from simpy_grammar.dialect import Dialect

LONG = 4096
"""Characters from which a text counts as long: sending it to a process and back costs less than it would delay the streams."""
_NICE = 10
_TRIES = 2  # one that dies takes the texts of the others with it


class ConversionError(Exception):
    """The processes that convert have died, twice."""


class Workers:
    """Converts long texts in processes, and short ones where it is called; called from threads that may wait.

    Args:
        count: how many processes; 0 for none.
        dialect: what the model reads.
        bare: see ``MessageConverter``.
        on_error: see ``MessageConverter``.
        numbers: see ``MessageConverter``.

    >>> workers = Workers(0, Dialect.load("classic"))
    >>> workers.convert("code", "x = 1", lambda how, text: Converted(how + ": " + text)).text
    'code: x = 1'
    """

    def __init__(self, count: int, dialect: Dialect, *, bare: bool = False, on_error: str = "pass", numbers: bool = True) -> None:
        self._count = count
        self._arguments = (dialect, bare, on_error, numbers)
        self._pool: ProcessPoolExecutor | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Start the processes, without waiting for them: the first long text finds them ready."""
        if self._count:
            pool = self._running()
            for _ in range(self._count):
                pool.submit(_do_nothing)

    def convert(self, how: str, text: str, here: Callable[[str, str], Converted]) -> Converted:
        """Convert a text in the way of this name; ``here`` does so in this process.

        Raises:
            ConversionError: the processes have died, twice.
            SimPyError: the text cannot be converted, and ``on_error`` is ``"raise"``.
        """
        if not self._count or len(text) < LONG:
            return here(how, text)
        for _ in range(_TRIES):
            pool = self._running()
            try:
                return pool.submit(_convert, how, str(text)).result()
            except (BrokenProcessPool, CancelledError, RuntimeError):  # the last: shut down in the meantime
                self._forget(pool)
        raise ConversionError("the processes that convert have died")

    def close(self) -> None:
        """Stop the processes, after the conversions that have begun."""
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(cancel_futures=True)

    def _running(self) -> ProcessPoolExecutor:
        with self._lock:
            if self._pool is None:
                context = multiprocessing.get_context("spawn")  # a fork would copy the locks that other threads hold
                self._pool = ProcessPoolExecutor(self._count, context, _set_up, self._arguments)
            return self._pool

    def _forget(self, pool: ProcessPoolExecutor) -> None:
        with self._lock:
            if self._pool is pool:
                self._pool = None
        pool.shutdown(wait=False)


# ------------------------------------------------------------------------------------------------- in the processes


_converters: list[MessageConverter] = []


def _set_up(dialect: Dialect, bare: bool, on_error: str, numbers: bool) -> None:
    for number in (signal.SIGINT, signal.SIGTERM):  # Ctrl-C reaches every process of a terminal; the server ends these
        signal.signal(number, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(_NICE)  # where processors are few, the streams go first
    _converters.append(MessageConverter(dialect, bare=bare, on_error=on_error, numbers=numbers))
    _converters[0].convert_anew("code", "x = 1\n")  # reads the tables
    gc.freeze()  # what will live as long as the process need not be looked at again
    gc.disable()  # while trees grow, the collector looks at them again and again and finds nothing: a tenth of the time


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _convert(how: str, text: str) -> Converted:
    try:
        return _converters[0].convert_anew(how, text)
    finally:
        gc.collect()


def _do_nothing() -> None:
    return None

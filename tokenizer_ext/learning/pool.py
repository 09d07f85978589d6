"""Work in several processes, with results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

from simpy_grammar.errors import SimPyError

if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_in_order(work: Callable[[_Item], _Result], items: Iterable[_Item], processes: int) -> Iterator[_Result]:
    """The results of a function in order; in several processes no more are begun than are soon wanted.

    Raises:
        SimPyError: a process died.

    >>> list(map_in_order(abs, [-1, 2], processes=1))
    [1, 2]
    """
    with Pool(processes, hint="learn in one process") as pool:
        yield from pool.map(work, items)


class Pool:
    """Processes that are started when they are first needed, and end with the process that has started them.

    Args:
        processes: how many; with one, the work is done here.
        hint: what to do where a process has died.
    """

    def __init__(self, processes: int, *, hint: str) -> None:
        self._processes = processes
        self._hint = hint
        self._executor: ProcessPoolExecutor | None = None

    def __enter__(self) -> Pool:
        return self

    def __exit__(self, *error: object) -> None:
        if self._executor is not None:
            self._executor.shutdown(cancel_futures=True)

    def map(self, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> Iterator[_Result]:
        """The results of a function in order; items are taken as they are needed.

        Raises:
            SimPyError: a process died.
        """
        if self._processes <= 1:
            yield from map(work, items)
            return
        from concurrent.futures import Future, ProcessPoolExecutor
        from concurrent.futures.process import BrokenProcessPool
        from multiprocessing import get_context

        if self._executor is None:
            # Not forked: a tokenizer may have threads by now, which a fork does not survive.
            self._executor = ProcessPoolExecutor(self._processes, mp_context=get_context("spawn"), initializer=_start)
        waiting: deque[Future[_Result]] = deque()
        try:
            for item in items:
                waiting.append(self._executor.submit(work, item))
                if len(waiting) > 2 * self._processes:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        except BrokenProcessPool:
            raise SimPyError("a worker process died, perhaps for want of memory", hint=self._hint) from None
        finally:
            for future in waiting:
                future.cancel()


def _start() -> None:
    """Leave Ctrl-C to the process that the user sees, and end with it, even where it is killed."""
    import signal
    from threading import Thread

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    import os
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)  # nobody waits for results any more

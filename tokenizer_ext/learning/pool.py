"""Work in several processes, with results in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from simpy_grammar.errors import SimPyError

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def map_in_order(work: Callable[[_Item], _Result], items: Iterable[_Item], processes: int) -> Iterator[_Result]:
    """The results of a function in order; in several processes no more are begun than are soon wanted.

    Raises:
        SimPyError: a process died.

    >>> list(map_in_order(abs, [-1, 2], processes=1))
    [1, 2]
    """
    if processes <= 1:
        yield from map(work, items)
        return
    from concurrent.futures import Future, ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    # Not forked: a tokenizer may have threads by now, which a fork does not survive.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_ignore_interrupt)
    waiting: deque[Future[_Result]] = deque()
    try:
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > 2 * processes:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool:
        raise SimPyError("a worker process died, perhaps for want of memory", hint="learn in one process") from None
    finally:
        pool.shutdown(cancel_futures=True)


def _ignore_interrupt() -> None:
    """Leave Ctrl-C to the process that the user sees."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)

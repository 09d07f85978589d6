"""Running one function over many items, in this process or in several, with the results in the order of the items."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from simpy_grammar.errors import SimPyError

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from typing import TypeVar

    _Item = TypeVar("_Item")
    _Result = TypeVar("_Result")


def in_order(function: Callable[[_Item], _Result], items: Sequence[_Item], processes: int) -> Iterator[_Result]:
    """The results of ``function`` on each item, as they come, in order.

    Raises:
        SimPyError: a process died.

    >>> list(in_order(len, ["a", "bc"], 1))
    [1, 2]
    """
    processes = min(processes, len(items))
    if processes <= 1:
        yield from map(function, items)
        return
    # These take as long to import as a small file takes to convert.
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool

    chunk = max(1, min(16, len(items) // (processes * 4)))
    with ProcessPoolExecutor(processes, initializer=_ignore_interrupt) as pool:
        try:
            yield from pool.map(function, items, chunksize=chunk)
        except BrokenProcessPool:
            raise SimPyError("a worker process died, perhaps for want of memory", path="simpy", hint="run again with -j 1") from None
        except BaseException:  # an interrupt: let the workers finish the files they are at, and start no more
            pool.shutdown(cancel_futures=True)
            raise


def _ignore_interrupt() -> None:
    """Leave Ctrl-C to the parent, which alone speaks to the user."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)

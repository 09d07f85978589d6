"""What an evaluation costs: tokens, floating-point operations, seconds, and energy as far as a library can tell.

Tokens and operations depend on the work alone. Seconds and energy depend on the machine, so a report keeps them apart.
"""

from __future__ import annotations

import logging
import time
from importlib.util import find_spec
from types import TracebackType
from typing import Any, NamedTuple

_JOULES = 3_600_000  # per kilowatt-hour
_ASSUMED = ("constant", "cpu_load")  # what codecarbon calls a power that it does not measure


def operations(parameters: int, tokens: int) -> int:
    """The floating-point operations of reading or writing tokens: ``2 * parameters * tokens``.

    Each parameter is multiplied and added once for each token. Attention, which grows with the square of the length, is left out.

    >>> operations(135_000_000, 1_000)
    270000000000
    """
    return 2 * parameters * tokens


class Energy(NamedTuple):
    """The energy of a part of an evaluation.

    Attributes:
        joules: the energy.
        source: the library that measured it, or ``--watts``.
        assumed: which parts are not measured, but an assumed power multiplied by time; empty if all are measured.
    """

    joules: float
    source: str
    assumed: str


class Meter:
    """Measures seconds and energy between entering and leaving.

    The energy comes from the first of these that is available: ``zeus`` (the counters of the GPUs), ``codecarbon``, and ``watts``.

    Args:
        on_gpu: whether the model runs on a GPU, which ``zeus`` measures.
        watts: the power to assume where no library measures; ``None`` if nothing is to be assumed.
        libraries: those to use, the first one first.

    Attributes:
        seconds: how long it took.
        energy: what it took; ``None`` if it is not known.

    >>> with Meter(watts=10, libraries=()) as meter:
    ...     pass
    >>> meter.energy.source, meter.energy.assumed
    ('--watts', '10 W of the whole machine')
    """

    def __init__(self, *, on_gpu: bool = False, watts: float | None = None, libraries: tuple[str, ...] = ("zeus", "codecarbon")) -> None:
        self.seconds = 0.0
        self.energy: Energy | None = None
        self._watts = watts
        self._meter: Any = None
        there = [name for name in libraries if (name != "zeus" or on_gpu) and find_spec(name) is not None]
        self._library = there[0] if there else ""

    def __enter__(self) -> Meter:
        if self._library:
            self._meter = {"zeus": _Zeus, "codecarbon": _CodeCarbon}[self._library]()
        self._start = time.perf_counter()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None) -> None:
        self.seconds = time.perf_counter() - self._start
        if self._meter is not None:
            self.energy = self._meter.stop()
        elif self._watts is not None:
            self.energy = Energy(self._watts * self.seconds, "--watts", f"{self._watts:g} W of the whole machine")

    def described(self) -> dict[str, Any]:
        """What was measured, as a report has it."""
        energy = None if self.energy is None else {**self.energy._asdict(), "joules": round(self.energy.joules, 3)}
        return {"seconds": round(self.seconds, 3), "energy": energy}


class _Zeus:
    """The counters of all GPUs that this process sees, by ``zeus``."""

    def __init__(self) -> None:
        from zeus.monitor import ZeusMonitor

        self._monitor: Any = ZeusMonitor()
        self._monitor.begin_window("evaluation")

    def stop(self) -> Energy:
        """The energy so far."""
        return Energy(float(self._monitor.end_window("evaluation").total_energy), "zeus", "")


class _CodeCarbon:
    """The whole machine, by ``codecarbon``, without any connection."""

    def __init__(self) -> None:
        from codecarbon import OfflineEmissionsTracker

        logging.getLogger("codecarbon").setLevel(logging.ERROR)
        self._tracker: Any = OfflineEmissionsTracker(  # the country says what a kilowatt-hour emits, which is not asked here
            country_iso_code="USA", save_to_file=False, log_level="error", allow_multiple_runs=True, measure_power_secs=1
        )
        self._tracker.start()

    def stop(self) -> Energy | None:
        """The energy so far; ``None`` if it measured nothing, as in too short a time."""
        self._tracker.stop()
        modes = {type(part).__name__: getattr(part, "_mode", "") for part in getattr(self._tracker, "_hardware", ())}
        assumed = [f"{name}: {mode}" for name, mode in modes.items() if mode in _ASSUMED]
        data = getattr(self._tracker, "final_emissions_data", None)
        if data is None:
            return None
        if modes and data.ram_energy:
            assumed.append("RAM: a constant power")  # codecarbon never measures it
        return Energy(float(data.energy_consumed) * _JOULES, "codecarbon", ", ".join(assumed))

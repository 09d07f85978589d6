"""What a proxy counts, for Prometheus: one registry per proxy, so that several can live in one process."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from dualcode.conversion.outcomes import Texts
from dualcode.server.apis.registry import APIS

# Any other path is counted as "other", or a client could make up labels without end.
PATHS = frozenset((*APIS, "/models", "/embeddings"))
_SECONDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)


class Metrics:
    """The counters of one proxy.

    >>> metrics = Metrics(None)
    >>> metrics.count("in", Texts(["x=1"], ["x = 1"]))
    >>> b'simpy_characters_total{direction="in",form="python"} 5.0' in metrics.page()
    True
    """

    def __init__(self, count_tokens: Callable[[str], int] | None) -> None:
        self._registry = CollectorRegistry()
        self._count_tokens = count_tokens
        made: dict[str, Any] = {"registry": self._registry}
        self._requests = Counter("simpy_requests", "Requests answered, by path under /v1 and status.", ("path", "status"), **made)
        self._refused = Counter("simpy_refused", "Requests refused here: busy, too_large, too_slow.", ("reason",), **made)
        self._gone = Counter("simpy_disconnects", "Requests whose client went away first.", **made)
        self._notes = Counter("simpy_unconverted", "Parts that passed through unconverted.", **made)
        self._characters = Counter("simpy_characters", "Characters in and out, as sent and as Python.", ("direction", "form"), **made)
        self._tokens = Counter("simpy_tokens", "Tokens in and out, as sent and as Python.", ("direction", "form"), **made)
        self._running = Gauge("simpy_running_requests", "Requests that are being answered.", **made)
        self._conversion = Histogram("simpy_conversion_seconds", "Conversion time of one request.", buckets=_SECONDS, **made)
        self._total = Histogram("simpy_request_seconds", "Time from request to the end of its answer.", **made)

    def started(self) -> None:
        """Count a request that has arrived."""
        self._running.inc()

    def ended(self, path: str, status: int, *, seconds: float, conversion: float, notes: int) -> None:
        """Count a request that is done; a status of 0 means that its client went away."""
        self._running.dec()
        self._total.observe(seconds)
        self._conversion.observe(conversion)
        self._notes.inc(notes)
        if status:
            self._requests.labels(path if path in PATHS else "other", str(status)).inc()
        else:
            self._gone.inc()

    def refused(self, reason: str) -> None:
        """Count a request that was refused."""
        self._refused.labels(reason).inc()

    def count(self, direction: str, texts: Texts) -> None:
        """Count the texts of one direction, in both forms."""
        for form, counted in (("sent", texts.sent), ("python", texts.python)):
            self._characters.labels(direction, form).inc(sum(map(len, counted)))
            if self._count_tokens is not None:
                self._tokens.labels(direction, form).inc(self._count_tokens("".join(counted)))

    def page(self) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(self._registry)

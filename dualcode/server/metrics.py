"""What a proxy counts, for Prometheus: one registry per proxy, so that several can live in one process.

Labels come from bounded sets, or a client could make up label values without end: other paths, and models past the first
``MOST_MODELS``, are counted as ``other``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from dualcode.conversion.outcomes import Texts
from dualcode.conversion.tool_calls import Counts
from dualcode.reported_usage import ReportedUsage
from dualcode.server.apis.registry import APIS

PATHS = frozenset((*APIS, "/models", "/embeddings"))
_SECONDS = (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5)
MOST_MODELS = 32
EDITS = tuple(field.name for field in fields(Counts) if field.name != "asked")
"""What may become of an edit that a tool call asks for."""
_LONGEST_NAME = 128  # characters of a model's name


class ModelNames:
    """The labels of models: the first names that were admitted, ``other`` for all others, ``unknown`` where a request names none.

    >>> names = ModelNames(most=1)
    >>> names.admit("a"); names.admit("b")
    >>> [names.label(name) for name in ("a", "b", None)]
    ['a', 'other', 'unknown']
    """

    def __init__(self, most: int = MOST_MODELS) -> None:
        self._most = most
        self._known: set[str] = set()

    def admit(self, name: object) -> None:
        """Let a model have its name as its label, if there is room; anything may stand where a request gives its name."""
        if isinstance(name, str) and 0 < len(name) <= _LONGEST_NAME and name.isprintable() and len(self._known) < self._most:
            self._known.add(name)

    def label(self, name: object) -> str:
        """The label of a model."""
        if not isinstance(name, str) or not name:
            return "unknown"
        return name if name in self._known else "other"


class Metrics:
    """The counters of one proxy.

    >>> metrics = Metrics(None)
    >>> metrics.ended("/chat/completions", 200, seconds=1.5, conversion=0.001, notes=0, model="gpt")
    >>> metrics.count("in", Texts(["x=1"], ["x = 1"]), model="gpt")
    >>> b'simpy_characters_total{direction="in",form="python",model="gpt"} 5.0' in metrics.page()
    True
    >>> metrics.reported(ReportedUsage(uncached=26, cached=64, output=7), model="gpt")
    >>> b'simpy_reported_tokens_total{kind="cached",model="gpt"} 64.0' in metrics.page()
    True
    """

    def __init__(self, count_tokens: Callable[[str], int] | None) -> None:
        self._registry = CollectorRegistry()
        self._count_tokens = count_tokens
        self._models = ModelNames()

        def counter(name: str, what: str, *labels: str) -> Counter:
            return Counter(name, what, labels, registry=self._registry)

        def histogram(name: str, what: str, **options: Any) -> Histogram:
            return Histogram(name, what, registry=self._registry, **options)

        self._requests = counter("simpy_requests", "Requests answered, by path under /v1, status and model.", "path", "status", "model")
        self._refused = counter("simpy_refused", "Requests refused here, by reason.", "reason")
        self._gone = counter("simpy_disconnects", "Requests whose client went away first.")
        self._notes = counter("simpy_unconverted", "Parts that passed through unconverted.")
        self._characters = counter(
            "simpy_characters", "Characters of the texts in and out, as sent and as Python.", "direction", "form", "model"
        )
        self._tokens = counter(
            "simpy_tokens", "Tokens of the texts in and out, as sent and as Python, counted here.", "direction", "form", "model"
        )
        self._reported = counter(
            "simpy_reported_tokens", "Tokens that the upstream reports: uncached and cached input, and output.", "kind", "model"
        )
        self._written = counter("simpy_reported_cache_write_tokens", "Those of the uncached ones that went into a cache.", "model")
        self._unreported = counter("simpy_unreported_answers", "Converted answers whose upstream reported no usage.", "model")
        self._edits_asked = counter("simpy_edits_asked", "Edits of files that tool calls asked for.", "model")
        self._edits = counter("simpy_edits", "The same, by what became of them.", "outcome", "model")
        self._decided = counter("simpy_policy_decisions", "What policies decided about requests and answers.", "policy", "decision")
        self._avoided = counter("simpy_policy_avoided_tokens", "Tokens that policies kept from being sent and generated.", "policy")
        self._unspent = counter("simpy_unspent_tokens", "Tokens of max_tokens not spent, since the code had ended.", "model")
        self._running = Gauge("simpy_running_requests", "Requests that are being answered.", registry=self._registry)
        self._conversion = histogram("simpy_conversion_seconds", "Conversion time of one request.", buckets=_SECONDS)
        self._total = histogram("simpy_request_seconds", "Time from request to the end of its answer.")

    def started(self) -> None:
        """Count a request that has arrived."""
        self._running.inc()

    def ended(self, path: str, status: int, *, seconds: float, conversion: float, notes: int, model: object = None) -> None:
        """Count a request that is done; a status of 0 means that its client went away.

        Call this before the other counts of the request: only models that the upstream answers for get labels of their own.
        """
        if 200 <= status < 300:
            self._models.admit(model)
        self._running.dec()
        self._total.observe(seconds)
        self._conversion.observe(conversion)
        self._notes.inc(notes)
        if status:
            self._requests.labels(path if path in PATHS else "other", str(status), self._models.label(model)).inc()
        else:
            self._gone.inc()

    def refused(self, reason: str) -> None:
        """Count a request that was refused."""
        self._refused.labels(reason).inc()

    def count(self, direction: str, texts: Texts, *, model: object = None) -> None:
        """Count the texts of one direction, in both forms."""
        label = self._models.label(model)
        for form, counted in (("sent", texts.sent), ("python", texts.python)):
            self._characters.labels(direction, form, label).inc(sum(map(len, counted)))
            if self._count_tokens is not None:
                self._tokens.labels(direction, form, label).inc(self._count_tokens("".join(counted)))

    def reported(self, usage: ReportedUsage | None, *, model: object = None) -> None:
        """Count what the upstream reports about one answer (``dualcode.reported_usage``); ``None`` if it reports nothing."""
        label = self._models.label(model)
        if usage is None:
            self._unreported.labels(label).inc()
            return
        for kind, tokens in (("uncached", usage.uncached), ("cached", usage.cached), ("output", usage.output)):
            self._reported.labels(kind, label).inc(tokens)
        self._written.labels(label).inc(usage.written_to_cache)

    def edits(self, counts: Counts, *, model: object = None) -> None:
        """Count the edits that the tool calls of one answer ask for."""
        if not counts.asked:
            return
        label = self._models.label(model)
        self._edits_asked.labels(label).inc(counts.asked)
        for outcome in EDITS:
            self._edits.labels(outcome, label).inc(getattr(counts, outcome))

    def decided(self, policy: str, decision: str) -> None:
        """Count a decision of a policy."""
        self._decided.labels(policy, decision).inc()

    def avoided(self, policy: str, tokens: int) -> None:
        """Count the tokens of a question that a policy answered, and those of its answer."""
        self._avoided.labels(policy).inc(tokens)

    def unspent(self, tokens: int, *, model: object = None) -> None:
        """Count the tokens that an answer was not given, since the code that was asked for had ended."""
        self._unspent.labels(self._models.label(model)).inc(tokens)

    def page(self) -> bytes:
        """The page that Prometheus reads."""
        return generate_latest(self._registry)

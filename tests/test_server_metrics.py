"""The page for Prometheus: reported tokens, edits, and labels that stay few whatever clients send."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from dualcode.conversion.outcomes import Texts
from dualcode.conversion.tool_calls import Counts
from dualcode.reported_usage import ReportedUsage
from dualcode.server.metrics import EDITS, MOST_MODELS, Metrics


def answered(*names: object) -> Metrics:
    """Metrics of a proxy whose upstream has answered for these models."""
    metrics = Metrics(None)
    for name in names:
        metrics.ended("/chat/completions", 200, seconds=1, conversion=0, notes=0, model=name)
    return metrics


def value(metrics: Metrics, name: str, **labels: str) -> float:
    """The sum of the samples that have these labels."""
    samples = [sample for family in text_string_to_metric_families(metrics.page().decode()) for sample in family.samples]
    return sum(one.value for one in samples if one.name == name and labels.items() <= one.labels.items())


def models(metrics: Metrics) -> set[str]:
    samples = [sample for family in text_string_to_metric_families(metrics.page().decode()) for sample in family.samples]
    return {sample.labels["model"] for sample in samples if "model" in sample.labels}


def test_uncached_cached_and_output_tokens_stand_apart() -> None:
    metrics = answered("a", "b")
    metrics.reported(ReportedUsage(26, 64, 6, 7), model="a")
    metrics.reported(ReportedUsage(10, 0, 0, 1), model="a")
    metrics.reported(ReportedUsage(5, 0, 0, 2), model="b")
    metrics.reported(None, model="b")
    found = {kind: value(metrics, "simpy_reported_tokens_total", kind=kind, model="a") for kind in ("uncached", "cached", "output")}
    assert found == {"uncached": 36, "cached": 64, "output": 8}
    assert value(metrics, "simpy_reported_tokens_total") == 115  # each token once
    assert value(metrics, "simpy_reported_cache_write_tokens_total", model="a") == 6
    assert (value(metrics, "simpy_unreported_answers_total", model="a"), value(metrics, "simpy_unreported_answers_total", model="b")) == (
        0,
        1,
    )


def test_edits_by_outcome() -> None:
    metrics = answered("a")
    metrics.edits(Counts(), model="a")
    assert "simpy_edits_total{" not in metrics.page().decode()
    metrics.edits(Counts(asked=10, given_back=4, stays=3, ambiguous=1, not_found=1, untouched=1), model="a")
    metrics.edits(Counts(asked=1, not_found=1), model="a")
    assert value(metrics, "simpy_edits_asked_total", model="a") == 11
    assert {outcome: value(metrics, "simpy_edits_total", outcome=outcome) for outcome in EDITS} == {
        "given_back": 4,
        "stays": 3,
        "ambiguous": 1,
        "not_found": 2,
        "untouched": 1,
    }


def test_models_past_the_first_are_other() -> None:
    names = [f"model-{number}" for number in range(MOST_MODELS + 50)]
    metrics = answered(*names, *names)
    for name in names:
        metrics.count("in", Texts(["x"], ["x"]), model=name)
        metrics.reported(ReportedUsage(1), model=name)
    assert models(metrics) == {*names[:MOST_MODELS], "other"}
    assert value(metrics, "simpy_requests_total", model="other") == 100
    assert value(metrics, "simpy_reported_tokens_total", model="other") == 50
    assert value(metrics, "simpy_reported_tokens_total") == len(names)


def test_models_that_the_upstream_refuses_take_no_place() -> None:
    metrics = Metrics(None)
    for number in range(MOST_MODELS):
        metrics.ended("/chat/completions", 404, seconds=1, conversion=0, notes=0, model=f"made-up-{number}")
        metrics.count("in", Texts(["x"], ["x"]), model=f"made-up-{number}")
    metrics.ended("/chat/completions", 200, seconds=1, conversion=0, notes=0, model="real")
    assert models(metrics) == {"other", "real"}


def test_values_that_do_not_name_a_model() -> None:
    metrics = answered(None, "", 7, ["a"], {"a": 1}, "x" * 1000, "a\nb", 'quo"te\\', "modèle")
    assert models(metrics) == {"unknown", "other", 'quo"te\\', "modèle"}


def test_paths_past_the_known_are_other() -> None:
    metrics = Metrics(None)
    for path in ("/chat/completions", "/x", "/y"):
        metrics.ended(path, 200, seconds=1, conversion=0, notes=0)
    assert value(metrics, "simpy_requests_total", path="other", model="unknown") == 2

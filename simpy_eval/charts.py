"""Charts of reports and comparisons: values with their intervals, one panel for each kind of figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from simpy_eval.comparing import Difference
from simpy_eval.reports import figure, parts

_SALT = "simpy eval"  # without one, the names in an SVG are random


class Bar(NamedTuple):
    """A share with its interval, which is drawn in percent.

    Attributes:
        label: what it is the share of.
        value: the share.
        low: the lower end.
        high: the upper end.
    """

    label: str
    value: float
    low: float
    high: float


def bars_of_report(report: Mapping[str, Any]) -> list[Bar]:
    """The shares of a report; its other figures have no common scale."""
    found = []
    for part in parts(report):
        for name, value in part.content["summary"].items():
            if figure(name).is_share:
                found.append(Bar(f"{part.title}: {figure(name).title}", value["value"], value["low"], value["high"]))
    return found


def bars_of_comparison(differences: Sequence[Difference]) -> list[Bar]:
    """The differences of two reports; those of figures that are not shares are relative."""
    found = []
    for one in differences:
        interval = one.difference if figure(one.name).is_share else one.relative
        if interval is not None:
            found.append(Bar(f"{one.part}: {figure(one.name).title}", *interval))
    return found


def draw(bars: Sequence[Bar], title: str, path: str) -> None:
    """Draw bars into a ``.png`` or ``.svg`` file; equal bars give the same bytes.

    Raises:
        OSError: it cannot be written.
        ModuleNotFoundError: matplotlib is not installed.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context({"svg.hashsalt": _SALT}):
        drawn = Figure(figsize=(8.0, 1.5 + 0.3 * len(bars)), layout="constrained")
        FigureCanvasAgg(drawn)
        panel = drawn.subplots()
        rows = range(len(bars))
        values = [100 * bar.value for bar in bars]
        errors = [[100 * max(bar.value - bar.low, 0) for bar in bars], [100 * max(bar.high - bar.value, 0) for bar in bars]]
        panel.barh(rows, values, xerr=errors, color="tab:blue", ecolor="black", capsize=3)
        panel.set_yticks(rows, [bar.label for bar in bars])
        panel.invert_yaxis()
        panel.axvline(0, color="black", linewidth=0.8)
        panel.set_xlabel("percent, with intervals of 95 %")
        panel.set_title(title, parse_math=False)
        drawn.savefig(path, metadata={"Date": None} if path.endswith(".svg") else {"Software": None})

"""The report of an evaluation: its form, reading and writing it, and its figures by name.

``markdown`` and ``charts`` show a report, ``comparing`` compares two.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from simpy_grammar.errors import SimPyError, os_reason

FORMAT, VERSION = "simpy-eval", 1
PROGRAMS, FUNCTIONS, PROBLEMS = "programs", "functions", "problems"
CHECKS = ("ended", "decoded", "parsed", "compiled")
"""What is asked about each answer: did it end within the limit of tokens, by the model or where it is cut; could all of it be converted to
Python; does CPython's parser accept prompt and answer together; does its compiler?"""


class Part(NamedTuple):
    """A part of a report.

    Attributes:
        kind: ``programs``, ``functions`` or ``problems``.
        mask: how the answers were held; empty for programs, which ask for no answers.
        content: its items, summary and cost.
    """

    kind: str
    mask: str
    content: Mapping[str, Any]

    @property
    def title(self) -> str:
        """What the part is called.

        >>> Part("functions", "grammar", {}).title, Part("programs", "", {}).title
        ('functions, grammar', 'programs')
        """
        return f"{self.kind}, {self.mask}" if self.mask else self.kind


class Figure(NamedTuple):
    """What a figure is.

    Attributes:
        name: its name in a summary.
        title: how tables call it.
        is_share: it is a share, which tables show in percent.
        less_is_better: whether a smaller value is the better one; ``None`` if neither is.
    """

    name: str
    title: str
    is_share: bool = False
    less_is_better: bool | None = False


_FIGURES = {
    figure.name: figure
    for figure in (
        Figure("nats_per_program", "nats per program", less_is_better=True),
        Figure("bits_per_byte", "bits per byte of the Python", less_is_better=True),
        Figure("nats_per_token", "nats per token", less_is_better=None),
        Figure("tokens_per_program", "tokens per program", less_is_better=None),
        Figure("exact", "same syntax tree", is_share=True),
        Figure("ended", "answers that end", is_share=True),
        Figure("decoded", "answers that decode", is_share=True),
        Figure("parsed", "answers that parse", is_share=True),
        Figure("compiled", "answers that compile", is_share=True),
    )
}


def figure(name: str) -> Figure:
    """What is known of a figure of a summary.

    >>> figure("pass@10")
    Figure(name='pass@10', title='pass@10', is_share=True, less_is_better=False)
    """
    return _FIGURES.get(name) or Figure(name, name, is_share=True)


def parts(report: Mapping[str, Any]) -> Iterator[Part]:
    """The parts of a report, in order."""
    if PROGRAMS in report:
        yield Part(PROGRAMS, "", report[PROGRAMS])
    for kind in (FUNCTIONS, PROBLEMS):
        for mask, content in report.get(kind, {}).items():
            yield Part(kind, mask, content)


def to_json(report: Mapping[str, Any]) -> str:
    """A report as its file has it. All but ``measured`` depends on model, input and options alone."""
    return json.dumps(report, indent=1, ensure_ascii=True) + "\n"


def read_report(path: str) -> dict[str, Any]:
    """A report from its file.

    Raises:
        SimPyError: the file cannot be read, or is not a report of this version.
    """
    hint = "name what `simpy eval run ... -o FILE.json` has written"
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except OSError as error:
        raise SimPyError(os_reason(error), path=path, hint=hint) from None
    except UnicodeDecodeError:
        raise SimPyError("not UTF-8, so not a report", path=path, hint=hint) from None
    try:
        report = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        if isinstance(error, json.JSONDecodeError):
            raise SimPyError.at(text, error.pos, f"not JSON: {error.msg}", path=path, hint=hint) from None
        raise SimPyError("not JSON: too deeply nested", path=path, hint=hint) from None
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise SimPyError("not a report of an evaluation", path=path, hint=hint)
    if report.get("version") != VERSION:
        raise SimPyError(f"a report of version {report.get('version')}; this release reads {VERSION}", path=path, hint="evaluate again")
    fault = _fault(report)
    if fault:
        raise SimPyError(f"a damaged report: {fault}", path=path, hint="evaluate again")
    return report


# What each item of a part must have, and of which type.
_ITEMS: dict[str, dict[str, type | tuple[type, ...]]] = {
    PROGRAMS: {"name": str, "digest": str, "nats": (int, float), "tokens": int, "bytes": int},
    FUNCTIONS: {"name": str, "digest": str, "exact": bool, **dict.fromkeys(CHECKS, bool)},
    PROBLEMS: {"name": str, "digest": str, "samples": int, "passed": int, "answers": list},
}


def _fault(report: Mapping[str, Any]) -> str:
    """What is wrong with the form of a report; empty if nothing is."""
    for name in ("model", "settings", "measured"):
        if not isinstance(report.get(name), dict):
            return f"it has no {name}"
    for name in ("name", "dialect"):
        if not isinstance(report["model"].get(name), str):
            return f"its model has no {name}"
    try:
        found = list(parts(report))
    except AttributeError:
        return "a part is not an object"
    for part in found:
        items = part.content.get("items") if isinstance(part.content, dict) else None
        if not isinstance(items, list) or not isinstance(part.content.get("summary"), dict):
            return f"{part.title} have no items or no summary"
        for number, item in enumerate(items):
            missing = _missing(item, part.kind)
            if missing:
                return f"item {number} of {part.title} has no {missing}"
    return ""


def _missing(item: Any, kind: str) -> str:
    """What an item of a part lacks, or has in another form; empty if nothing."""
    for name, wanted in _ITEMS[kind].items():
        if not isinstance(item, dict) or not isinstance(item.get(name), wanted):
            return name
    if kind == PROBLEMS:
        if not 1 <= item["samples"] == len(item["answers"]):
            return "samples"
        if not 0 <= item["passed"] <= item["samples"]:
            return "passed"
        for answer in item["answers"]:
            for name in CHECKS:
                if not isinstance(answer, dict) or not isinstance(answer.get(name), bool):
                    return f"answers with {name}"
    return ""

"""Reports and comparisons as Markdown, for people."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from simpy_eval.comparing import Difference
from simpy_eval.reports import PROGRAMS, Part, figure, parts
from simpy_grammar.errors import visible

_SHOWN = 10  # refused programs, or answers that were not run to their end


def report_as_markdown(report: Mapping[str, Any]) -> str:
    """A report as a page."""
    model, lines = report["model"], []
    lines += [f"# {_cell(model['name'])}", ""]
    lines += [
        f"Dialect `{_cell(model['dialect'])}`, {model['parameters']:,} parameters ({model['type']}), {model['vocabulary']:,} tokens.",
        "",
    ]
    lines += _settings(report)
    for part in parts(report):
        lines += [f"## {part.title[:1].upper()}{part.title[1:]}", "", *_part(part)]
    lines += _cost(report)
    return "\n".join(lines).rstrip() + "\n"


def comparison_as_markdown(first: Mapping[str, Any], second: Mapping[str, Any], differences: Sequence[Difference]) -> str:
    """The differences of two reports as a table."""
    names = [f"{_cell(one['model']['name'])} ({_cell(one['model']['dialect'])})" for one in (first, second)]
    lines = [f"First: {names[0]}. Second: {names[1]}.", ""]
    rows = []
    for one in differences:
        known = figure(one.name)
        change = _interval(one.difference._asdict(), share=known.is_share, signed=True)
        relative = "" if one.relative is None else _interval(one.relative._asdict(), share=True, signed=True)
        values = [_value(value, share=known.is_share) for value in (one.first, one.second)]
        rows.append([one.part, known.title, f"{one.items:,}", *values, change, relative, one.better or "-"])
    lines += _table(["part", "figure", "items", "first", "second", "difference [95 %]", "relative [95 %]", "better"], rows)
    lines += ["", "Differences are paired: second less first, on the same items. *Undecided* means that the interval holds zero."]
    return "\n".join(lines) + "\n"


def _settings(report: Mapping[str, Any]) -> list[str]:
    sampling = report["settings"]["sampling"]
    drawn = "the likeliest token at each step" if not sampling["temperature"] else f"temperature {sampling['temperature']:g}"
    lines = [f"Answers have at most {sampling['max_tokens']:,} tokens, {drawn}, seed {sampling['seed']}.", ""]
    if "sandbox" in report:
        held = ", ".join(f"{name} by the {who}" for name, who in report["sandbox"].items())
        lines += [f"Answers ran in processes of their own, held: {held}. docs/evaluation.md says what that protects from.", ""]
    return lines


def _part(part: Part) -> list[str]:
    content = part.content
    rows = []
    for name, value in content["summary"].items():
        known = figure(name)
        rows.append([known.title, _value(value["value"], share=known.is_share), _interval(value, share=known.is_share, bounds_only=True)])
    items = content["items"]
    lines = [f"{_count(len(items), part.kind)}.", "", *_table(["figure", "value", "95 %"], rows)] if items else ["None.", ""]
    lines += [""] if items else []
    if part.kind == PROGRAMS and content["refused"]:
        refused = content["refused"]
        lines += [f"Not evaluated: {len(refused):,} of {len(items) + len(refused):,}.", ""]
        lines += [f"- {_cell(one['name'])}: {one['reason']}: {_cell(one['message'])}" for one in refused[:_SHOWN]]
        lines += [f"- and {len(refused) - _SHOWN:,} more"] if len(refused) > _SHOWN else []
        lines += [""]
    outcomes: dict[str, int] = {}
    for answer in (answer for item in items for answer in item.get("answers", ())):
        outcomes[answer["outcome"]["reason"]] = outcomes.get(answer["outcome"]["reason"], 0) + 1
    if outcomes:
        lines += ["Answers: " + ", ".join(f"{number:,} {reason}" for reason, number in sorted(outcomes.items())) + ".", ""]
    return lines


def _cost(report: Mapping[str, Any]) -> list[str]:
    rows = []
    assumed = []
    for part in parts(report):
        cost, measured = part.content["cost"], report["measured"].get(part.title, {})
        tokens = cost.get("tokens", cost.get("read", 0) + cost.get("written", 0))
        energy = measured.get("energy")
        joules = "not known"
        if energy is not None:
            joules = f"{energy['joules']:,.1f} J ({energy['source']}{', **power assumed**' if energy['assumed'] else ''})"
            assumed += [f"{part.title}: {energy['assumed']}"] if energy["assumed"] else []
        rows.append([part.title, f"{tokens:,}", f"{cost['operations']:.3g}", f"{measured.get('seconds', 0):,.1f}", joules])
    lines = ["## Cost", "", *_table(["part", "tokens", "operations", "seconds", "energy"], rows), ""]
    lines += [
        "Operations are floating-point operations by the rule 2 x parameters x tokens. Seconds and energy are those of this machine.",
        "",
    ]
    return lines + ([f"Power assumed instead of measured: {_cell('; '.join(assumed))}.", ""] if assumed else [])


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A table, its columns of numbers aligned to the right.

    >>> print("\\n".join(_table(["what", "n"], [["a|b", "1"]])))
    | what | n |
    | --- | ---: |
    | a\\|b | 1 |
    """
    found = [list(row) for row in rows]
    right = [i for i in range(len(head)) if found and all(row[i][:1].isdigit() or row[i][:1] in "+-" for row in found if row[i])]
    marks = ["---:" if i in right else "---" for i in range(len(head))]
    return [f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in (head, marks, *found)]


def _value(value: float, *, share: bool, signed: bool = False) -> str:
    """A value for people.

    >>> _value(0.5, share=True), _value(1234.5678, share=False), _value(-0.01, share=False, signed=True)
    ('50.0 %', '1,234.57', '-0.01')
    """
    sign = "+" if signed else ""
    if share:
        return f"{100 * value:{sign}.1f} %"
    return f"{value:{sign},.2f}" if abs(value) >= 10 else f"{value:{sign}.3g}"


def _interval(value: Mapping[str, float], *, share: bool, signed: bool = False, bounds_only: bool = False) -> str:
    middle, low, high = (_value(value[name], share=share, signed=signed) for name in ("value", "low", "high"))
    bounds = f"[{low.removesuffix(' %')}, {high.removesuffix(' %')}]"
    return bounds if bounds_only else f"{middle} {bounds}"


def _count(number: int, what: str) -> str:
    return f"{number:,} {what.removesuffix('s') if number == 1 else what}"


def _cell(text: str) -> str:
    """A text from outside, on one line and without effect on a terminal or the page."""
    return visible(text).replace("<", "&lt;").replace("`", "'")

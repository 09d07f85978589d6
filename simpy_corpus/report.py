"""What became of the programs of a corpus: how many were converted, and each reason for a refusal with its count and share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from simpy_corpus.converting import Converted
from simpy_corpus.reasons import REASONS
from simpy_grammar.errors import visible

_MESSAGES = 5  # of a reason that are shown


class Report:
    """The report of a corpus.

    Attributes:
        rows: how many programs there were.
        characters: of all programs, as they came.
        refused: reason -> how many programs.
        messages: reason -> message -> how many programs; of reasons that the program itself gives.
        written: characters of what was written, or token ids, under the name of the unit.

    >>> report = Report()
    >>> report.add(None, None, 10); report.add("syntax", "invalid syntax", 5)
    >>> print(report)
    2 programs, 1 converted (50.0 %)
    refused: 1 syntax (50.0 %): not a program of the language
                1 invalid syntax
    """

    def __init__(self) -> None:
        self.rows = 0
        self.characters = 0
        self.refused: Counter[str] = Counter()
        self.messages: dict[str, Counter[str]] = {}
        self.written: Counter[str] = Counter()

    def add(self, error: str | None, message: str | None, characters: int) -> None:
        """Count a program."""
        self.rows += 1
        self.characters += characters
        if error is not None:
            self.refused[error] += 1
            self.messages.setdefault(error, Counter())[message or ""] += 1

    def refuse(self, found: Mapping[str, int]) -> None:
        """Count programs as refused that were counted as converted."""
        self.refused.update(found)

    @property
    def converted(self) -> int:
        """How many programs were converted."""
        return self.rows - self.refused.total()

    def described(self) -> dict[str, Any]:
        """The report as a file has it."""
        return {
            "rows": self.rows,
            "converted": self.converted,
            "source_characters": self.characters,
            **dict(sorted(self.written.items())),
            "refused": {
                reason: {
                    "rows": number,
                    "share": round(number / self.rows, 6),
                    "what": REASONS[reason],
                    "messages": dict(_first(self.messages.get(reason, Counter()))),
                }
                for reason, number in _first(self.refused, len(REASONS))
            },
        }

    def __str__(self) -> str:
        return "\n".join(shown(self.described()))


def shown(report: Mapping[str, Any]) -> list[str]:
    """The lines in which a person reads a report, as ``Report.described`` or ``_report.json`` has it."""
    rows = report["rows"]
    lines = [f"{_count(rows, 'program')}, {report['converted']:,} converted ({_share(report['converted'], rows)})"]
    for reason, found in report["refused"].items():
        lines.append(f"refused: {found['rows']:,} {reason} ({_share(found['rows'], rows)}): {found['what']}")
        lines += [f"{times:>13,} {visible(message)}" for message, times in found["messages"].items() if message != found["what"]]
    if "ids" in report:
        lines.append(_count(report["ids"], "token id"))
    return lines


def summarize(batch: Iterable[Converted]) -> Report:
    """The report of some conversions.

    >>> from simpy_corpus.converting import convert_batch
    >>> summarize(convert_batch(["x = 1", None])).refused
    Counter({'no-text': 1})
    """
    report = Report()
    for one in batch:
        report.add(one.error, one.message, one.characters)
    return report


def _first(counts: Counter[str], most: int = _MESSAGES) -> list[tuple[str, int]]:
    """The most frequent, those that are equally frequent by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:most]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole if whole else 0:.1f} %"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"

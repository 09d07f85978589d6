#!/usr/bin/env python3
# A small stock ledger: reads movements as CSV, keeps the books, prints what to order.
#
#   python inventory.py movements.csv --below 5
#   simpy encode inventory.py -o inventory.simpy && simpy run inventory.simpy movements.csv --below 5
"""Keep the stock of a small shop."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path


class LedgerError(Exception):
    """A movement that cannot have happened."""


@dataclass(frozen=True, order=True)
class Movement:
    """One line of the ledger."""

    day: date
    article: str
    amount: int  # negative when goods leave the shop
    note: str = ""

    @classmethod
    def from_row(cls, row: dict[str, str]) -> Movement:
        try:
            return cls(date.fromisoformat(row["day"]), row["article"].strip(), int(row["amount"]), row.get("note") or "")
        except (KeyError, ValueError) as error:
            raise LedgerError(f"bad row {row!r}: {error}") from error


@dataclass
class Stock:
    """What is on the shelves, and how it came there."""

    amounts: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    history: list[Movement] = field(default_factory=list)

    def book(self, movement: Movement, *, allow_negative: bool = False) -> int:
        after = self.amounts[movement.article] + movement.amount
        if after < 0 and not allow_negative:
            raise LedgerError(
                f"{movement.day}: {-movement.amount} of {movement.article} left, "
                f"but only {self.amounts[movement.article]} were there"
            )
        self.amounts[movement.article] = after
        self.history.append(movement)
        return after

    def below(self, limit: int) -> Iterator[tuple[str, int]]:
        # Fewest first, so that a short shopping list starts with what is urgent.
        yield from sorted(((name, n) for name, n in self.amounts.items() if n < limit), key=lambda pair: (pair[1], pair[0]))

    def turnover(self, since: date | None = None) -> dict[str, int]:
        total: dict[str, int] = {}
        for movement in self.history:
            if since is not None and movement.day < since:
                continue  # before the period
            if movement.amount < 0:
                total[movement.article] = total.get(movement.article, 0) - movement.amount
        return total


def read_movements(path: Path | None) -> Iterable[Movement]:
    if path is None:
        yield from map(Movement.from_row, csv.DictReader(sys.stdin))
        return
    with path.open(newline="", encoding="utf-8") as file:
        for number, row in enumerate(csv.DictReader(file), start=2):
            try:
                yield Movement.from_row(row)
            except LedgerError as error:
                print(f"{path}:{number}: {error}", file=sys.stderr)


def report(stock: Stock, limit: int) -> str:
    lines = [f"{name:<20}{amount:>6,}" for name, amount in stock.below(limit)]
    return "\n".join(lines) or "nothing to order"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("movements", nargs="?", type=Path, help="a CSV file with the columns day, article, amount, note")
    parser.add_argument("--below", type=int, default=0x0A, metavar="N", help="list articles of which fewer than N are left")
    args = parser.parse_args(argv)
    stock = Stock()
    try:
        for movement in sorted(read_movements(args.movements)):
            stock.book(movement)
    except (LedgerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    else:
        print(report(stock, args.below))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

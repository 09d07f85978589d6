"""The middle of a run: all parts are read in order, and what only the whole corpus shows is decided: duplicates, types, the report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from simpy_corpus.options import Options
from simpy_corpus.reasons import DUPLICATE, NEAR_DUPLICATE
from simpy_corpus.report import Report
from simpy_corpus.staging import OWN, SIGNATURE, open_part
from simpy_corpus.tables import one_schema


class Refusal(NamedTuple):
    """A program of a part that is refused after all.

    Attributes:
        row: its row in the part.
        error: the reason.
        message: what is wrong.
    """

    row: int
    error: str
    message: str


class Decision(NamedTuple):
    """What was decided of a corpus.

    Attributes:
        refusals: for each part, those of its programs that are refused after all, by row.
        schema: the columns that all shards have beside ours.
        report: what became of the programs.
        starts: the row of the corpus that each part begins with, and the number of rows.
    """

    refusals: list[list[Refusal]]
    schema: Any
    report: Report
    starts: list[int]


class _Rows:
    """Where the rows of the corpus are.

    Args:
        lengths: rows of each part.
    """

    def __init__(self, lengths: Sequence[int]) -> None:
        self.starts = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])

    def place(self, row: int) -> tuple[int, int]:
        """Part and row in it."""
        part = int(np.searchsorted(self.starts, row, side="right")) - 1
        return part, row - int(self.starts[part])


def decide(folder: str, parts: int, options: Options) -> Decision:
    """Read the parts of a run and decide.

    Raises:
        SimPyError: a part cannot be read.
    """
    report = Report()
    schemas: list[Any] = []
    lengths: list[int] = []
    digests: list[bytes] = []
    rows: list[int] = []
    for number in range(parts):
        part = open_part(folder, number)
        schemas.append(part.select([name for name in part.column_names if name not in OWN and name != SIGNATURE]).schema)
        first = sum(lengths)
        lengths.append(len(part))
        errors, messages = part["error"].to_pylist(), part["message"].to_pylist()
        for error, message, size in zip(errors, messages, part["source_characters"].to_pylist(), strict=True):
            report.add(error, message, size)
        if DUPLICATE in options.drop or NEAR_DUPLICATE in options.drop:
            for row, digest in enumerate(part["fingerprint"].to_pylist(), first):
                if digest is not None:
                    digests.append(digest)
                    rows.append(row)
    where = _Rows(lengths)
    found: dict[int, tuple[str, str]] = {}
    if digests:
        found |= {row: (DUPLICATE, f"the same program as row {earlier}") for row, earlier in _duplicates(digests, rows)}
    if NEAR_DUPLICATE in options.drop:
        from simpy_corpus.near_duplicates import find

        signatures = ((row, values) for row, values in _signatures(folder, parts) if row not in found)
        for row, earlier, share in list(find(signatures, options.similarity)):
            found[row] = NEAR_DUPLICATE, f"{share:.0%} of it are in row {earlier}"
    refusals: list[list[Refusal]] = [[] for _ in lengths]
    for row in sorted(found):
        part_number, at = where.place(row)
        refusals[part_number].append(Refusal(at, *found[row]))
    report.refuse(Counter(error for error, _ in found.values()))
    return Decision(refusals, one_schema(schemas), report, where.starts.tolist())


def _duplicates(digests: Sequence[bytes], rows: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The rows whose program stands in an earlier row, each with the first such row."""
    halves = np.frombuffer(b"".join(digests), dtype="<u8").reshape(-1, 2)
    order = np.lexsort((np.asarray(rows), halves[:, 1], halves[:, 0]))
    same = np.all(halves[order[1:]] == halves[order[:-1]], axis=1)
    first = int(order[0]) if len(order) else 0
    for at, is_same in zip(order[1:].tolist(), same.tolist(), strict=True):
        if is_same:
            yield rows[at], rows[first]
        else:
            first = at


def _signatures(folder: str, parts: int) -> Iterator[tuple[int, bytes]]:
    row = 0
    for number in range(parts):
        for values in open_part(folder, number)[SIGNATURE].to_pylist():
            if values is not None:
                yield row, values
            row += 1

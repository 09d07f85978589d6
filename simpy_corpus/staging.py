"""The first half of a run: a unit of the input becomes a part, a file with all that is known of its programs by themselves.

What a program is beside the others of the corpus, a part does not know. ``simpy_corpus.deciding`` reads all parts for that.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import pyarrow as pa

from simpy_corpus.canonical import Canonical, canonical
from simpy_corpus.cleaning import FILTERS
from simpy_corpus.converting import Check, Converted, convert_batch
from simpy_corpus.evaluations import load_evaluations, refuse_contaminated
from simpy_corpus.options import Options
from simpy_corpus.reasons import NEAR_DUPLICATE, NOT_JSON
from simpy_corpus.tables import NOT_A_ROW, SORT, TEXT, from_bytes, open_file, programs, to_bytes
from simpy_corpus.units import Unit
from simpy_grammar.errors import SimPyError
from simpy_grammar.stream import Stream
from simpy_grammar.whole_files import write

OWN = ("program", "dialect", "error", "message", "line", "source_characters", "lexemes", "fingerprint")
"""The columns of the output that are ours."""
SIGNATURE = "_signature"
"""A hidden column of parts."""
EVALUATIONS = "evaluations.bin"


class Task(NamedTuple):
    """What a worker does with units.

    Attributes:
        folder: where parts are.
        options: those of the run.
    """

    folder: str
    options: Options


def part_path(folder: str, number: int) -> str:
    """Where the part of a unit is.

    >>> part_path("work", 7)
    'work/part-00007.arrow'
    """
    return f"{folder}/part-{number:05}.arrow"


def is_staged(folder: str, unit: Unit) -> bool:
    """Whether the part of a unit is there, made from these rows. A part is written whole or not at all."""
    path = part_path(folder, unit.number)
    if not os.path.exists(path):
        return False
    try:
        return bool((open_file(path).schema.metadata or {}).get(b"unit") == unit.digest.encode())
    except (OSError, pa.ArrowException):
        return False


def open_part(folder: str, number: int) -> Any:
    """The table of a part.

    Raises:
        SimPyError: it cannot be read.
    """
    path = part_path(folder, number)
    try:
        return open_file(path)
    except (OSError, pa.ArrowException) as error:
        raise SimPyError(f"cannot be read: {error}", path=path, hint="remove it and run again") from None


def stage(task: Task, unit: Unit) -> int:
    """Convert the programs of a unit and write its part; return the number of the unit."""
    options = task.options
    table = from_bytes(unit.rows)
    notes = _Notes(options, task.folder)
    converted = []
    for program, sort in zip(programs(table), table[SORT].to_pylist(), strict=True):
        notes.begin()
        if sort == NOT_A_ROW:
            found = Converted(None, NOT_JSON, "the line is not a JSON object")
        else:
            [found] = convert_batch(
                [program],
                dialect=options.dialect,
                source=options.source,
                verify=options.verify,
                limits=options.limits,
                checks=notes.checks,
            )
        notes.end(found)
        converted.append(found)
    part = _part(table, unit.text, converted, notes, options)
    write(part_path(task.folder, unit.number), to_bytes(part, {"unit": unit.digest}))
    return unit.number


class _Notes:
    """What is noted of each program beside its text: fingerprints and signatures."""

    def __init__(self, options: Options, folder: str) -> None:
        self.fingerprints: list[bytes | None] = []
        self.signatures: list[bytes | None] = []
        self._canonical: Canonical | None = None
        self._near = NEAR_DUPLICATE in options.drop
        self.checks: list[Check] = [FILTERS[name] for name in FILTERS if name in options.drop]
        if options.has_fingerprints or options.evaluations:
            self.checks.append(self._note)
        if options.evaluations:
            evaluations = load_evaluations(os.path.join(folder, EVALUATIONS))
            self.checks.append(lambda program, stream: refuse_contaminated(self._canonical or canonical(stream), evaluations))

    def begin(self) -> None:
        """Take the next program."""
        self._canonical = None

    def end(self, found: Converted) -> None:
        """Note what is known of a program."""
        known = self._canonical if found.error is None else None
        self.fingerprints.append(known.digest if known is not None else None)
        if self._near:
            from simpy_corpus.near_duplicates import signature

            self.signatures.append(signature(known) if known is not None else None)

    def _note(self, program: str | bytes, stream: Stream) -> None:
        self._canonical = canonical(stream)


def _part(table: Any, text: str, converted: Sequence[Converted], notes: _Notes, options: Options) -> Any:
    names = [name for name in table.column_names if name not in (TEXT, SORT)]
    kept = [name for name in names if options.columns is None or name in options.columns]
    taken = sorted({*kept, *([text] if options.keep_source else [])} & {*OWN})
    if taken:
        hint = "leave it out: name the columns that stay"
        raise SimPyError(f"the input has a column {taken[0]!r}, as the output has", hint=hint)
    columns = {name: table[name] for name in kept}
    if options.keep_source:
        columns[text] = _source(table)
    columns |= {
        "program": pa.array([one.program for one in converted], pa.large_string()),
        "error": pa.array([one.error for one in converted], pa.string()),
        "message": pa.array([one.message for one in converted], pa.string()),
        "line": pa.array([one.line for one in converted], pa.int32()),
        "source_characters": pa.array([one.characters for one in converted], pa.int64()),
        "lexemes": pa.array([one.lexemes for one in converted], pa.int32()),
        "fingerprint": pa.array(notes.fingerprints, pa.binary()),
    }
    if not options.has_fingerprints:
        del columns["fingerprint"]
    if notes.signatures:
        columns[SIGNATURE] = pa.array(notes.signatures, pa.binary())
    return pa.table(columns)


def _source(table: Any) -> Any:
    """The programs as they came: as text where all are text, else as bytes."""
    try:
        return table[TEXT].cast(pa.large_string())
    except pa.ArrowException:
        return table[TEXT]

"""Golden files, the tricky constructs and the failures of the original converter, each in every dialect."""

from __future__ import annotations

import json
import sys

import pytest

import transpiler
from tests.golden import CASES, Case, cases
from tests.helpers import CONVERTED, SPACED, assert_round_trip

GOLDEN = cases()
TRICKY = json.loads((CASES / "tricky_constructs.json").read_text(encoding="utf-8"))
ORIGINAL_FAILURES = json.loads((CASES / "original_failures.json").read_text(encoding="utf-8"))


@pytest.mark.quick
@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.path.stem)
def test_golden(case: Case, request: pytest.FixtureRequest) -> None:
    dialects = [name for name in case.sections if name in CONVERTED]
    if request.config.getoption("--update-cases"):
        case = _updated(case)
    assert dialects, f"{case.path.name} shows no dialect"
    for dialect in dialects:
        simpy = transpiler.encode(case.python, dialect=dialect, verify=False)
        assert simpy == case.sections[dialect], dialect
        if dialect != "compact":
            assert transpiler.decode(simpy, dialect=dialect) == case.decoded, dialect


@pytest.mark.parametrize("case", GOLDEN, ids=lambda case: case.path.stem)
@pytest.mark.parametrize("dialect", (*CONVERTED, *SPACED))
def test_golden_round_trip(case: Case, dialect: str) -> None:
    assert_round_trip(case.python, [dialect])


@pytest.mark.parametrize("row", TRICKY, ids=lambda row: row["id"])
@pytest.mark.parametrize("dialect", (*CONVERTED, *SPACED))
def test_tricky_construct(row: dict[str, str], dialect: str) -> None:
    # Where this Python is older than the construct, the verb checks only that the text is canonical. Then it says so.
    assert_round_trip(row["python"], [dialect])
    if sys.version_info < tuple(map(int, row["since"].split("."))):
        pytest.skip(f"the syntax tree needs Python {row['since']}; only the text was checked here")


@pytest.mark.parametrize("row", ORIGINAL_FAILURES, ids=lambda row: row["name"])
@pytest.mark.parametrize("dialect", (*CONVERTED, *SPACED))
def test_failure_of_the_original_converter(row: dict[str, str], dialect: str) -> None:
    assert_round_trip(row["python"], [dialect])


def _updated(case: Case) -> Case:
    """The case as the encoder gives it now, written to its file. For a person to read in the diff."""
    for name in [name for name in case.sections if name in CONVERTED]:
        case.sections[name] = transpiler.encode(case.python, dialect=name)
    decoded = transpiler.decode(case.sections["classic"])
    case.sections.pop("decoded", None)
    if decoded != case.python:
        case.sections = {"python": case.python, "decoded": decoded, **case.sections}
    case.write()
    return case

"""Random edits of small random programs, each compared with the tree that was asked for.

    python benchmarks/random_edits.py --total 1000000 --processes 2 --json FILE    10^6 edits: shards 0 to 999
    python benchmarks/random_edits.py --seed 417                                   shard 417 alone
    python benchmarks/random_edits.py --seed 417 --failures FILE                   ... with the inputs that were not edited

Programs are those of ``tests.random_ast``, half of them laid out by ``tests.random_layout``; edits are those of
``tests.random_edits``, quoted in eight layouts. A *shard* is 1,000 edits that depend on nothing but its seed: ``--total N``
runs the shards from ``--seed`` on. The exit code is 1 if any edit was wrong or crashed.

| outcome | what became of an edit |
| --- | --- |
| right | the new file has the tree that was asked for, and is the old one outside of the ranges |
| wrong | it does not, or is not |
| crash | an exception that is not an error of the toolchain |
| candidates | the piece stands at several places; they are listed |
| not Python | refused, and the program that was asked for is not one |
| refused | refused for another reason |
"""

from __future__ import annotations

import argparse
import ast
import json
import multiprocessing
import platform
import random
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from simpy_grammar.errors import PlaceError, SimPyError  # noqa: E402  # the path must be set first
from tests.random_ast import Programs  # noqa: E402  # as above
from tests.random_edits import RandomEdit, random_edits  # noqa: E402  # as above
from tests.random_layout import respell  # noqa: E402  # as above
from transpiler import replace  # noqa: E402  # as above
from transpiler.proof import parse_tree, same_tree  # noqa: E402  # as above

SHARD = 1_000  # edits
OUTCOMES = ("right", "wrong", "crash", "candidates", "not Python", "refused")
_EACH = 10  # edits of one program
_SIZES = (12, 30)  # of a program, as `Programs` counts


class Report(NamedTuple):
    """What became of the edits of a shard.

    Attributes:
        seed: the seed of the shard.
        outcomes: how many edits had each of ``OUTCOMES``.
        reasons: how many edits had each message, of those that were refused or crashed.
        failures: the edits that were not made, as `_failure` writes them.
    """

    seed: int
    outcomes: Counter[str]
    reasons: Counter[str]
    failures: list[dict[str, Any]]


def wanted_edits(rng: random.Random) -> Iterator[tuple[str, RandomEdit]]:
    """Edits without end, each with its program."""
    while True:
        source = Programs(rng, rng.choice(_SIZES)).program()
        if rng.random() < 0.5:
            source = respell(source, rng)
        text = with_line_feeds(source)
        if is_python(text):  # at the end of a file, CPython reads a backslash and CRLF, but not a backslash and LF
            for edit in random_edits(text, rng, _EACH):
                yield source, edit


def with_line_feeds(source: str) -> str:
    """A program as `random_edits` needs it; the one that is edited keeps its line ends."""
    return source.replace("\r\n", "\n").replace("\r", "\n")


def outcome(source: str, wanted: RandomEdit) -> tuple[str, str]:
    """What becomes of an edit: one of ``OUTCOMES``, and the reason.

    >>> outcome("x = f(1)\\n", next(random_edits("x = f(1)\\n", random.Random(3), 1)))
    ('right', '')
    """
    try:
        edit = replace(source, wanted.old, wanted.new)
    except SimPyError as error:
        if isinstance(error, PlaceError) and error.candidates:
            return "candidates", ""
        reason = f"{type(error).__name__}: {error.message.partition(':')[0]}"
        return ("refused" if is_python(program_asked_for(source, wanted)) else "not Python"), reason
    except Exception as error:  # a crash is what is looked for
        return "crash", f"{type(error).__name__}: {error}"
    try:
        tree = parse_tree(edit.text)
    except SyntaxError as error:
        return "wrong", f"not Python: {error}"
    if tree is None or not same_tree(tree, wanted.tree):
        return "wrong", "another tree"
    changed = source
    for part in reversed(edit.ranges):
        changed = changed[: part.start] + part.new + changed[part.end :]
    return ("right", "") if changed == edit.text else ("wrong", "changed outside of the ranges")


def program_asked_for(source: str, wanted: RandomEdit) -> str:
    """The program that an edit asks for. It need not be one: to add 1 to the list of ``[a] = b`` asks for ``[a, 1] = b``."""
    text = with_line_feeds(source)
    return text[: wanted.start] + wanted.replacement + text[wanted.end :]


def is_python(text: str) -> bool:
    """Whether CPython reads a text as a program."""
    try:
        ast.parse(text)
    except SyntaxError:
        return False
    return True


def run_shard(seed: int) -> Report:
    """Make the edits of a shard."""
    warnings.simplefilter("ignore")  # random programs may cause any warning
    report = Report(seed, Counter(), Counter(), [])
    edits = wanted_edits(random.Random(seed))
    for number in range(SHARD):
        source, wanted = next(edits)
        result, reason = outcome(source, wanted)
        report.outcomes[result] += 1
        if reason:
            report.reasons[f"{result}: {reason}"] += 1
        if result not in ("right", "candidates"):
            report.failures.append(_failure(seed, number, result, reason, source, wanted))
    return report


def _failure(seed: int, number: int, result: str, reason: str, source: str, wanted: RandomEdit) -> dict[str, Any]:
    edit = {name: getattr(wanted, name) for name in ("kind", "layout", "change", "old", "new")}
    return {"seed": seed, "number": number, "outcome": result, "reason": reason, **edit, "source": source}


def figures(reports: list[Report], seconds: float) -> dict[str, Any]:
    """The figures of some shards, for ``--json``."""
    outcomes: Counter[str] = sum((report.outcomes for report in reports), Counter())
    reasons: Counter[str] = sum((report.reasons for report in reports), Counter())
    return {
        "python": platform.python_version(),
        "seeds": sorted(report.seed for report in reports),
        "edits": outcomes.total(),
        "outcomes": {name: outcomes[name] for name in OUTCOMES},
        "reasons": dict(reasons.most_common()),
        "seconds": round(seconds, 1),
    }


def table(found: dict[str, Any]) -> str:
    """The figures, to read."""
    edits = found["edits"]
    lines = [f"{edits:,} edits in {found['seconds']:,} s, Python {found['python']}"]
    lines += [f"{name:<12}{count:>10,}{100 * count / max(edits, 1):>9.3f} %" for name, count in found["outcomes"].items()]
    lines += [f"{count:>8,}  {reason}" for reason, count in found["reasons"].items()]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the shards, and say what became of their edits."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--total", type=int, default=SHARD, metavar="N", help=f"edits, rounded up to whole shards of {SHARD:,}")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="the seed of the first shard; the next one has S + 1")
    parser.add_argument("--processes", type=int, default=1, metavar="N")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures; written after each shard")
    parser.add_argument(
        "--failures", type=Path, metavar="FILE", help="write the edits that were wrong, crashed or were refused, as JSON lines"
    )
    options = parser.parse_args()
    seeds = range(options.seed, options.seed + -(-options.total // SHARD))
    reports: list[Report] = []
    start = time.monotonic()
    if options.failures:
        options.failures.write_text("", encoding="utf-8")
    found = figures(reports, 0)
    with multiprocessing.Pool(options.processes) as pool:
        for report in pool.imap_unordered(run_shard, seeds):
            reports.append(report)
            found = figures(reports, time.monotonic() - start)
            if options.json:
                options.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
            if options.failures:
                with options.failures.open("a", encoding="utf-8") as file:
                    file.writelines(json.dumps(failure) + "\n" for failure in report.failures)
            broken = report.outcomes["wrong"] + report.outcomes["crash"]
            print(f"shard {report.seed}: {len(reports)} of {len(seeds)}, {broken} wrong or crashed", file=sys.stderr, flush=True)
    print(table(found), end="")
    return int(bool(found["outcomes"]["wrong"] + found["outcomes"]["crash"]))


if __name__ == "__main__":
    sys.exit(main())

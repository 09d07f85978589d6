"""Answers under masks that have to join on to Python: completions of prompts that are cut anywhere, and what is filled into gaps.

    python benchmarks/held_answers.py --human-eval FILE --dialect classic --valid-python         completions
    python benchmarks/held_answers.py --human-eval FILE --dialect classic --valid-python --gaps  what fills gaps
    python benchmarks/held_answers.py ... --json benchmarks/results/held_answers.json            keep the figures
    python benchmarks/held_answers.py --render [--check]       put the last figures into docs/generation.md, or look

Ids are drawn uniformly from the masks, so that whatever can go wrong does. Counted is how many prompts and gaps could be held, and how
many of the answers joined on.
"""

from __future__ import annotations

import argparse
import ast
import json
import random
import re
import sys
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # after the path
from dualcode.backends.fill_masks import FillMasks  # noqa: E402  # after the path
from dualcode.backends.reply_masks import ProgramMasks  # noqa: E402  # after the path
from dualcode.conversion.completion import CompletionStream  # noqa: E402  # after the path
from dualcode.conversion.fill_in_the_middle import Gap, InfillStream  # noqa: E402  # after the path
from dualcode.conversion.joining import joins, says_the_same_program  # noqa: E402  # after the path
from dualcode.conversion.prompts import Prompt  # noqa: E402  # after the path
from tokenizer_ext.constrain import Constraint, State, Suffix  # noqa: E402  # after the path
from tokenizer_ext.constrain.vocabulary import Vocabulary  # noqa: E402  # after the path
from tokenizer_ext.errors import TokenizerError  # noqa: E402  # after the path

RESULTS = ROOT / "benchmarks" / "results" / "held_answers.json"
JOINED, NOT_HELD = "held", ("not converted", "refused", "nothing found")
_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_STOPS = 0.25  # how often an answer ends where it may
_DRAWN = 12  # ids that are refused in a row before one is taken that is known to be right


def draw(vocabulary: Vocabulary, masks: Any, budget: int, places: random.Random) -> str | None:
    """A text that is drawn from masks; ``None`` if it comes to a place where nothing may follow."""
    said = bytearray()
    for left in range(budget, 0, -1):
        bits = int.from_bytes(bytes(masks.mask(left)), "little")
        ids = [number for number in range(vocabulary.size) if bits >> number & 1]
        ends = vocabulary.ends.intersection(ids)
        if ends and places.random() < _STOPS:
            break
        found, number = None, None
        for number in places.sample(ids, min(_DRAWN, len(ids))):
            found = masks.within(number, left)
            if found is not None:
                break
        if found is None:
            number = masks.sure(left)
            found = masks.within(number, left) if number is not None else None
        if found is None or number is None:
            return None
        if number in vocabulary.ends:
            break
        masks = found
        said += vocabulary.bytes_of(number)
    return said.decode()


# ------------------------------------------------------------------------------------------------------------------- completions


def prompts(programs: Sequence[str], count: int, places: random.Random) -> Iterator[str]:
    """Beginnings of programs: cut anywhere, after a line, after a word, and after what opens or separates something."""
    for number in range(count):
        program = places.choice(programs)
        at = places.randrange(1, len(program))
        if number % 4 == 1:
            at = program.rfind("\n", 0, at) + 1 or at
        elif number % 4 == 2:
            at += next((i for i, char in enumerate(program[at:], 1) if char.isspace()), 0)
        elif number % 4 == 3:
            at += next((i for i, char in enumerate(program[at:], 1) if char in ",:;([{"), 0)
        yield program[:at]


def completed(constraint: Constraint, prompt: Prompt, budget: int, places: random.Random, *, leading: bool = True) -> str:
    """What becomes of a prompt: ``held``, ``strayed``, ``stuck``, or why it is not held."""
    if not prompt.converted and not constraint.dialect.is_python:
        return "not converted"
    try:
        state = constraint.start(prompt.sent)
        state = state.leading(joins(prompt)) if prompt.converted and leading else state
    except TokenizerError:
        return "refused"
    answer = draw(constraint.vocabulary, ProgramMasks(state), max(state.least(), budget), places)
    if answer is None:
        return "stuck"
    if not constraint.valid_python:
        answer = _BEYOND_ASCII.sub("\N{LATIN SMALL LETTER E WITH ACUTE}", answer)  # the grammar alone takes all of them in names
    stream = CompletionStream(prompt)
    python = prompt.python + stream.feed(answer) + stream.close()
    joined = not prompt.converted or says_the_same_program(python, prompt.sent + answer, prompt.dialect)
    return "held" if joined and not stream.notes else "strayed"


# -------------------------------------------------------------------------------------------------------------------------- gaps


def holes(programs: Sequence[str], count: int, places: random.Random) -> Iterator[tuple[str, str, str]]:
    """Holes in programs: their kind, and what stands before and after them."""
    for number in range(count):
        program = places.choice(programs)
        lines = program.splitlines(keepends=True)
        kind = ("statement", "expression", "lines", "random")[number % 4]
        if kind == "random":
            begin = places.randrange(len(program))
            end = places.randrange(begin, min(len(program), begin + 60) + 1)
        elif kind == "lines":
            first = places.randrange(len(lines))
            begin = sum(map(len, lines[:first]))
            end = sum(map(len, lines[: first + places.randrange(3)]), 0)
        else:
            wanted = ast.stmt if kind == "statement" else ast.expr
            node: Any = places.choice([node for node in ast.walk(ast.parse(program)) if isinstance(node, wanted)])
            begin, end = (_offset(lines, *at) for at in ((node.lineno, node.col_offset), (node.end_lineno, node.end_col_offset)))
        yield kind, program[:begin], program[max(begin, end) :]


def _offset(lines: Sequence[str], line: int, column: int) -> int:
    return sum(map(len, lines[: line - 1])) + len(lines[line - 1].encode()[:column].decode())


def filled(constraint: Constraint, gap: Gap, budget: int, places: random.Random) -> tuple[str, str]:
    """What becomes of a gap (``held``, ``wrong``, ``stuck``, or why it is not held), and the Python that is filled in."""
    if not gap.converted and gap.suffix.strip() and not constraint.dialect.is_python:
        return "not converted", ""
    try:
        state = constraint.start(gap.prompt.sent)
        state = state.leading(joins(gap.prompt)) if gap.prompt.converted else state
    except TokenizerError:
        return "refused", ""
    begin = before(state, gap, budget)
    if begin is None:
        return "nothing found", ""
    answer = draw(constraint.vocabulary, FillMasks(begin), budget, places)
    if answer is None:
        return "stuck", ""
    stream = InfillStream(gap)
    python = stream.feed(answer) + stream.close() if gap.prompt.converted else answer
    return ("held" if parses(gap.prompt.python + python + gap.suffix) and not stream.notes else "wrong"), python


def before(state: State, gap: Gap, budget: int) -> State | None:
    """The state before a suffix that ends the program; ``None`` if nothing is found that fills the gap."""
    found = state.before(Suffix(gap.sent, accepts=gap.fits) if gap.converted else Suffix(gap.sent))
    return found if found.way(budget) is not None else None


def parses(text: str) -> bool:
    """Whether Python parses a text."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError:
        return False
    return True


def measure(dialect: str, programs: list[str], args: argparse.Namespace) -> Counter[str]:
    """How often each outcome came."""
    from tests.small_tokenizers import tiktoken_small
    from tokenizer_ext import extend

    vocabulary = tiktoken_small() if dialect in ("python", "compact") else extend(tiktoken_small(), dialect=dialect)
    constraint = Constraint(vocabulary, dialect=dialect, valid_python=args.valid_python, version=sys.version_info[:2])
    places = random.Random(args.seed)
    if args.gaps:
        gaps = (Gap(prefix, suffix, dialect) for _, prefix, suffix in holes(programs, args.count, places))
        return Counter(filled(constraint, gap, places.choice((10, 20, 40)), places)[0] for gap in gaps)
    cut = prompts(programs, args.count, places)
    return Counter(completed(constraint, Prompt(prefix, dialect), places.choice((4, 12, 30)), places) for prefix in cut)


def table(results: dict[str, Any]) -> str:
    """The figures as a Markdown table."""
    lines = ["| dialect | task | drawn | held | join on | not converted | refused | nothing found |", "| --- | --- |" + " ---: |" * 6]
    for name, row in results["rows"].items():
        dialect, task = name.split(" ")
        count = sum(row.values())
        missing = [row.get(outcome, 0) for outcome in NOT_HELD]
        cells = [dialect, task, *map(str, (count, count - sum(missing), row.get(JOINED, 0), *missing))]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, or put the last figures into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--human-eval", type=Path, metavar="FILE", help="HumanEval.jsonl.gz")
    parser.add_argument("--dialect", action="append", default=[])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--valid-python", action="store_true")
    parser.add_argument("--gaps", action="store_true", help="fill gaps instead of completing prompts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures; what is not measured now stays as it is there")
    parser.add_argument("--render", action="store_true", help=f"put the figures of {RESULTS.name} into docs/generation.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    args = parser.parse_args()
    if args.render:
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        return pages.put("generation.md", "held answers", table(results), "python benchmarks/held_answers.py --render", args.check)
    if args.human_eval is None:
        parser.error("--human-eval is needed, or --render")
    from benchmarks.human_eval import problems

    programs = [problem.prompt + problem.solution for problem in problems(args.human_eval)]
    results = json.loads(args.json.read_text(encoding="utf-8")) if args.json and args.json.exists() else {"rows": {}}
    for dialect in args.dialect:
        results["rows"][f"{dialect} {'holes' if args.gaps else 'completions'}"] = measure(dialect, programs, args)
        if args.json:
            args.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(table(results), end="")
    strayed = any(set(row) - {JOINED, *NOT_HELD} for row in results["rows"].values())
    return int(strayed)


if __name__ == "__main__":
    sys.exit(main())

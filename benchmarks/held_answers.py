"""Answers under masks that have to join on to Python: completions of prompts that are cut anywhere, and what is filled into gaps.

    python benchmarks/held_answers.py --human-eval FILE --dialect classic --count 200

Ids are drawn uniformly from the masks, so that whatever can go wrong does. Printed is how many prompts and gaps could be held, and how
many of the answers joined on.
"""

from __future__ import annotations

import argparse
import ast
import random
import re
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from dualcode.backends.fill_masks import FillMasks  # noqa: E402  # after the path
from dualcode.backends.reply_masks import ProgramMasks  # noqa: E402  # after the path
from dualcode.conversion.completion import CompletionStream  # noqa: E402  # after the path
from dualcode.conversion.fill_in_the_middle import Gap, InfillStream  # noqa: E402  # after the path
from dualcode.conversion.joining import joins, says_the_same_program  # noqa: E402  # after the path
from dualcode.conversion.prompts import Prompt  # noqa: E402  # after the path
from tokenizer_ext.constrain import Constraint, State, Suffix  # noqa: E402  # after the path
from tokenizer_ext.errors import TokenizerError  # noqa: E402  # after the path

_BEYOND_ASCII = re.compile(r"[^\x00-\x7f]")
_STOPS = 0.25  # how often an answer ends where it may
_DRAWN = 12  # ids that are refused in a row before one is taken that is known to be right


def draw(constraint: Constraint, masks: Any, budget: int, places: random.Random) -> str | None:
    """A text that is drawn from masks; ``None`` if it comes to a place where nothing may follow."""
    said = bytearray()
    vocabulary = constraint.vocabulary
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
    answer = draw(constraint, ProgramMasks(state), max(state.least(), budget), places)
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
    answer = draw(constraint, FillMasks(begin), budget, places)
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


def main() -> None:
    """Measure and print."""
    from benchmarks.human_eval import problems
    from tests.small_tokenizers import tiktoken_small
    from tokenizer_ext import extend

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--human-eval", type=Path, required=True)
    parser.add_argument("--dialect", action="append", required=True)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--valid-python", action="store_true")
    parser.add_argument("--gaps", action="store_true", help="fill gaps instead of completing prompts")
    args = parser.parse_args()
    programs = [problem.prompt + problem.solution for problem in problems(args.human_eval)]
    for dialect in args.dialect:
        vocabulary = tiktoken_small() if dialect in ("python", "compact") else extend(tiktoken_small(), dialect=dialect)
        constraint = Constraint(vocabulary, dialect=dialect, valid_python=args.valid_python, version=sys.version_info[:2])
        places = random.Random(args.seed)
        found: Counter[tuple[str, str]] = Counter()
        start = time.process_time()
        if args.gaps:
            for kind, prefix, suffix in holes(programs, args.count, places):
                found[kind, filled(constraint, Gap(prefix, suffix, dialect), places.choice((10, 20, 40)), places)[0]] += 1
        else:
            for prefix in prompts(programs, args.count, places):
                found["prompt", completed(constraint, Prompt(prefix, dialect), places.choice((4, 12, 30)), places)] += 1
        for (kind, outcome), count in sorted(found.items()):
            print(f"| {dialect} | {kind} | {outcome} | {count} |")
        print(f"| {dialect} | seconds of processor time | | {time.process_time() - start:.0f} |", flush=True)


if __name__ == "__main__":
    main()

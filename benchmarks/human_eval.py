"""HumanEval through the wrapper and the proxy: each canonical solution as the model's answer must pass its own tests as Python.

    python benchmarks/human_eval.py --human-eval FILE -o benchmarks/results/human_eval.json     run everything, print the table
    python benchmarks/human_eval.py --human-eval FILE --problems 20                             the first 20 problems only
    python benchmarks/human_eval.py --render                        put the figures of the last run into docs/dualcode.md
    python benchmarks/human_eval.py --render --check                is docs/dualcode.md up to date?

A scripted model writes the solution in a dialect: after the problem's prompt as the wrapper sends it, or in a fenced block of a
chat. Its text comes in pieces: of one character, of one token, of seven characters, of random lengths, and whole. The ways are
`DualCode` and its asyncio form round a scripted backend, and OpenAI's client to `simpy serve` to a scripted server, streamed. What
comes back is put behind the prompt, or taken out of its fence, and run with the problem's tests in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import random
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

import transpiler  # noqa: E402  # the path must be set first
from benchmarks import pages  # noqa: E402  # the path must be set first
from dualcode import DualCode  # noqa: E402  # the path must be set first
from dualcode.backends.protocol import CHAT, COMPLETE, Request  # noqa: E402  # the path must be set first
from dualcode.conversion.prompts import Prompt  # noqa: E402  # the path must be set first
from dualcode.conversion.units import BLOCK  # noqa: E402  # the path must be set first
from simpy_grammar.dialect import COMPACT  # noqa: E402  # the path must be set first
from tokenizer_ext import extend  # noqa: E402  # the path must be set first

DIALECTS = ("classic", "dense", "dense-newline", COMPACT)
UNTIL = "complete, until the block ends"
STYLES = (COMPLETE, UNTIL, CHAT)
CHUNKINGS = ("character", "token", "seven", "random", "whole")
RESULTS = ROOT / "benchmarks" / "results" / "human_eval.json"
TIMEOUT = 60.0  # seconds for the tests of one problem
_MORE = "\n\ndef more(a):\n    return more(a)\n"  # what a model goes on with that does not stop
_BEFORE, _AFTER = "Here it is:\n\n```python\n", "```\nIt does what you asked for.\n"


@dataclass(frozen=True)
class Problem:
    """A problem of HumanEval.

    Attributes:
        name: its id.
        prompt: the beginning of a function.
        solution: the rest of it.
        test: the program's tests: a call of ``check`` fails where the function does.
    """

    name: str
    prompt: str
    solution: str
    test: str

    @property
    def program(self) -> str:
        """The whole function."""
        return self.prompt + self.solution


def problems(path: Path) -> list[Problem]:
    """The problems in ``HumanEval.jsonl.gz``."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        found = map(json.loads, file)
        return [
            Problem(one["task_id"], one["prompt"], one["canonical_solution"], f"{one['test']}\ncheck({one['entry_point']})\n")
            for one in found
        ]


# ---------------------------------------------------------------------------------------------------------- the model


def answer(problem: Problem, dialect: str, style: str) -> str:
    """What the model writes. It goes on with the prompt as it was sent, so a completion in ``compact`` is the person's Python."""
    if style == CHAT:
        return _BEFORE + transpiler.encode(problem.program, dialect=dialect).rstrip("\n") + "\n" + _AFTER
    more = _MORE if style == UNTIL else ""
    if dialect == COMPACT:
        return problem.solution + more
    sent = Prompt(problem.prompt, dialect).sent
    whole = transpiler.encode(problem.program + more, dialect=dialect)
    if not whole.startswith(sent):
        raise SystemExit(f"{problem.name}: the prompt as it is sent does not begin the program in {dialect}")
    return whole[len(sent) :]


@cache
def _tokenizer(dialect: str) -> Any:
    from tests.small_tokenizers import byte_bpe

    return byte_bpe() if dialect == COMPACT else extend(byte_bpe(), dialect=dialect)


def pieces(text: str, chunking: str, dialect: str) -> list[str]:
    """A text as it comes from the model."""
    if chunking == "whole":
        return [text]
    if chunking == "random":
        lengths = random.Random(text)
        bounds = [0]
        while bounds[-1] < len(text):
            bounds.append(bounds[-1] + lengths.randint(1, 40))
    elif chunking == "token":
        bounds = sorted({0, *(end for _, end in _tokenizer(dialect).encode(text, add_special_tokens=False).offsets), len(text)})
    else:
        bounds = list(range(0, len(text) + 7, {"character": 1, "seven": 7}[chunking]))
    return [text[start:end] for start, end in zip(bounds, bounds[1:], strict=False) if text[start:end]]


class Scripted:
    """A backend that gives pieces which are set before each call."""

    tasks = frozenset((COMPLETE, CHAT))

    def __init__(self) -> None:
        self.pieces: Sequence[str] = ()

    def run(self, request: Request) -> Generator[str, None, None]:
        """The pieces."""
        yield from self.pieces

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        """The pieces."""
        for piece in self.pieces:
            yield piece

    def count(self, text: str) -> int | None:
        """Not known."""
        return None


# ------------------------------------------------------------------------------------------------------------ the ways

Ask = Callable[[Problem, str, Sequence[str]], str]  # problem, style, pieces of the model -> what the person gets


def _messages(problem: Problem) -> list[dict[str, Any]]:
    return [{"role": "user", "content": f"Finish this:\n```python\n{problem.prompt}```\n"}]


@contextmanager
def wrapper(dialect: str) -> Iterator[Ask]:
    """``DualCode``, streamed."""
    model = Scripted()
    code = DualCode(model, dialect=dialect, on_error="raise")

    def ask(problem: Problem, style: str, given: Sequence[str]) -> str:
        model.pieces = given
        if style == CHAT:
            return "".join(code.chat(_messages(problem), stream=True))
        return "".join(code.complete(problem.prompt, stream=True, until=BLOCK if style == UNTIL else None))

    yield ask


@contextmanager
def asyncio_wrapper(dialect: str) -> Iterator[Ask]:
    """``DualCode`` under asyncio, streamed."""
    model = Scripted()
    code = DualCode(model, dialect=dialect, on_error="raise")

    async def stream(problem: Problem, style: str) -> str:
        if style == CHAT:
            found = await code.achat(_messages(problem), stream=True)
        else:
            found = await code.acomplete(problem.prompt, stream=True, until=BLOCK if style == UNTIL else None)
        return "".join([piece async for piece in found])

    def ask(problem: Problem, style: str, given: Sequence[str]) -> str:
        model.pieces = given
        return loop.run_until_complete(stream(problem, style))

    loop = asyncio.new_event_loop()
    try:
        yield ask
    finally:
        loop.close()


@contextmanager
def proxy(dialect: str) -> Iterator[Ask]:
    """OpenAI's client to ``simpy serve`` to a scripted server, streamed."""
    import openai

    from tests.scripted_upstream import proxy_server, stream, upstream_server

    with ExitStack() as stack:
        upstream, url = stack.enter_context(upstream_server())
        base = stack.enter_context(proxy_server(url, dialect=dialect, on_error="raise"))
        client: Any = stack.enter_context(openai.OpenAI(base_url=base, api_key="k", max_retries=0, timeout=TIMEOUT))

        def ask(problem: Problem, style: str, given: Sequence[str]) -> str:
            upstream.seen.clear()
            upstream.reply = stream(*events(given, style))
            if style == CHAT:
                said = client.chat.completions.create(model="m", messages=_messages(problem), stream=True)
                return "".join(chunk.choices[0].delta.content or "" for chunk in said)
            written = client.completions.create(model="m", prompt=problem.prompt, stream=True)
            return "".join(chunk.choices[0].text for chunk in written)

        yield ask


def events(given: Sequence[str], style: str) -> Iterator[bytes]:
    """The model's pieces as a server streams them."""
    for piece in (*given, None):
        text = {"delta": {"content": piece} if piece else {}} if style == CHAT else {"text": piece or ""}
        choice = {"index": 0, **text, "finish_reason": None if piece else "stop"}
        yield b"data: " + json.dumps({"id": "c", "created": 1, "model": "m", "choices": [choice]}).encode() + b"\n\n"
    yield b"data: [DONE]\n\n"


WAYS = {"wrapper": wrapper, "asyncio": asyncio_wrapper, "proxy": proxy}


# ------------------------------------------------------------------------------------------------------------ judging


@dataclass
class Judge:
    """Runs programs with the tests of their problems, each program once.

    Attributes:
        runs: how many were run.
    """

    runs: int = 0
    _known: dict[tuple[str, str], str] = field(default_factory=dict)

    def fault(self, problem: Problem, program: str) -> str:
        """What is wrong with a program; nothing if it passes."""
        key = (problem.name, program)
        if key not in self._known:
            self.runs += 1
            self._known[key] = _run(program + "\n" + problem.test)
        return self._known[key]


def _run(program: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        try:
            done = subprocess.run(
                [sys.executable, "-I", "-"], input=program, text=True, encoding="utf-8", capture_output=True, timeout=TIMEOUT, cwd=folder
            )
        except subprocess.TimeoutExpired:
            return "too slow"
    return "" if done.returncode == 0 else (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]


def program(problem: Problem, style: str, text: str) -> str:
    """The program in what the person got."""
    if style != CHAT:
        return problem.prompt + text
    head, _, rest = text.partition(_BEFORE)
    code, _, tail = rest.partition(_AFTER)
    return code if (head, tail) == ("", "") else f"raise SystemExit({text!r})"


def faults(way: str, dialect: str, style: str, asked: Sequence[Problem], judge: Judge) -> dict[str, str]:
    """The problems whose tests fail at any chunking, and how."""
    found: dict[str, str] = {}
    with WAYS[way](dialect) as ask:
        for problem in asked:
            written = answer(problem, dialect, style)
            for chunking in CHUNKINGS:
                fault = judge.fault(problem, program(problem, style, ask(problem, style, pieces(written, chunking, dialect))))
                if fault:
                    found[f"{problem.name}, by {chunking}"] = fault
    return found


# ------------------------------------------------------------------------------------------------------------- report


def cases() -> Iterator[tuple[str, str, str]]:
    """What is tried: way, dialect, style. The proxy has no way to say where a completion should end."""
    return ((way, dialect, style) for way in WAYS for dialect in DIALECTS for style in STYLES if (way, style) != ("proxy", UNTIL))


def measure(asked: Sequence[Problem]) -> dict[str, Any]:
    """All figures."""
    judge = Judge()
    rows = []
    for way, dialect, style in cases():
        found = faults(way, dialect, style, asked, judge)
        failed = {name.partition(",")[0] for name in found}
        rows.append({"way": way, "dialect": dialect, "style": style, "passed": len(asked) - len(failed), "faults": found})
        print(f"{way}, {dialect}, {style}: {rows[-1]['passed']} of {len(asked)}", file=sys.stderr)
    return {"python": sys.version.split()[0], "problems": len(asked), "chunkings": CHUNKINGS, "programs run": judge.runs, "rows": rows}


def table(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    columns = [(way, style) for way in WAYS for style in STYLES if (way, style) != ("proxy", UNTIL)]
    passed = {(row["way"], row["dialect"], row["style"]): row["passed"] for row in figures["rows"]}
    lines = ["| dialect | " + " | ".join(f"{way}: {style}" for way, style in columns) + " |", "|---" + "|---" * len(columns) + "|"]
    for dialect in DIALECTS:
        row = " | ".join(f"{passed[way, dialect, style]} of {figures['problems']}" for way, style in columns)
        lines.append(f"| `{dialect}` | {row} |")
    return "\n".join(lines) + "\n"


def render(check: bool) -> int:
    """Put the figures of the last run into the page."""
    text = table(json.loads(RESULTS.read_text(encoding="utf-8")))
    return pages.put("dualcode.md", "HumanEval", text, "python benchmarks/human_eval.py --render", check)


def main() -> int:
    """The command line; ends with 1 where a problem fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--human-eval", type=Path, metavar="FILE", help="HumanEval.jsonl.gz")
    parser.add_argument("--problems", type=int, metavar="N", help="the first N only")
    parser.add_argument("-o", "--output", type=Path, metavar="PATH", help="write the figures here")
    parser.add_argument("--render", action="store_true")
    parser.add_argument("--check", action="store_true")
    args = parser.parse_args()
    if args.render:
        return render(args.check)
    if args.human_eval is None:
        parser.error("--human-eval names the file of the problems")
    figures = measure(problems(args.human_eval)[: args.problems])
    print(table(figures))
    for row in figures["rows"]:
        for name, fault in row["faults"].items():
            print(f"{row['way']}, {row['dialect']}, {row['style']}: {name}: {fault}")
    if args.output:
        args.output.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    return int(any(row["faults"] for row in figures["rows"]))


if __name__ == "__main__":
    sys.exit(main())

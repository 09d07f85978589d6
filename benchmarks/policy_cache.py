"""The policy ``cache``: is a prompt that is laid out anew a hit, and is another prompt a miss?

Programs are the cases of the tests, and functions and classes of the standard library. Layouts are those of black, ``ruff format``,
``ast.unparse``, our own layouts, and blanks at random. A cut is the same in two layouts if the same words stand before it, the last
one is the same, and the same brackets and blocks are open: said by CPython's ``tokenize``. Whether an answer is right is said by
CPython's trees: the prompt with the answer is the whole program.
"""

from __future__ import annotations

import argparse
import ast
import io
import json
import random
import sys
import sysconfig
import textwrap
import time
import tokenize
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.laid_out import layouts
from benchmarks.prompt_changes import MUTATIONS, Word, words_of
from dualcode.conversion.prompts import Prompt
from dualcode.policies.cache import Cache
from dualcode.policies.canonical_forms import canonical
from dualcode.policies.protocol import Answer, Question
from simpy_grammar.errors import SimPyError
from transpiler import completion, encode

ROOT = Path(__file__).resolve().parent.parent
GREEDY = {"temperature": 0}
# fmt: off
ANSWERS = (
    "x", "1", " ", "\n", ")", "]", ":\n", ".b", "(b)", ", b", " = b\n", " if c else d\n", "s'", "'", '"', '"""', "\n    b\n",
    "\n  b\nelse:\n  c\n", "else:\n    b\n", "elif c:\n  d\n", "    b\n", "\tb\n", "b\nc = (\n d)\n", " # b\n", "; b\n", "if a: b\n",
    "**b + c\n", " -> b: c\n", ", *b):\n    c\n", "return b\n", "def f(): pass\n", "@b\ndef f():\n  c\n", "for b in c:\n    d\n",
    " for b in c]\n", "=b)\n", ":b}\n", " and b\n", "except b:\n  c\n",
)
# fmt: on
"""Answers that may or may not go on with a prompt."""
LONGEST = 400  # characters of a program for the pairs
EXCLUDED = ("words", "brackets", "blocks", "last word", "comments")
"""Why a cut is another one in another layout."""


def options(parser: argparse.ArgumentParser) -> None:
    """Declare how much is measured."""
    parser.add_argument("--cache-programs", type=int, default=400, help="programs for the policy cache")
    parser.add_argument("--cache-layouts", type=int, default=100, help="how many of the programs are laid out anew")
    parser.add_argument("--cache-pairs", type=int, default=100_000, help="pairs of different prompts for the policy cache")
    parser.add_argument("--cache-minutes", type=float, default=60, help="the pairs end after this time at the latest")
    parser.add_argument("--cache-seed", type=int, default=1)
    parser.add_argument("--cache-only", choices=("layouts", "pairs", "seconds"), nargs="+", help="measure these, keep the other figures")
    parser.add_argument("--cache-progress", type=Path, help="a file for the figures of the pairs so far")


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """Measure hits and wrong hits.

    Raises:
        SystemExit: other figures are to be kept, and there was no run before.
    """
    warnings.simplefilter("ignore")
    drawn = random.Random(args.cache_seed)
    programs = list(islice(_programs(drawn), args.cache_programs))
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "layouts": lambda: hits(drawn.sample(programs, min(args.cache_layouts, len(programs))), drawn),
        "pairs": lambda: wrong_hits(programs, drawn, args.cache_pairs, args.cache_minutes, args.cache_progress),
        "seconds": speed,
    }
    only = args.cache_only or list(parts)
    if args.cache_only and not args.output.exists():
        raise SystemExit(f"{args.output} is not there: --cache-only keeps the other figures of an earlier run")
    before = json.loads(args.output.read_text(encoding="utf-8")).get("cache", {}) if args.cache_only else {}
    return {
        "python": ".".join(map(str, sys.version_info[:3])),
        "source": "cases of the tests; functions and classes of the standard library",
        **{name: part() if name in only else before[name] for name, part in parts.items()},
    }


def rendered(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f"Prompts from {figures['layouts']['programs']} programs ({figures['source']}, Python {figures['python']}),",
        "cut at random and laid out anew. An answer is right if prompt and answer are the whole program, by CPython's tree:",
        "",
        "| laid out by | cut at the same place | hits | hits that are right | cut at another place |",
        "| --- | ---: | ---: | ---: | --- |",
    ]
    for name, row in figures["layouts"].items():
        if name != "programs":
            share = 100 * row["hits"] / max(row["same"], 1)
            left = ", ".join(f"{key} {row[key]:,}" for key in EXCLUDED if row[key]) or "none"
            lines.append(f"| {name} | {row['same']:,} | {share:.1f} % | {row['right']:,} of {row['hits']:,} | {left} |")
    pairs, seconds = figures["pairs"], figures["seconds"]
    kinds = ", ".join(f"{name} {count:,}" for name, count in pairs["kinds"].items())
    lines += [
        "",
        "A cut is at another place, and not counted, where the new layout makes another beginning of it: other names stand before it",
        "(`ast.unparse` moves keyword arguments), other brackets are open (`return (a` and `return a`), it is in other blocks (`if a: b`",
        "in one line and in two), another token stands before it (`)` or none, `;` or a new line), or other comments.",
        "The same answer could not go on with both.",
        "",
        f"Pairs of prompts of {pairs['programs']} programs that differ in one place: {pairs['pairs']:,} ({kinds}).",
        f"With the same key: {pairs['shared']:,}, of which {pairs['same_program']:,} are the same program with the same rest.",
        f"Each of these was also tried with two other answers. Wrong answers given: {pairs['wrong']:,}.",
        "",
        f"Looking takes {1000 * seconds['small']:.1f} ms for a prompt of 1 kB, {1000 * seconds['large']:.0f} ms for one of 50 kB",
        "(two busy cores).",
    ]
    return "\n".join(lines) + "\n"


def hits(programs: list[str], drawn: random.Random) -> dict[str, Any]:
    """Of prompts laid out anew, how many are answered, and how many rightly."""
    found: dict[str, Any] = {"programs": len(programs)}
    for name, (lay, comments) in layouts(drawn).items():
        row: Counter[str] = Counter()
        for program in programs:
            other = lay(program)
            if other is None or _tree(other) != _tree(program) or (comments and _comments(other) != _comments(program)):
                row["not the same program"] += 1
                continue
            for kind in ("compact", "classic"):
                _completions(program, other, Cache(":memory:", comments=comments), kind, drawn, row)
            _chat(program, other, Cache(":memory:", comments=comments), row)
        found[name] = {key: row[key] for key in ("same", "hits", "right", *EXCLUDED, "not the same program")}
        print(name, found[name], flush=True)
    return found


def _completions(one: str, other: str, cache: Cache, dialect: str, drawn: random.Random, row: Counter[str]) -> None:
    words, others = words_of(one), words_of(other)
    alike = 0  # how many words are the same; of literals, that they are some
    while alike < min(len(words), len(others)) and _is_same(one, words[alike], other, others[alike]):
        alike += 1
    for index in drawn.sample(range(len(words)), min(4, len(words))):
        if index >= alike:
            row["words"] += 1
            continue
        mine, its = words[index], others[index]
        inside = drawn.random() < 0.3 and mine.end - mine.start > 1
        if (why := _difference(mine, its, inside)) is not None:
            row[why] += 1
            continue
        if inside and one[mine.start : mine.end] == other[its.start : its.end]:
            cut = drawn.randrange(1, mine.end - mine.start)
            ends = mine.start + cut, its.start + cut
        elif drawn.random() < 0.5 and mine.before[0].strip():
            ends = mine.after, its.after
        else:
            ends = mine.start, its.start
        if one[: ends[0]][-1:].isspace() != other[: ends[1]][-1:].isspace():
            ends = mine.after, its.after  # `x=` and `x =`: the blank is still to come
        first, second = one[: ends[0]], other[: ends[1]]
        if cache.comments and _comments_before(one, ends[0]) != _comments_before(other, ends[1]):
            row["comments"] += 1
            continue
        answer = _answer(one, first, dialect)
        if answer is None:
            continue
        question, again = (Question("complete", text, options=GREEDY, dialect=dialect) for text in (first, second))
        cache.before(question)
        cache.after(question, answer)
        given = cache.before(again)
        row["same"] += 1
        if given is None:
            row["missed"] += 1
            print("missed", repr((first[-60:], second[-60:], dialect)), flush=True)
            continue
        row["hits"] += 1
        row["right"] += _is_right(one, second, given.answer.text, dialect)


def _is_same(one: str, mine: Word, other: str, its: Word) -> bool:
    return mine.kind == its.kind and (mine.kind != tokenize.NAME or one[mine.start : mine.end] == other[its.start : its.end])


def _difference(mine: Word, its: Word, inside: bool) -> str | None:
    """Why a cut at a word is another one in another layout."""
    (last, brackets, depth), (its_last, its_brackets, its_depth) = mine.before, its.before
    if brackets != its_brackets:
        return "brackets"
    if depth != its_depth or (mine.open != its.open and not inside):
        return "blocks"
    return None if last == its_last else "last word"


def _answer(program: str, prompt: str, dialect: str) -> Answer | None:
    """The rest of a program, as a model of the dialect would write it."""
    rest = program[len(prompt) :]
    if dialect == "compact":
        return Answer(rest, rest, "end")
    begun = Prompt(prompt, dialect)
    whole = encode(program, dialect=dialect, verify=False)
    if not begun.converted or begun.rest.strip() or not whole.startswith(begun.sent):
        return None
    text = whole[len(begun.sent) :]
    python = _python(prompt, text, dialect)
    return Answer(text, python, "end") if _tree(prompt + python) == _tree(program) else None


def _python(prompt: str, text: str, dialect: str) -> str:
    from dualcode.conversion.completion import CompletionStream

    stream = CompletionStream(Prompt(prompt, dialect))
    return stream.feed(text) + stream.close()


def _is_right(program: str, prompt: str, text: str, dialect: str) -> bool:
    return _tree(prompt + _python(prompt, text, dialect)) == _tree(program)


def _chat(one: str, other: str, cache: Cache, row: Counter[str]) -> None:
    """A chat that shows the program."""
    ask = [
        Question("chat", messages=[{"role": "user", "content": f"Why?\n```python\n{text}\n```\nSay it."}], options=GREEDY)
        for text in (one.removesuffix("\n"), other.removesuffix("\n"))
    ]
    cache.before(ask[0])
    cache.after(ask[0], Answer("Because.", "Because.", "end"))
    given = cache.before(ask[1])
    row["same"] += 1
    row["hits"] += given is not None
    row["right"] += given is not None and given.answer.text == "Because."


def wrong_hits(programs: list[str], drawn: random.Random, count: int, minutes: float, progress: Path | None = None) -> dict[str, Any]:
    """Of pairs of prompts that differ in one place, how many share their key, and how many get a wrong answer."""
    programs = [program for program in programs if len(program) <= LONGEST and words_of(program)]
    words = {program: words_of(program) for program in programs}
    row: Counter[str] = Counter(programs=len(programs), pairs=0, shared=0, same_program=0, other_answers=0, wrong=0)
    kinds: Counter[str] = Counter()
    ends, written = time.monotonic() + 60 * minutes, 0
    cache = Cache(":memory:", size=1)
    while row["pairs"] < count and time.monotonic() < ends:
        if progress is not None and row["pairs"] >= written + 1000:
            progress.write_text(json.dumps({**row, "kinds": kinds}) + "\n", encoding="utf-8")
            written = row["pairs"]
        program = drawn.choice(programs)
        cut = drawn.choice(words[program]).start if drawn.random() < 0.7 else drawn.randrange(len(program))
        prompt = program[:cut]
        form = canonical(prompt).form
        for _ in range(8):
            kind, change = drawn.choice(tuple(MUTATIONS.items()))
            other = change(prompt, drawn)
            if other is None or other == prompt:
                continue
            row["pairs"] += 1
            kinds[kind] += 1
            if canonical(other).form == form:
                row["shared"] += 1
                _judge(cache, program, prompt, other, drawn, row)
    return {**row, "kinds": dict(kinds.most_common())}


def _judge(cache: Cache, program: str, prompt: str, other: str, drawn: random.Random, row: Counter[str]) -> None:
    """Whether two prompts with the same key are given wrong answers: the rest of the program, and others."""
    rest, tree = program[len(prompt) :], _tree(program)
    comments = _comments(program), _comments(other + rest)
    same = tree is not None and tree == _tree(other + rest) and (None in comments or comments[0] == comments[1])
    row["same_program"] += same
    given = _given(cache, prompt, other, rest, row)
    wrong = given is not None and (tree is None or _tree(other + given) != tree or (not same and _tree(other + rest) is not None))
    if wrong:
        row["wrong"] += 1
        print("wrong", repr((prompt[-80:], other[-80:])), flush=True)
    for answer in drawn.sample(ANSWERS, 2):
        row["other_answers"] += 1
        given = _given(cache, prompt, other, answer, row)
        if given is not None and _closed(prompt + answer) not in (None, _closed(other + given)):
            row["wrong"] += 1
            print("wrong", repr((prompt[-80:], other[-80:], answer)), flush=True)


def _given(cache: Cache, prompt: str, other: str, answer: str, row: Counter[str]) -> str | None:
    """What the second prompt is given, where only the first one was asked before."""
    tenant = f"{row['shared']} {row['other_answers']}"  # nothing else that the cache holds is for it
    question, again = (Question("complete", text, options=GREEDY, tenant=tenant) for text in (prompt, other))
    cache.before(question)
    cache.after(question, Answer(answer, answer, "end"))
    given = cache.before(again)
    return None if given is None else given.answer.text


def _closed(beginning: str) -> str | None:
    """The tree of a beginning of a program with as little as possible added; ``None`` if that does not parse."""
    try:
        return _tree(beginning + completion(beginning))
    except SimPyError:
        return None


def speed() -> dict[str, float]:
    """Seconds that looking takes."""
    text = (Path(sysconfig.get_path("stdlib")) / "argparse.py").read_text(encoding="utf-8")
    found = {}
    for name, length in (("small", 1_000), ("large", 50_000)):
        begin = text.index("\nclass ") + 1
        prompt = text[begin : text.rindex("\n", begin, begin + length) + 1]
        cache, times = Cache(":memory:"), []
        for _ in range(9):
            start = time.perf_counter()
            cache.before(Question("complete", prompt, options=GREEDY))
            times.append(time.perf_counter() - start)
        found[name] = sorted(times)[len(times) // 2]
    return found


def _programs(drawn: random.Random) -> Iterator[str]:
    """Small programs."""
    for path in sorted((ROOT / "tests" / "cases").glob("*.txt")):
        text = path.read_text(encoding="utf-8").partition("=== python\n")[2].partition("\n=== ")[0] + "\n"
        if _tree(text) is not None and "\r" not in text and text.strip():
            yield text
    paths = sorted(Path(sysconfig.get_path("stdlib")).glob("*.py"))
    drawn.shuffle(paths)
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
            body = ast.parse(text).body
        except (SyntaxError, ValueError):
            continue
        rows = text.splitlines(keepends=True)
        parts = [
            node for node in body if isinstance(node, ast.FunctionDef | ast.ClassDef) and 4 <= (node.end_lineno or 0) - node.lineno <= 40
        ]
        for node in drawn.sample(parts, min(3, len(parts))):
            program = textwrap.dedent("".join(rows[node.lineno - 1 : node.end_lineno]))
            if _tree(program) is not None:
                yield program if program.endswith("\n") else program + "\n"


def _tree(text: str) -> str | None:
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant):
            node.kind = None
    return ast.dump(tree)


def _comments(text: str) -> list[str] | None:
    try:
        return [
            token.string[1:].strip() for token in tokenize.generate_tokens(io.StringIO(text).readline) if token.type == tokenize.COMMENT
        ]
    except (tokenize.TokenError, SyntaxError):
        return None  # tokenize reads less than the parser does


def _comments_before(text: str, end: int) -> list[str]:
    """The comments that begin before an offset."""
    offsets = [0]
    for row in io.StringIO(text):
        offsets.append(offsets[-1] + len(row))
    tokens = tokenize.generate_tokens(io.StringIO(text).readline)
    return [
        token.string[1:].strip()
        for token in tokens
        if token.type == tokenize.COMMENT and offsets[token.start[0] - 1] + token.start[1] < end
    ]

"""Would idioms with holes save more? A study of what they add to learned runs of lexemes and aliases of names; nothing here is built.

    python benchmarks/idioms.py --vocab FOLDER --learn DIR... --packages DIR... --json FILE --write
    python benchmarks/idioms.py ... --only starcoder:dense     one vocabulary with one dialect; the others stay as they are in the JSON
    python benchmarks/idioms.py --json FILE --write            the page of earlier results

Idioms (``idiom_mining.py`` says what they are) are mined on the stream with 64 aliases of names, from ``--learn`` only, and measured
on ``--packages``. Every arm has the same budget: grammar tokens + aliases + runs + idioms. An arm with idioms gives up its weakest
runs for them: idioms are chosen one by one by what they save beside most of the runs, or beside few; the learning corpus is written
with them; runs are learned again on that text, so that they may hold idioms; idioms that then save less than the weakest run give
their places back to runs. An idiom is written wherever it can stand, so that a spelling needs no vocabulary. ``--write`` writes
docs/idioms.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import textwrap
import time
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.held_packages import collect  # noqa: E402  # the path must be set first
from benchmarks.idiom_mining import (  # noqa: E402  # as above
    Idiom,
    Instance,
    Places,
    Program,
    Savings,
    best_places,
    choose_idioms,
    frequent_idioms,
    instances,
    parts_apart,
    rewritten,
    trie_of,
)
from benchmarks.tokens import ROOT  # noqa: E402  # as above
from simpy_grammar.dialect import Dialect
from tokenizer_ext import load_tokenizer
from tokenizer_ext.costs import CostTable, ordinary_counts
from tokenizer_ext.learning.choosing import Choice, choose
from tokenizer_ext.learning.corpus import CorpusFile, common_words, package_groups
from tokenizer_ext.learning.passages import count_passages
from tokenizer_ext.learning.pieces import Piece
from tokenizer_ext.learning.segmenter import PassageSegmenter

ARMS = ("starcoder:dense", "cl100k_base:dense-newline", "cl100k_base:dense")
BARS = {"starcoder": 1.5, "cl100k_base": 1.0}  # points at DECIDING that would justify building idioms
ALIASES = 64
BUDGETS = (1024,)
DECIDING = 1024
SPLITS = (64, 128, 256)
BESIDE = (0.875, 0.25)  # the shares of the runs beside which idioms are chosen
CANDIDATES = 1000
NEEDED = (
    "Building them would need:",
    "",
    "- in a dialect, an ordered list of idioms, whose tokens come after the aliases so that ids stay;",
    "- in the speller, after aliases, a pass over the whole program that puts each idiom wherever it can stand, in the order of the list;",
    "- in the reader, a stack of open idioms: a token gives the lexemes of its fixed parts, and a hole is read until the next lexeme",
    "  cannot go on with its operand; a hole that comes again gives its lexemes again, which have no text of their own in source maps;",
    "- in masks and in unfinished code, the same stack; in `learn`, the mining of `benchmarks/idiom_mining.py`.",
)
Valued = list[tuple[Instance, int]]  # with what each saves
TAIL = 64  # the last runs of a budget, of which one sets what a token must save


class Learning:
    """The learning corpus and the measured programs in one dialect; what no vocabulary changes."""

    def __init__(self, dialect: Dialect, learn: list[CorpusFile], codes: list[str], least: int) -> None:
        self.dialect = dialect
        self.files = learn
        self.words = common_words(learn)
        groups = package_groups(learn)
        self.programs = [(Program(dialect, file.source, self.words), groups[file.package]) for file in learn]
        self.held = [Program(dialect, code, self.words) for code in codes]
        self.counts = frequent_idioms(self.programs, least)

    def runs(self, pieces: Sequence[list[Piece]], costs: CostTable, budget: int) -> Choice:
        """Runs learned on some spelling of the learning corpus."""
        by_source = {file.source: some for file, some in zip(self.files, pieces, strict=True)}
        return choose(count_passages(self.files, by_source.__getitem__, words=self.words), costs, budget)


class Study:
    """One vocabulary with one dialect at one budget."""

    def __init__(self, learning: Learning, costs: CostTable, budget: int, say: Any) -> None:
        self.learning = learning
        self.costs = costs
        self.say = say
        self.room = budget - len(learning.dialect.special_tokens)
        self.plain = learning.runs([program.pieces for program, _ in learning.programs], costs, self.room)
        self.tokens = self.cost([program.pieces for program in learning.held], _segmenter(costs, self.plain, self.room))
        self.without_tail = self.cost([program.pieces for program in learning.held], _segmenter(costs, self.plain, self.room - TAIL))
        say(f"{self.room} runs")

    @staticmethod
    def cost(programs: Sequence[list[Piece]], segmenter: PassageSegmenter) -> int:
        """The tokens of some programs."""
        return sum(segmenter.costs_of([("", *(text for _, text in pieces), "") for pieces in programs]))

    def idioms(self, most: int, beside: int) -> list[Idiom]:
        """The idioms that save most beside so many runs, the best first."""
        segmenter = _segmenter(self.costs, self.plain, beside)
        counts = self.learning.counts
        gains = {idiom: counts[idiom] * self._gain(idiom, segmenter) for idiom in counts}
        least = self._least()
        ranked = [idiom for idiom in sorted(gains, key=lambda idiom: (-gains[idiom], idiom))[:CANDIDATES] if gains[idiom] >= least]
        trie, savings = trie_of(ranked), Savings(segmenter, {})
        found: list[list[tuple[Instance, int]]] = []
        for program, _ in self.learning.programs:
            some = list(instances(program, trie))
            found.append(list(zip(some, savings.of(program, some), strict=True)))
        chosen = choose_idioms(self.learning.programs, found, most)
        self.say(f"{len(chosen)} idioms of {len(ranked)} and {len(counts)} beside {beside} runs")
        return chosen

    def _least(self) -> int:
        """What the weakest run saves on the learning corpus."""
        return max(self.plain.saved[-1] - self.plain.saved[-2], 1) if len(self.plain.saved) > 1 else 1

    @staticmethod
    def _gain(idiom: Idiom, segmenter: PassageSegmenter) -> int:
        """What an instance saves, if nothing beside it matters: its fixed parts and the holes that come again, less one token."""
        fixed, again = parts_apart(idiom)
        return sum(segmenter.costs_of([("", *parts, "") for parts in fixed])) + again - 1

    def split(self, idioms: Sequence[Idiom]) -> dict[str, Any]:
        """Some idioms in place of the weakest runs: what they save, and which stay."""
        learning = self.learning
        tokens = {idiom: f"<i{number}>" for number, idiom in enumerate(idioms)}
        before = _segmenter(self.costs, self.plain, self.room - len(idioms))
        programs = [program for program, _ in learning.programs]
        places, _ = self._places(self._found(programs, tokens, before))
        pieces = [rewritten(program, some, tokens) for program, some in zip(programs, places, strict=True)]
        choice = learning.runs(pieces, self.costs, self.room - len(idioms) // 2)
        segmenter = _segmenter(self.costs, choice, self.room - len(idioms))
        places, worth = self._places(self._found(programs, tokens, segmenter))
        used: Counter[Idiom] = Counter()
        for some in places:
            for instance, saved in some.saved.items():
                used[instance.idiom] += saved
        least = self._least()
        kept = sorted((idiom for idiom in idioms if used[idiom] >= least), key=lambda idiom: -used[idiom])
        names = {idiom: tokens[idiom] for idiom in kept}
        segmenter = _segmenter(self.costs, choice, self.room - len(kept))
        found = self._found(learning.held, names, segmenter)
        now = self._held(self._places(found, worth)[0], names, segmenter)
        freely = self._held([best_places(some) for some in found], names, segmenter)
        self.say(f"{len(idioms)} idioms, {len(kept)} kept: {self.tokens - now} tokens fewer, {self.tokens - freely} where each saves")
        runs = min(len(choice.tokens), self.room - len(kept))
        return {"tokens": now, "freely": freely, "names": names, "worth": worth, "found": found, "runs": runs}

    def _held(self, places: Sequence[Places], names: dict[Idiom, str], segmenter: PassageSegmenter) -> int:
        """The tokens of the measured programs with idioms in some places."""
        return self.cost([rewritten(program, some, names) for program, some in zip(self.learning.held, places, strict=True)], segmenter)

    @staticmethod
    def _found(programs: Sequence[Program], tokens: dict[Idiom, str], segmenter: PassageSegmenter) -> list[Valued]:
        """The instances of each program, and what each saves by itself."""
        trie, savings = trie_of(tokens), Savings(segmenter, tokens)
        found: list[Valued] = []
        for program in programs:
            some = list(instances(program, trie))
            found.append(list(zip(some, savings.of(program, some), strict=True)))
        return found

    @staticmethod
    def _places(found: Sequence[Valued], worth: dict[Idiom, float] | None = None) -> tuple[list[Places], dict[Idiom, float]]:
        """Where idioms are written, by what each is worth: the mean of what its instances save, here if it is not given."""
        if worth is None:
            saved: Counter[Idiom] = Counter()
            number: Counter[Idiom] = Counter()
            for some in found:
                for instance, value in some:
                    saved[instance.idiom] += value
                    number[instance.idiom] += 1
            worth = {idiom: saved[idiom] / number[idiom] for idiom in number}
        return [best_places(some, worth) for some in found], worth

    @staticmethod
    def dropping(split: dict[str, Any]) -> dict[Idiom, int]:
        """How many tokens more the measured programs take without each idiom."""
        more: Counter[Idiom] = Counter(dict.fromkeys(split["names"], 0))
        for found in split["found"]:
            places = best_places(found, split["worth"])
            total = sum(places.saved.values())
            for idiom in {instance.idiom for instance in places.saved}:
                rest = best_places([pair for pair in found if pair[0].idiom != idiom], split["worth"])
                more[idiom] += total - sum(rest.saved.values())
        return dict(more)


def _segmenter(costs: CostTable, choice: Choice, count: int) -> PassageSegmenter:
    segmenter = PassageSegmenter(costs)
    for lexemes in choice.lexemes[: max(count, 0)]:
        segmenter.add(lexemes)
    return segmenter


def study(
    tokenizer: Any, learning: Learning, codes: list[str], budgets: Sequence[int], shares: Sequence[float], say: Any
) -> dict[str, Any]:
    """Tokens of Python, of runs alone and of each split, at each budget."""
    costs = CostTable(ordinary_counts(tokenizer), (*learning.dialect.special_tokens, *(f"<i{number}>" for number in range(max(SPLITS)))))
    result: dict[str, Any] = {"python": sum(costs.total(codes)), "grammar": len(learning.dialect.special_tokens) - ALIASES, "budgets": {}}
    result["none"] = Study.cost([program.pieces for program in learning.held], PassageSegmenter(costs))
    for budget in budgets:
        work = Study(learning, costs, budget, say)
        rows = []
        best: dict[str, Any] = {}
        tries = [(beside, work.idioms(max(SPLITS), beside)) for beside in (round(work.room * share) for share in shares)]
        for beside, size, idioms in [(n, size, some) for n, some in tries for size in sorted({min(m, len(some)) for m in SPLITS})]:
            if size >= work.room:
                continue
            split = work.split(idioms[:size])
            rows.append(
                {
                    "beside": beside,
                    "idioms": size,
                    "kept": len(split["names"]),
                    **{name: split[name] for name in ("runs", "tokens", "freely")},
                }
            )
            best = split if not best or split["tokens"] < best["tokens"] else best
        dropped = work.dropping(best)
        worth = (work.without_tail - work.tokens) / TAIL
        result["budgets"][str(budget)] = {
            "runs": len(work.plain.tokens),
            "tokens": work.tokens,
            "splits": rows,
            "worth": worth,
            "covered": sum(more < worth for more in dropped.values()),
            "chosen": len(dropped),
            "best": [["".join(idiom), dropped[idiom]] for idiom in sorted(dropped, key=lambda idiom: (-dropped[idiom], idiom))[:20]],
        }
        say(f"{budget}: {worth:.1f} a run, {result['budgets'][str(budget)]['covered']} of {len(dropped)} idioms are worth less")
    return result


def points(data: dict[str, Any], arm: str, budget: int) -> tuple[float, dict[str, Any]]:
    """What idioms add at a budget, in percent of Python's tokens, and the split with which they add most."""
    result = data["arms"][arm]
    row = result["budgets"][str(budget)]
    best = min(row["splits"], key=lambda split: split["tokens"])
    return 100 * (row["tokens"] - best["tokens"]) / result["python"], best


def verdict(data: dict[str, Any]) -> list[str]:
    """Whether the bar is met, in words."""
    gains: dict[str, float] = {}
    for arm in data["arms"]:
        vocabulary = arm.partition(":")[0]
        gains[vocabulary] = max(gains.get(vocabulary, 0.0), points(data, arm, DECIDING)[0])
    said = [f"{gain:.1f} points on {vocabulary} (bar: {BARS[vocabulary]:g})" for vocabulary, gain in gains.items() if vocabulary in BARS]
    met = any(gain >= BARS[vocabulary] for vocabulary, gain in gains.items() if vocabulary in BARS)
    lines = [f"To runs with parts of names and of aliases, idioms add {' and '.join(said)}."]
    if met:
        return [*lines, "The bar is met: idioms are worth building. They are not built yet.", "", *NEEDED]
    return [*lines, "The bar is not met, so idioms are not built."]


def page(data: dict[str, Any]) -> str:
    """docs/idioms.md."""
    lines = [
        "# Idioms with holes",
        "",
        "An idiom is a token for a sequence of lexemes with holes, such as `self.□1=□1;`. It would be written as the token and its holes,",
        "each once: `<i0>x` for `self.x=x;`. A hole □ takes a name, a literal, or any other operand; a hole ◇ takes one that",
        "begins with an alias. A hole ends where what follows cannot go on with it; where it could, the idiom is not written.",
        f"The rule was to build them if, at {DECIDING:,} tokens in all, they add at least {BARS['starcoder']:g} points on StarCoder"
        f" or {BARS['cl100k_base']:g} on cl100k.",
        "",
        *verdict(data),
        "",
        "## What was measured",
        "",
        "Written by `benchmarks/idioms.py`, which says how. Percent of Python's tokens (`ast.unparse`) that are saved, code only.",
        f"Every arm has the same budget of new tokens: grammar tokens, {ALIASES} aliases of names, runs, and idioms. Idioms are chosen",
        "beside most of the runs, or beside few, and runs are learned again with them. *Kept* idioms save at least as much as the",
        "weakest run on the learning corpus; the others gave their places back to runs.",
        "An idiom is written wherever it can stand, the one that is worth most first. *Where it saves* is what choosing each place by the",
        "vocabulary would give; then the text of a program would depend on the vocabulary, so it does not count for the rule.",
        *textwrap.wrap(f"Mined and learned on {data['sizes'][0]:.1f} MB of {', '.join(data['learned_on'])}.", 140),
        f"Measured on {data['sizes'][1]:.2f} MB of {', '.join(data['measured_on'])}, from which nothing was learned.",
        "",
        "| vocabulary | dialect | budget | chosen beside | idioms tried | kept | runs | saved | idioms add | where it saves |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for arm, result in data["arms"].items():
        vocabulary, dialect = arm.split(":")
        python = result["python"]
        for budget, row in result["budgets"].items():
            start = f"| {vocabulary} | {dialect} | {int(budget):,} | "
            lines.append(f"{start}| 0 | 0 | {row['runs']} | {100 - 100 * row['tokens'] / python:.1f} | | |")
            for split in row["splits"]:
                added, freely = (100 * (row["tokens"] - split[name]) / python for name in ("tokens", "freely"))
                saved = 100 - 100 * split["tokens"] / python
                cells = [
                    f"{split['beside']} runs",
                    split["idioms"],
                    split["kept"],
                    split["runs"],
                    *map("{:.1f}".format, (saved, added, freely)),
                ]
                lines.append(start + " | ".join(map(str, cells)) + " |")
    lines += ["", "## How many idioms are needed", ""]
    lines += [
        "An idiom is *covered* by other idioms and by runs if leaving it out costs the measured code fewer tokens than one of the last"
    ]
    lines += [f"{TAIL} runs saves there. Of the split that saves most:", ""]
    lines += ["| vocabulary | dialect | budget | idioms | covered | a run saves |"]
    lines += ["|---|---|---:|---:|---:|---:|"]
    for arm, result in data["arms"].items():
        vocabulary, dialect = arm.split(":")
        for budget, row in result["budgets"].items():
            lines.append(f"| {vocabulary} | {dialect} | {int(budget):,} | {row['chosen']} | {row['covered']} | {row['worth']:.1f} tokens |")
    lines += [""]
    for arm, result in data["arms"].items():
        vocabulary, dialect = arm.split(":")
        row = result["budgets"][str(DECIDING)]
        lines += [f"The idioms that are missed most at {DECIDING:,}, {vocabulary}, {dialect}, with the tokens that leaving each out costs:"]
        lines += ["", "```", *(f"{more:5} {idiom!r}" for idiom, more in row["best"]), "```", ""]
    return "\n".join(lines[:-1]) + "\n"


def main() -> int:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vocab", type=Path, metavar="FOLDER")
    parser.add_argument("--only", nargs="+", default=ARMS, metavar="VOCABULARY:DIALECT", help=f"what to measure (default {' '.join(ARMS)})")
    parser.add_argument("--budgets", nargs="+", type=int, default=BUDGETS, metavar="N")
    parser.add_argument("--beside", nargs="+", type=float, default=BESIDE, metavar="SHARE", help="of the runs (default 0.875 0.25)")
    parser.add_argument("--learn", nargs="+", type=Path, metavar="DIR", help="packages to learn on")
    parser.add_argument("--packages", nargs="+", type=Path, metavar="DIR", help="packages to measure on")
    parser.add_argument("--learn-mb", type=float, default=0.7, help="code to learn on, in all (default 0.7)")
    parser.add_argument("--measure-mb", type=float, default=0.3, help="code to measure on, in all (default 0.3)")
    parser.add_argument("--json", type=Path, required=True, metavar="FILE", help="read earlier results from here, and write all to it")
    parser.add_argument("--write", action="store_true", help="write docs/idioms.md")
    args = parser.parse_args()
    warnings.simplefilter("ignore")  # escapes in other people's code
    sys.setrecursionlimit(20_000)
    data = _measure(args) if args.vocab else json.loads(args.json.read_text(encoding="utf-8"))
    text = page(data)
    if args.write:
        (ROOT / "docs" / "idioms.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def _measure(args: argparse.Namespace) -> dict[str, Any]:
    started = time.process_time()

    def say(text: str) -> None:
        print(f"{time.process_time() - started:6.0f} s  {text}", file=sys.stderr, flush=True)

    learn, codes, data = collect(args)
    least = max(4, round(args.learn_mb * 10))  # instances that an idiom must have
    learned: dict[str, Learning] = {}
    for arm in args.only:
        vocabulary, _, dialect = arm.partition(":")
        if dialect not in learned:
            learned = {dialect: Learning(Dialect.load(f"{dialect}-aliases-{ALIASES}"), learn, codes, least)}
        say(f"{arm}: {len(learned[dialect].counts)} idioms come often")
        folder = args.vocab / vocabulary
        tokenizer = load_tokenizer(str(folder) if folder.is_dir() else vocabulary)
        data["arms"][arm] = study(tokenizer, learned[dialect], codes, args.budgets, args.beside, say)
        args.json.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return data


if __name__ == "__main__":
    raise SystemExit(main())

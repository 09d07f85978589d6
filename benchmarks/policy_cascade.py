"""The policy ``cascade`` on completions of held-out code: a part of ``policies.py``, over a file that ``policy_completions.py`` writes.

The small model is the one that ``policy_completions.py`` trains, the large one SmolLM2-135M-Instruct. The prompts are cut in two halves.
The threshold is chosen on one half, as ``simpy policy fit`` does, and what it does is counted on the other; then the other way round;
both counts are added up. Every answer is judged in three ways, and a threshold is chosen for each: the program has the same tree as with
the true rest of the block (``tree``); its first line is the true one (``line``); prompt and answer parse, whatever they say (``parses``).
How alike an answer and the true text are, letter by letter, is the ratio of ``difflib``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

from dualcode.policies.cascade import fault
from dualcode.policies.cascade_fitting import Case, fit
from dualcode.policies.intervals import wilson
from dualcode.policies.protocol import Answer, Question

SMALL, LARGE = "small", "smollm2"
Prompt = dict[str, Any]


def options(parser: argparse.ArgumentParser) -> None:
    """The options of this part."""
    parser.add_argument(
        "--cascade-completions", type=Path, default=Path("completions.json"), metavar="FILE", help="by policy_completions.py"
    )


def first_line(text: str) -> str:
    """The first line of an answer, without blanks around it."""
    return text.strip().partition("\n")[0].strip()


JUDGES: dict[str, Callable[[Prompt, dict[str, Any]], bool]] = {
    "tree": lambda prompt, answer: bool(answer["same"]),
    "line": lambda prompt, answer: first_line(answer["text"]) == first_line(prompt["truth"]),
    "parses": lambda prompt, answer: bool(answer["parses"]),
}


@dataclass
class Count:
    """What one way of answering gave."""

    questions: int = 0
    right: int = 0
    alike: float = 0.0
    asked_large: float = 0.0
    tokens: float = 0.0
    seconds: float = 0.0

    def add(self, prompt: Prompt, name: str, judge: str, asked: tuple[str, ...]) -> None:
        """Count an answer of one model, where these were asked."""
        answers = prompt["answers"]
        self.questions += 1
        self.right += JUDGES[judge](prompt, answers[name])
        self.alike += SequenceMatcher(None, answers[name]["text"].strip(), prompt["truth"].strip(), autojunk=False).ratio()
        self.asked_large += LARGE in asked
        self.tokens += sum(answers[one]["tokens"] for one in asked)
        self.seconds += sum(answers[one]["seconds"] for one in asked)

    def figures(self) -> dict[str, Any]:
        """Shares and means."""
        return {
            "right": self.right,
            "share": round(self.right / self.questions, 4),
            "interval": [round(bound, 4) for bound in wilson(self.right, self.questions)],
            "alike": round(self.alike / self.questions, 3),
            "large": round(self.asked_large / self.questions, 4),
            "tokens": round(self.tokens / self.questions, 1),
            "seconds": round(self.seconds / self.questions, 3),
        }


def sure(prompt: Prompt) -> float:
    """How sure the small model was of its answer; minus infinity where that will not do anyway."""
    given = prompt["answers"][SMALL]
    answer = Answer("", given["text"], given["stopped"], notes=given["notes"])
    return float("-inf") if fault(Question("complete", prompt["prefix"]), answer) else float(given["logprob"])


def judged(prompts: list[Prompt], judge: str) -> dict[str, Any]:
    """What each way of answering gives by one judge."""
    counts = {name: Count() for name in ("small", "large", "cascade", "faults")}
    halves = prompts[::2], prompts[1::2]
    thresholds = []
    for fitting, measuring in (halves, halves[::-1]):
        right = JUDGES[judge]
        cases = [Case(sure(one), *(right(one, one["answers"][name]) for name in (SMALL, LARGE))) for one in fitting]
        threshold = fit(cases).threshold
        thresholds.append(round(threshold, 4))
        for prompt in measuring:
            counts["small"].add(prompt, SMALL, judge, (SMALL,))
            counts["large"].add(prompt, LARGE, judge, (LARGE,))
            for name, least in (("cascade", threshold), ("faults", float("-inf"))):
                is_faulty = sure(prompt) == float("-inf")
                to_large = is_faulty or sure(prompt) < least
                counts[name].add(prompt, LARGE if to_large else SMALL, judge, (SMALL, LARGE) if to_large else (SMALL,))
    found: dict[str, Any] = {name: count.figures() for name, count in counts.items()}
    share, small, large = counts["cascade"].asked_large / len(prompts), found["small"]["share"], found["large"]["share"]
    found |= {
        "thresholds": thresholds,
        "by_chance": round(share * large + (1 - share) * small, 4),
        "holds": found["cascade"]["share"] >= found["large"]["interval"][0],
    }
    return found


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All figures.

    Raises:
        SystemExit: the completions have not been made yet.
    """
    if not args.cascade_completions.exists():
        raise SystemExit(f"{args.cascade_completions} is not there: make it with benchmarks/policy_completions.py")
    data = json.loads(args.cascade_completions.read_text(encoding="utf-8"))
    prompts = [prompt for prompt in data["prompts"] if {SMALL, LARGE} <= set(prompt["answers"])]
    return {"prompts": len(prompts), "limit": data["limit"], "judges": {judge: judged(prompts, judge) for judge in JUDGES}}


LABELS = {
    "small": "small model alone",
    "large": "large model alone",
    "faults": "cascade without a threshold",
    "cascade": "cascade, threshold from the other half",
}
TITLES = {"tree": "same tree as the true text", "line": "first line as in the true text", "parses": "prompt and answer parse"}


def rendered(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    lines = [
        f'{figures["prompts"]} beginnings of held-out functions, at most {figures["limit"]} tokens an answer, `until="block"`, no '
        "sampling. Small: the model that `benchmarks/policy_completions.py` trains, large: SmolLM2-135M-Instruct. Intervals are Wilson's, "
        "at 95 %; *alike* is how alike answer and true text are, by letters; seconds are processor time for a question, on one thread.",
        "",
    ]
    for judge, found in figures["judges"].items():
        lines += [
            f"| right: {TITLES[judge]} | right | interval | alike | large calls | tokens | seconds |",
            "|---|--:|--:|--:|--:|--:|--:|",
        ]
        for name, label in LABELS.items():
            row = found[name]
            low, high = (100 * bound for bound in row["interval"])
            lines.append(
                f"| {label} | {100 * row['share']:.1f} % | {low:.1f} to {high:.1f} % | {row['alike']:.2f} | {100 * row['large']:.0f} % | "
                f"{row['tokens']:.1f} | {row['seconds']:.2f} |"
            )
        thresholds = " and ".join(f"{number:.2f}" for number in found["thresholds"])
        holds = "not below" if found["holds"] else "**below**"
        lines += [
            "",
            f"Thresholds {thresholds} nats. The cascade is {holds} the interval of the large model; as many large calls, made by chance, "
            f"would give {100 * found['by_chance']:.1f} %.",
            "",
        ]
    return "\n".join(lines[:-1]) + "\n"

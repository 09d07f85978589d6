"""``simpy eval``: how good a model is, and what it costs. Here are the options; ``simpy_cli.evaluation`` does the work."""

from __future__ import annotations

import argparse

from simpy_cli.numbers import decimal, share, whole
from simpy_cli.options import add_dialect, add_jobs, add_search, add_verbosity, command_parser
from simpy_cli.registry import Subparsers

_MOST_TOKENS, _SAMPLES, _TEMPERATURE, _TOP_P = 256, 1, 0.0, 1.0
# The options of run alone, with their defaults.
_FOR_RUN = {
    **dict.fromkeys(("programs", "functions", "problems", "sample", "column", "split", "config", "context", "device", "mask", "watts")),
    **{"end": False, "max_tokens": _MOST_TOKENS, "samples": _SAMPLES, "temperature": _TEMPERATURE, "top_p": _TOP_P},
}
_ACTIONS = ("run", "compare", "check")
# The masks of ``simpy_eval.models``, which takes long to import; a test compares the two.
_MASKS = ("free", "grammar", "valid")


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "eval",
        description="Evaluate a language model that reads and writes a dialect. On programs: nats per program, and bits per byte of the "
        "Python. On functions: how many it completes to the same syntax tree. On problems with tests: pass@k. Each answer runs in a "
        "process of its own; docs/evaluation.md says what this protects from.\n\nrun evaluates a model, compare compares two reports on "
        "the same inputs, check runs the solutions of files of problems.",
        usage="simpy eval run MODEL [--programs PATH...] [--functions PATH...] [--problems FILE...] [options]\n       "
        "simpy eval compare FIRST.json SECOND.json [options]\n       simpy eval check FILE... [options]",
        shown=(
            ("simpy eval run ./model --dialect dense --programs held-out -o dense.json", "nats of the programs below a folder"),
            ("simpy eval run ./model --functions src --mask free --mask grammar", "functions, without and with masks"),
            ("simpy eval run ./model --problems human-eval.jsonl.gz --samples 20 --temperature 0.8 --k 1 --k 10", "pass@k"),
            ("simpy eval compare python.json dense.json", "the differences, with intervals"),
            ("simpy eval check human-eval.jsonl.gz -j 0", "whether the solutions pass here"),
        ),
    )
    parser.add_argument("action", choices=_ACTIONS, help="what to do")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="run: a folder of a model; compare: two reports; check: problems")
    add_dialect(parser, "--dialect", default="compact", python=True, auto=False, help="what the model reads and writes")
    group = parser.add_argument_group("run")
    what = "programs: files, folders and data sets, as simpy corpus reads them"
    group.add_argument("--programs", nargs="+", action="extend", metavar="PATH", help=f"count the nats of {what}")
    group.add_argument("--functions", nargs="+", action="extend", metavar="PATH", help=f"complete the functions of {what}")
    what = "solve problems: JSON lines as HumanEval or MBPP have them"
    group.add_argument("--problems", nargs="+", action="extend", metavar="FILE", help=what)
    group.add_argument(
        "--sample", type=whole(least=1), metavar="N", help="take N of the programs, and N of the functions, drawn by the seed"
    )
    group.add_argument("--column", metavar="NAME", help="the column of the programs in data sets")
    group.add_argument("--split", metavar="NAME", help="the split of a data set that has several (default train)")
    group.add_argument("--config", metavar="NAME", help="the configuration of a data set of a hub")
    group.add_argument(
        "--context", type=whole(least=1), metavar="N", help="count nats with N ids of context (default: the model's, 2048 at most)"
    )
    group.add_argument("--end", action="store_true", help="count the nats of the end of each program too")
    group.add_argument("--device", metavar="NAME", help="where the model runs, such as cuda or cuda:1 (default: the processor)")
    what = "what holds answers: free (nothing), grammar (programs that end in time), valid (and the rules of Python); may be given again"
    group.add_argument("--mask", action="append", choices=_MASKS, help=what)
    group.add_argument(
        "--max-tokens", type=whole(least=1), default=_MOST_TOKENS, metavar="N", help="tokens of an answer at most (default 256)"
    )
    group.add_argument("--samples", type=whole(least=1), default=_SAMPLES, metavar="N", help="answers to each problem (default 1)")
    group.add_argument(
        "--k",
        type=whole(least=1),
        action="append",
        metavar="K",
        help="a k of pass@k; may be given again (default 1; compare: 1, 5, 10 and 100)",
    )
    what = "how freely answers to problems are drawn (default 0: the likeliest token at each step)"
    group.add_argument("--temperature", type=decimal(), default=_TEMPERATURE, metavar="T", help=what)
    group.add_argument(
        "--top-p", type=share(), default=_TOP_P, metavar="P", help="draw from the likeliest tokens of this share (default 1)"
    )
    group.add_argument("--watts", type=decimal(), metavar="W", help="the power to assume if no library measures energy")
    group = parser.add_argument_group("running answers")
    group.add_argument("--seconds", type=decimal("seconds", above=0), default=10.0, metavar="S", help="time for one answer (default 10)")
    group.add_argument("--memory", type=whole(least=1), default=1024, metavar="MB", help="memory for one answer (default 1024)")
    add_jobs(parser)
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", metavar="FILE", help="write the report, or the comparison, as JSON")
    group.add_argument("--chart", metavar="FILE", help="draw it into a .png or .svg file (needs matplotlib)")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="the seed of samples, answers and intervals (default 0)")
    add_search(parser)
    add_verbosity(parser)


def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    from simpy_cli import evaluation
    from simpy_cli.commands.tokens import check_chart
    from simpy_grammar.errors import SimPyError

    given = [name for name, default in _FOR_RUN.items() if getattr(args, name) != default] if args.action != "run" else []
    given += [name for name in ("output", "chart", "k") if getattr(args, name)] if args.action == "check" else []
    if given:
        raise SimPyError(f"{args.action} takes no --{given[0].replace('_', '-')}", path=evaluation.COMMAND, hint=evaluation.HELP)
    if args.output is not None:
        evaluation.check_output(args.output)
    if args.chart is not None:
        check_chart(args.chart)
    work = {"run": evaluation.evaluate_model, "compare": evaluation.compare_reports, "check": evaluation.check_problems}
    return work[args.action](args)

"""``simpy eval``: how good a model is, and what it costs. The options and what is printed; the work is in ``simpy_eval``."""

from __future__ import annotations

import argparse

from simpy_cli.corpus import ProgramFiles
from simpy_cli.options import add_dialect, add_jobs, add_search, add_verbosity, command_parser
from simpy_cli.registry import Subparsers

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from simpy_cli.report import Report
    from simpy_eval.charts import Bar
    from simpy_eval.evaluating import Plan
    from simpy_eval.programs import Program, Refused
    from simpy_eval.sandbox import RunLimits
    from simpy_grammar.dialect import Dialect
    from simpy_grammar.errors import SimPyError

_COMMAND = "simpy eval"
_FOR_RUN = ("programs", "functions", "problems", "sample", "column", "split", "config", "context", "end", "device", "mask", "k", "watts")
# The names that ``simpy_eval`` has, which takes long to import; a test compares them.
_MASKS = ("free", "grammar", "valid")


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "eval",
        description="Evaluate a language model that reads and writes a dialect. On programs: nats for each, and bits for each byte of the "
        "Python. On functions: how many it completes to the same syntax tree. On problems with tests: pass@k. Answers are run in processes "
        "of their own; docs/evaluation.md says what these are held from.\n\nrun evaluates a model, compare compares two reports on the "
        "same inputs, check runs the solutions of files of problems.",
        usage="simpy eval run MODEL [--programs PATH...] [--functions PATH...] [--problems FILE...] [options]\n       "
        "simpy eval compare FIRST.json SECOND.json [options]\n       simpy eval check FILE... [options]",
        shown=(
            ("simpy eval run ./model --dialect dense --programs held-out -o dense.json", "nats of the programs below a folder"),
            ("simpy eval run ./model --functions src --mask free --mask grammar", "functions, without and with masks"),
            ("simpy eval run ./model --problems human-eval.jsonl.gz --samples 20 --temperature 0.8 --k 1 --k 10", "pass@k"),
            ("simpy eval compare python.json dense.json", "the differences, with intervals"),
            ("simpy eval check human-eval.jsonl.gz -j 0", "do the solutions pass here?"),
        ),
    )
    parser.add_argument("action", choices=tuple(_ACTIONS), help="what to do")
    parser.add_argument("paths", nargs="+", metavar="PATH", help="run: a folder of a model; compare: two reports; check: problems")
    add_dialect(parser, "--dialect", default="compact", python=True, auto=False, help="what the model reads and writes")
    group = parser.add_argument_group("run")
    what = "programs: files, folders and data sets, as simpy corpus reads them"
    group.add_argument("--programs", nargs="+", action="extend", metavar="PATH", help=f"count the nats of {what}")
    group.add_argument("--functions", nargs="+", action="extend", metavar="PATH", help=f"complete the functions of {what}")
    what = "solve problems: JSON lines as HumanEval or MBPP have them"
    group.add_argument("--problems", nargs="+", action="extend", metavar="FILE", help=what)
    group.add_argument("--sample", type=_number, metavar="N", help="take N of the programs, and N of the functions, drawn by the seed")
    group.add_argument("--column", metavar="NAME", help="the column of the programs in data sets")
    group.add_argument("--split", metavar="NAME", help="the split of a data set that has several (default train)")
    group.add_argument("--config", metavar="NAME", help="the configuration of a data set of a hub")
    group.add_argument("--context", type=_number, metavar="N", help="count nats with N ids of context (default: the model's, 2048 at most)")
    group.add_argument("--end", action="store_true", help="count the nats of the end of each program too")
    group.add_argument("--device", metavar="NAME", help="where the model runs, such as cuda or cuda:1 (default: the processor)")
    what = "how answers are held: free, grammar (to programs that end in time), valid (also to the rules of Python); may be given again"
    group.add_argument("--mask", action="append", choices=_MASKS, help=what)
    group.add_argument("--max-tokens", type=_number, default=256, metavar="N", help="tokens of an answer at most (default 256)")
    group.add_argument("--samples", type=_number, default=1, metavar="N", help="answers to each problem (default 1)")
    group.add_argument("--k", type=_number, action="append", metavar="K", help="a k of pass@k; may be given again (default 1)")
    group.add_argument("--temperature", type=_positive, default=0.0, metavar="T", help="how freely answers are drawn (default 0)")
    group.add_argument("--top-p", type=_share, default=1.0, metavar="P", help="draw from the likeliest tokens with this share (default 1)")
    group.add_argument("--watts", type=_positive, metavar="W", help="the power to assume if no library measures energy")
    group = parser.add_argument_group("running answers")
    group.add_argument("--seconds", type=_positive, default=10.0, metavar="S", help="time for one answer (default 10)")
    group.add_argument("--memory", type=_number, default=1024, metavar="MB", help="memory for one answer (default 1024)")
    add_jobs(parser)
    group = parser.add_argument_group("output")
    group.add_argument("-o", "--output", metavar="FILE", help="write the report, or the comparison, as JSON")
    group.add_argument("--chart", metavar="FILE", help="draw it into a .png or .svg file (needs matplotlib)")
    group.add_argument("--seed", type=int, default=0, metavar="N", help="of samples, answers and intervals (default 0)")
    add_search(parser)
    add_verbosity(parser)


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1")
    return int(text)


def _positive(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < 1e6:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0")
    return found


def _share(text: str) -> float:
    found = _positive(text)
    if not 0 < found <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share between 0 and 1")
    return found


def run(args: argparse.Namespace) -> int:
    """Do what was asked for."""
    from simpy_cli.commands.tokens import check_chart
    from simpy_grammar.errors import SimPyError

    given = [name for name in _FOR_RUN if getattr(args, name)] if args.action != "run" else []
    given += [name for name in ("output", "chart") if getattr(args, name)] if args.action == "check" else []
    if given:
        raise SimPyError(f"{args.action} takes no --{given[0]}", path=_COMMAND, hint=f"see `{_COMMAND} --help`")
    if args.output is not None:
        _check_output(args.output)
    if args.chart is not None:
        check_chart(args.chart)
    return _ACTIONS[args.action](args)


def _evaluate(args: argparse.Namespace) -> int:
    """``simpy eval run``: everything that can be wrong is found before the model is loaded."""
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.main import DONE, FAILED
    from simpy_cli.report import Report
    from simpy_eval.charts import bars_of_report
    from simpy_eval.markdown import report_as_markdown
    from simpy_eval.models import EvaluatedModel, check_folder
    from simpy_eval.problems import read_problems

    plan = _plan(args)
    (folder,) = args.paths
    check_folder(folder)
    dialect = load_dialect(args.dialect)
    problems = read_problems(args.problems) if args.problems else None
    errors: list[SimPyError] = []
    programs = _programs(args, args.programs, dialect, errors)
    functions = _programs(args, args.functions, dialect, errors, sample=False)
    report = Report(quiet=args.quiet, verbose=args.verbose)
    for error in errors:
        report.error(error)
    from simpy_eval.evaluating import evaluate

    report.detail(f"loading {folder}")
    model = EvaluatedModel.open(folder, dialect=dialect, device=args.device)
    found = evaluate(
        model,
        plan,
        programs=programs,
        functions=None if functions is None else functions[0],
        problems=problems,
        watts=args.watts,
        progress=report.detail,
    )
    _write(args, report, report_as_markdown(found), found, bars_of_report(found), f"{folder}, {dialect.name}")
    return FAILED if errors else DONE


def _plan(args: argparse.Namespace) -> Plan:
    """What the options ask for.

    Raises:
        SimPyError: they contradict each other.
    """
    from simpy_eval.answers import Sampling
    from simpy_eval.evaluating import Plan
    from simpy_grammar.errors import SimPyError

    ks = tuple(sorted(set(args.k or (1,))))
    problem = ""
    if len(args.paths) != 1:
        problem = f"run takes the folder of one model, not {len(args.paths)} paths"
    elif not (args.programs or args.functions or args.problems):
        problem = "nothing says what to evaluate on: --programs, --functions or --problems"
    elif ks[-1] > args.samples:
        problem = f"pass@{ks[-1]} needs --samples {ks[-1]} or more"
    elif args.samples > 1 and not args.temperature:
        problem = "several answers to a problem need a --temperature, or all are the same"
    if problem:
        raise SimPyError(problem, path=_COMMAND, hint=f"see `{_COMMAND} --help`")
    return Plan(
        sampling=Sampling(args.max_tokens, args.temperature, args.top_p, args.seed),
        masks=tuple(dict.fromkeys(args.mask or ("free",))),
        samples=args.samples,
        ks=ks,
        context=args.context,
        scores_end=args.end,
        most_functions=args.sample,
        limits=_limits(args),
        jobs=args.jobs,
    )


def _limits(args: argparse.Namespace) -> RunLimits:
    from simpy_eval.sandbox import RunLimits

    return RunLimits(seconds=args.seconds, memory=args.memory << 20)


def _programs(
    args: argparse.Namespace, paths: Sequence[str] | None, dialect: Dialect, errors: list[SimPyError], *, sample: bool = True
) -> tuple[list[Program], list[Refused]] | None:
    """The programs at some paths, read and converted.

    Raises:
        SimPyError: a path cannot be read, or none of the programs can be converted.
    """
    from simpy_corpus.inputs.finding import find_inputs
    from simpy_eval.programs import read_programs
    from simpy_grammar.errors import SimPyError

    if not paths:
        return None
    from simpy_cli.files import os_error

    try:
        inputs = find_inputs(paths, files=ProgramFiles(args, errors), column=args.column, split=args.split, config=args.config)
        found, refused = read_programs(inputs, dialect, most=args.sample if sample else None, seed=args.seed)
    except OSError as error:
        raise os_error(error, paths[0]) from None
    if not found:
        what = f"holds no program that can be converted ({len(refused):,} refused"
        raise SimPyError(f"{what}{f', the first: {refused[0].message}' if refused else ''})", path=paths[0])
    return found, refused


def _compare(args: argparse.Namespace) -> int:
    """``simpy eval compare``."""
    from simpy_cli.main import DONE
    from simpy_cli.report import Report
    from simpy_eval.charts import bars_of_comparison
    from simpy_eval.comparing import compare
    from simpy_eval.markdown import comparison_as_markdown
    from simpy_eval.reports import read_report
    from simpy_grammar.errors import SimPyError

    if len(args.paths) != 2:
        raise SimPyError(f"compare takes two reports, not {len(args.paths)}", path=_COMMAND, hint=f"see `{_COMMAND} --help`")
    first, second = (read_report(path) for path in args.paths)
    found = compare(first, second, seed=args.seed)
    content = {
        "format": "simpy-eval-comparison",
        "version": 1,
        "seed": args.seed,
        "first": first["model"],
        "second": second["model"],
        "differences": [one.described() for one in found],
    }
    title = f"{second['model']['name']} less {first['model']['name']}"
    report = Report(quiet=args.quiet, verbose=args.verbose)
    _write(args, report, comparison_as_markdown(first, second, found), content, bars_of_comparison(found), title)
    return DONE


def _check(args: argparse.Namespace) -> int:
    """``simpy eval check``: whether the solutions of problems pass their tests on this machine."""
    from simpy_cli.main import DONE, FOUND
    from simpy_cli.report import Report, count
    from simpy_eval.problems import read_problems
    from simpy_eval.sandbox import run_all, what_is_held

    problems = [problem for problem in read_problems(args.paths) if problem.solution]
    report = Report(quiet=args.quiet, verbose=args.verbose)
    for name, who in what_is_held().described().items():
        report.detail(f"{name}: held by the {who}")
    pairs = [(problem.program(problem.solution), problem.tests) for problem in problems]
    outcomes = run_all(pairs, limits=_limits(args), jobs=args.jobs)
    passed = 0
    for problem, outcome in zip(problems, outcomes, strict=True):
        passed += outcome.passed
        if not outcome.passed:
            report.note(f"{problem.name}: {outcome.reason}{f': {outcome.message}' if outcome.message else ''}")
    report.finish(f"{passed:,} of {count(len(problems), 'solution')} pass")
    return DONE if passed == len(problems) else FOUND


def _check_output(path: str) -> None:
    """Say before working that a report cannot be written.

    Raises:
        SimPyError: its folder does not exist, or it is a folder itself.
    """
    import os

    from simpy_grammar.errors import SimPyError

    if os.path.isdir(path):
        raise SimPyError("is a folder", path=path, hint="name the file to write: -o FILE.json")
    if not os.path.isdir(os.path.dirname(path) or os.curdir):
        raise SimPyError("no such folder", path=os.path.dirname(path))


def _write(args: argparse.Namespace, report: Report, page: str, content: Mapping[str, Any], bars: Sequence[Bar], title: str) -> None:
    """Print the page, and write the files that were asked for.

    Raises:
        SimPyError: one cannot be written.
    """
    from simpy_cli.commands.learn import save
    from simpy_cli.files import os_error
    from simpy_eval.charts import draw
    from simpy_eval.reports import to_json

    if args.output is not None:
        save(args.output, to_json(content))
    if args.chart is not None:
        try:
            draw(bars, title, args.chart)
        except OSError as error:
            raise os_error(error, args.chart) from None
    report.before_output()
    if not args.quiet:
        print(page, end="")


_ACTIONS = {"run": _evaluate, "compare": _compare, "check": _check}

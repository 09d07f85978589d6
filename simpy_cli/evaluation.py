"""What ``simpy eval`` does: it reads and checks the inputs, lets ``simpy_eval`` work, and prints and writes the result."""

from __future__ import annotations

import argparse

from simpy_cli.corpus import ProgramFiles

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

COMMAND = "simpy eval"
HELP = f"see `{COMMAND} --help`"


def evaluate_model(args: argparse.Namespace) -> int:
    """``simpy eval run``: all inputs are read and checked before the model is loaded."""
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
        raise SimPyError(problem, path=COMMAND, hint=HELP)
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


def compare_reports(args: argparse.Namespace) -> int:
    """``simpy eval compare``."""
    from simpy_cli.main import DONE
    from simpy_cli.report import Report
    from simpy_eval.charts import bars_of_comparison
    from simpy_eval.comparing import compare
    from simpy_eval.markdown import comparison_as_markdown
    from simpy_eval.reports import read_report
    from simpy_grammar.errors import SimPyError

    if len(args.paths) != 2:
        raise SimPyError(f"compare takes two reports, not {len(args.paths)}", path=COMMAND, hint=HELP)
    first, second = (read_report(path) for path in args.paths)
    found = compare(first, second, seed=args.seed, ks=sorted(set(args.k or ())))
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


def check_problems(args: argparse.Namespace) -> int:
    """``simpy eval check``: whether the solutions of problems pass their tests on this machine.

    Raises:
        SimPyError: a file cannot be read, no problem has a solution, or this system cannot limit processes.
    """
    from simpy_cli.main import DONE, FOUND
    from simpy_cli.report import Report, count
    from simpy_eval.problems import read_problems
    from simpy_eval.sandbox import run_all, what_is_held
    from simpy_grammar.errors import SimPyError

    problems = [problem for problem in read_problems(args.paths) if problem.solution]
    if not problems:
        raise SimPyError("no problem has a solution to run", path=args.paths[0], hint="name files with canonical_solution or code")
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
    report.finish(f"{passed:,} of {count(len(problems), 'solution')} passed")
    return DONE if passed == len(problems) else FOUND


def check_output(path: str) -> None:
    """Check before the work that a report can be written.

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

"""``simpy policy``: trains what policies learn from a ledger, and says what became of answers. ``dualcode.policies`` does the work."""

from __future__ import annotations

import argparse

from simpy_cli.numbers import share, whole
from simpy_cli.options import add_dialect, add_search, command_parser
from simpy_cli.registry import Subparsers

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from simpy_cli.report import Report

_ACTIONS = {"train": "LEDGER", "fit": "QUESTIONS", "kept": "LEDGER ID yes|no", "drift": "ESTIMATOR LEDGER"}
_PRECISION = 0.9
_VERDICTS = {"yes": True, "no": False}


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "policy",
        description="Train the estimator of the policy `refuse`, which says of a request whether the person will keep the answer: from a "
        "ledger that the policy `ledger` wrote, once it is known which answers were kept, or from completions of one's own code. "
        "`drift` says whether the requests of a ledger still look like those of the training. `fit` chooses the threshold of `cascade` "
        "on questions that both of its models have answered.",
        shown=(
            ("simpy policy kept requests.jsonl 5f0c9a yes", "say of one answer that it was kept"),
            ("simpy policy train requests.jsonl -o refuse.json", "refuse as many requests as possible at a precision of 0.9"),
            ("simpy policy train --from src --model ./model -o refuse.json", "learn from completions of the code below src"),
            ("simpy policy fit questions.jsonl -o cascade.json", "choose when a small model's answer is kept"),
            ("simpy policy drift refuse.json requests.jsonl", "do requests still look like those of the training?"),
            ("simpy serve --upstream URL --policy refuse:file=refuse.json", "use it"),
        ),
    )
    parser.add_argument("action", choices=tuple(_ACTIONS), help="what to do")
    parser.add_argument("words", nargs="*", metavar="ARGUMENT", help="; ".join(f"for {name}: {words}" for name, words in _ACTIONS.items()))
    group = parser.add_argument_group("train, fit")
    group.add_argument("-o", "--output", metavar="FILE", help="the estimator or threshold to write")
    how = group.add_mutually_exclusive_group()
    what = f"refuse as much as possible, half of all at most, while this share of it would not be kept (default {_PRECISION:g})"
    how.add_argument("--precision", type=share(), metavar="SHARE", help=what)
    how.add_argument("--share", type=share(whole=False), metavar="SHARE", help="refuse this share of the requests instead")
    group.add_argument("--from", nargs="+", metavar="PATH", help="Python to draw requests from, in place of a ledger")
    group.add_argument("--model", metavar="WHERE", help="with --from: a model's folder, or the base URL of an OpenAI-compatible server")
    group.add_argument("--name", metavar="NAME", help="with --from: the model's name on the server (default: the first that it lists)")
    group.add_argument("--requests", type=whole(least=1), default=2000, metavar="N", help="with --from: requests at most (default 2000)")
    group.add_argument("--max-tokens", type=whole(least=1), default=32, metavar="N", help="with --from: tokens of an answer (default 32)")
    add_dialect(parser, "--dialect", default="compact", auto=False, help="with --from: what the model reads and writes")
    add_search(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")


def run(args: argparse.Namespace) -> int:
    """Do it.

    Raises:
        SimPyError: an argument is missing, or cannot be used.
    """
    return {"train": _train, "fit": _fit, "kept": _kept, "drift": _drift}[args.action](args)


def _train(args: argparse.Namespace) -> int:
    from dualcode.policies.refuse_training import samples, train
    from simpy_cli.files import os_error
    from simpy_cli.main import DONE, FAILED
    from simpy_cli.report import Report

    code = getattr(args, "from")
    if args.output is None:
        raise _wrong("train needs --output", "simpy policy train LEDGER -o refuse.json")
    if bool(code) == bool(args.words) or len(args.words) > 1 or bool(code) != bool(args.model):
        raise _wrong("train learns from one ledger, or with --from and --model from code", "simpy policy train LEDGER -o refuse.json")
    import sklearn  # noqa: F401  # where it is missing, say so before a model is asked for thousands of answers

    report = Report(quiet=args.quiet, total=args.requests if code else 0)
    data = samples(_asked(args, report) if code else _records(args.words[0]))
    precision = _PRECISION if args.precision is None and args.share is None else args.precision
    estimator = train(data, precision=precision, share=args.share)
    try:
        estimator.save(args.output)
    except OSError as error:
        raise os_error(error, args.output) from None
    report.before_output()
    if not args.quiet:
        print(_table(estimator.figures, estimator.threshold))
    report.finish(f"{len(data):,} requests: {args.output}")
    return FAILED if report.errors else DONE


def _asked(args: argparse.Namespace, report: Report) -> Iterator[dict[str, Any]]:
    """Requests drawn from code, and what the model made of them."""
    from dualcode import DualCode
    from dualcode.backends.registry import open_backend
    from dualcode.policies.refuse_prompts import requests
    from simpy_cli.convert_all import load_dialect

    files = _programs(args, report)
    dialect = load_dialect(args.dialect)
    options = {"name": args.name} if args.model.startswith(("http://", "https://")) else {"dialect": dialect}
    model = DualCode(open_backend(args.model, **options), dialect=dialect)
    each = max(1, -(-args.requests // max(1, len(files))))
    for record in requests(model, files, args.requests, each=each, max_tokens=args.max_tokens, temperature=0):
        report.step()
        yield record


def _programs(args: argparse.Namespace, report: Report) -> list[tuple[str, str]]:
    """Name and text of each program, in an order that depends on the names alone; what cannot be read is said."""
    import hashlib

    from simpy_cli import files
    from simpy_cli.folders import Search, find
    from simpy_grammar.errors import SimPyError
    from transpiler.source import read_source

    errors: list[SimPyError] = []
    found = []
    for source in find(getattr(args, "from"), Search.asked(args), errors):
        try:
            found.append((source.path, read_source(files.read(source.path)[0], path=files.shown(source.path))))
        except OSError as error:
            errors.append(files.os_error(error, source.path))
        except SimPyError as error:
            errors.append(error)
    for problem in errors:
        report.error(problem)
    return sorted(found, key=lambda file: hashlib.sha256(file[0].encode("utf-8", "surrogateescape")).digest())


def _fit(args: argparse.Namespace) -> int:
    from dualcode.policies.cascade_fitting import fit_file
    from simpy_cli.files import os_error, write
    from simpy_cli.main import DONE

    if len(args.words) != 1 or args.output is None:
        raise _wrong("fit needs a file of questions and --output", "simpy policy fit QUESTIONS -o cascade.json")
    found = fit_file(args.words[0])
    try:
        write(args.output, found.to_json().encode())
    except OSError as error:
        raise os_error(error, args.output) from None
    if not args.quiet:
        low, high = found.interval
        left_out = f"; {found.left_out:,} left out: one model has not answered" if found.left_out else ""
        print(
            f"{found.questions:,} questions{left_out}\n"
            f"right: small {found.right_small:,}, large {found.right_large:,} [{100 * low:.1f}, {100 * high:.1f} %], "
            f"together {found.right:,}\n"
            f"threshold {found.threshold:g}: {100 * found.large_share:.1f} % go to the large model"
        )
    return DONE


def _kept(args: argparse.Namespace) -> int:
    from dualcode.policies.ledger_file import LedgerFile
    from simpy_cli.files import os_error
    from simpy_cli.main import DONE

    if len(args.words) != 3 or args.words[2] not in _VERDICTS:
        raise _wrong("kept needs a ledger, the id of an answer, and yes or no", "simpy policy kept LEDGER ID yes")
    path, number, verdict = args.words
    try:
        LedgerFile(path).tell(number, _VERDICTS[verdict])
    except OSError as error:
        raise os_error(error, path) from None
    return DONE


def _drift(args: argparse.Namespace) -> int:
    """Print what has changed; 1 if anything did."""
    from dualcode.policies.drift import CHANGED, ENOUGH
    from dualcode.policies.refuse_training import drift_of
    from dualcode.policies.refuse_trees import Estimator
    from simpy_cli.main import DONE, FOUND
    from simpy_cli.report import columns

    if len(args.words) != 2:
        raise _wrong("drift needs an estimator and a ledger", "simpy policy drift refuse.json LEDGER")
    total, indexes = drift_of(Estimator.load(args.words[0]), _records(args.words[1]))
    changed = sum(index >= CHANGED for index in indexes.values()) if total >= ENOUGH else 0
    if not args.quiet:
        rows = [("number", "index"), *((name, f"{index:.3f}") for name, index in indexes.items())]
        print(f"{columns(rows)}\n")
        few = "too few to tell" if total < ENOUGH else f"{changed} of {len(indexes)} numbers have changed (an index from {CHANGED:g} on)"
        print(f"{total:,} requests: {few}")
    return FOUND if changed else DONE


def _records(path: str) -> Iterator[dict[str, Any]]:
    from dualcode.policies.ledger_file import LedgerFile
    from simpy_cli.files import os_error

    try:
        yield from LedgerFile(path).records()
    except OSError as error:
        raise os_error(error, path) from None


def _table(figures: Mapping[str, Any], threshold: float) -> str:
    """The figures as a person reads them."""
    from simpy_cli.report import columns

    def shown(share: list[float]) -> str:
        return f"{100 * share[0]:.1f} % [{100 * share[1]:.1f}, {100 * share[2]:.1f}]"

    names = {
        "refused_share": "refused",
        "precision": "of these not kept",
        "not_kept_of_all": "of all not kept",
        "kept_that_are_refused": "of the kept, refused",
    }
    parts = [figures[part] for part in ("cross_validated", "held_out")]
    rows = [("", "cross-validated", "held out"), ("requests", *(f"{part['requests']:,}" for part in parts))]
    rows += [(name, *(shown(part[key]) for part in parts)) for key, name in names.items()]
    rows += [("area under the curve", *(f"{part['area_under_curve']:.3f}" for part in parts))]
    return f"{columns(rows)}\n\nrefused below an estimate of {threshold:.3f}; intervals of 95 %"


def _wrong(problem: str, usage: str) -> Exception:
    from simpy_grammar.errors import SimPyError

    return SimPyError(problem, hint=usage)

"""``simpy complete``: continues unfinished Python with a model, while the model writes.

``dualcode`` does the work. The options that ``simpy chat`` shares are here.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import TYPE_CHECKING, Any

from dualcode.backends.default_model import VARIABLE, DefaultModel, find
from simpy_cli.numbers import decimal, whole
from simpy_cli.options import add_dialect, command_parser
from simpy_cli.registry import Subparsers
from simpy_grammar.errors import SimPyError, visible

if TYPE_CHECKING:
    from dualcode import DualCode
    from dualcode.calls import Result, Stream


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "complete",
        description="Continue unfinished Python with a language model that reads and writes SimPy. The continuation is printed in "
        "Python while the model writes; with --suffix the model fills the gap between the two.",
        shown=(
            ("simpy complete app.py --model ./model --dialect classic", "continue a file with a model in a folder"),
            ("simpy complete - --model http://127.0.0.1:8000/v1", "continue standard input with a model on a server"),
            ("simpy complete app.py --model ./model --until function", "stop where the function ends"),
            ("simpy complete app.py --model ./model --dialect dense --constrain", "let the model write nothing but programs"),
            ("simpy complete app.py", "with the model that `simpy model use` or SIMPY_MODEL names"),
        ),
    )
    parser.add_argument("path", metavar="PATH", help="the beginning of a program, or - for standard input")
    parser.add_argument("--suffix", metavar="PATH", help="what follows the gap; only for models that fill gaps")
    add_model(parser)


def add_model(parser: argparse.ArgumentParser) -> None:
    """The options that say which model, and how it is to write."""
    from dualcode.backends.weights import WEIGHTS  # not needed by other commands
    from dualcode.conversion.units import UNITS  # as above

    parser.add_argument(
        "--model",
        metavar="WHERE",
        help="a model's folder or GGUF file, or the base URL of an OpenAI-compatible server (default: what the variable SIMPY_MODEL names, "
        "or the folder that `simpy model use` was given)",
    )
    parser.add_argument("--name", metavar="NAME", help="the model's name on the server (default: the first that it lists)")
    add_dialect(
        parser, "--dialect", default="compact", auto=False, help="what the model reads and writes; others only for models trained on them"
    )
    parser.set_defaults(dialect=None)  # that of the model that is used where none is named, or else compact
    parser.add_argument("--weights", choices=tuple(WEIGHTS), help="how a local model holds its weights (default: as they are on disk)")
    parser.add_argument("--threads", type=whole(least=1), metavar="N", help="processor threads of a local model (see docs/backends.md)")
    parser.add_argument(
        "--until",
        choices=UNITS,
        help="stop where the code that the model goes on with, or begins, is a whole one of these (see docs/generation.md)",
    )
    parser.add_argument(
        "--constrain",
        action="store_true",
        help="let a local model write nothing but code of the dialect that ends within --max-tokens; in a chat, in blocks of code",
    )
    parser.add_argument(
        "--valid-python",
        action="store_true",
        help="--constrain, and let it write nothing that this Python refuses for another reason than its grammar",
    )
    parser.add_argument("--max-tokens", type=whole(), metavar="N", help="write at most N tokens")
    parser.add_argument("--temperature", type=decimal(), metavar="T", help="how freely to choose")
    parser.add_argument(
        "--on-error", choices=("pass", "raise"), default="pass", help="what to do with what cannot be converted (default pass)"
    )
    parser.add_argument("--usage", action="store_true", help="print tokens and seconds to standard error at the end")
    parser.add_argument("--json", action="store_true", help="print the answer, its notes and the usage as JSON instead")


def open_model(args: argparse.Namespace, *, bare: bool = False) -> DualCode:
    """The wrapped model that the options name, or the one that is used where they name none.

    That one runs in one thread: it is meant to be small, and to leave the other cores to the person.

    Raises:
        SimPyError: no model is named, or an option is not for a model on a server.
    """
    from dualcode import DualCode
    from dualcode.backends.registry import open_backend

    is_named = args.model is not None
    model = DefaultModel(args.model) if is_named else _default()
    dialect = args.dialect or model.dialect or "compact"
    options: dict[str, Any] = {"constrain": True} if args.constrain or args.valid_python else {}
    options |= {"valid_python": True} if args.valid_python else {}
    if model.where.startswith(("http://", "https://")):
        for name in ("weights", "threads"):
            if getattr(args, name) is not None:
                raise SimPyError(f"--{name} is for a local model", hint="name a folder with --model")
        options |= {"name": args.name}
    else:
        options |= {"dialect": dialect, "weights": args.weights or model.weights, "threads": args.threads or (None if is_named else 1)}
        options = {name: value for name, value in options.items() if value is not None}
    return DualCode(open_backend(model.where, **options), dialect=dialect, on_error=args.on_error, bare=bare)


def _default() -> DefaultModel:
    found = find()
    if found is None:
        hint = f"use --model, or the variable {VARIABLE}, or `simpy model use FOLDER`; docs/first-model.md shows how to make a small one"
        raise SimPyError("no model is named", hint=hint)
    if not found.where.startswith(("http://", "https://")) and not os.path.exists(found.where):
        raise SimPyError("the model is not there any more", path=found.where, hint="name another: `simpy model use FOLDER`")
    return found


def generation(args: argparse.Namespace) -> dict[str, Any]:
    """The options for the model."""
    given = {"max_tokens": args.max_tokens, "temperature": args.temperature}
    return {name: value for name, value in given.items() if value is not None}


def write(stream: Stream, *, silent: bool) -> Result:
    """Print an answer while it arrives, and its notes after it."""
    last = ""
    on_terminal = sys.stdout.isatty()
    for last in stream:
        if not silent:
            print(visible(last, in_line=False) if on_terminal else last, end="", flush=True)
    result = stream.finish()
    if not silent:
        if on_terminal and not last.endswith("\n"):
            print()
        for note in result.notes:
            print(visible(f"note: {note}"), file=sys.stderr)
    return result


def end(args: argparse.Namespace, model: DualCode, result: Result | None) -> None:
    """Print what the options ask for at the end."""
    if args.json and result is not None:
        content = {"text": result.text, "notes": [str(note) for note in result.notes], "usage": json.loads(model.usage.to_json())}
        print(json.dumps(content, indent=2))
    elif args.usage:
        print(model.usage.summary(), file=sys.stderr)


def run(args: argparse.Namespace) -> int:
    """Complete one file."""
    from simpy_cli.main import DONE

    prefix = _read(args.path)
    suffix = _read(args.suffix) if args.suffix else None
    model = open_model(args)
    options = generation(args)
    if suffix is None:
        stream = model.complete(prefix, stream=True, until=args.until, **options)
    else:
        stream = model.infill(prefix, suffix, stream=True, until=args.until, **options)
    end(args, model, write(stream, silent=args.json))
    return DONE


def _read(path: str) -> str:
    from simpy_cli import files
    from transpiler.source import read_source

    try:
        return read_source(files.read(path)[0], path=files.shown(path))
    except OSError as error:
        raise files.os_error(error, path) from None

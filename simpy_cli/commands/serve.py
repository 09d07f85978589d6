"""``simpy serve``: a proxy for the APIs of OpenAI and Anthropic. The options, the log and the signals; the proxy is ``dualcode.server``."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from simpy_cli.options import AUTO, command_parser
from simpy_cli.registry import Subparsers

if TYPE_CHECKING:
    from collections.abc import Callable

    from dualcode.conversion.tool_calls import EditTool
    from dualcode.server.settings import Settings

_MIB = 1 << 20


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "serve",
        description="Stand in front of any server with an API of OpenAI or Anthropic: programs keep Python, the model reads "
        "and writes the dialect. Keys go through to the upstream; nothing else is stored. Listens on this machine only unless --host says "
        "otherwise. Stops on Ctrl-C or SIGTERM, after the running answers.",
        shown=(
            ("simpy serve --upstream https://api.openai.com/v1", "compact code for a closed model"),
            ("simpy serve --upstream http://127.0.0.1:8000 --dialect dense", "for a model that was trained on dense"),
            ("OPENAI_BASE_URL=http://127.0.0.1:8642/v1 my-agent", "point a program at the proxy"),
        ),
    )
    parser.add_argument("--upstream", required=True, metavar="URL", help="the base URL of the server behind; without a path, /v1 is added")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8642, help="port to listen on; 0 for a free one (default 8642)")
    parser.add_argument(
        "--dialect",
        default="compact",
        metavar="DIALECT",
        help="what the model reads and writes: compact for one that was not trained on SimPy, else classic, dense, dense-newline "
        "auto (what suits --tokenizer best) or a file (default compact)",
    )
    parser.add_argument("--bare", action="store_true", help="convert code outside of fenced blocks too")
    parser.add_argument(
        "--tools", choices=("on", "off"), default="on", help="convert the Python in results of tools too, whole files included (default on)"
    )
    parser.add_argument(
        "--edit-tools",
        metavar="FILE",
        help="a TOML file with edit tools of agents beside those that are known (see docs/tool-calls.md)",
    )
    parser.add_argument(
        "--on-error",
        choices=("pass", "raise"),
        default="pass",
        help="pass what cannot be converted on as it is, or answer with an error (default pass)",
    )
    parser.add_argument("--concurrency", type=_positive, default=128, metavar="N", help="requests at the upstream at once (default 128)")
    parser.add_argument("--queue", type=_count, default=256, metavar="N", help="requests that may wait; more get 503 (default 256)")
    parser.add_argument("--max-body", type=_positive, default=32, metavar="MIB", help="largest request; more gets 413 (default 32)")
    parser.add_argument("--timeout", type=_positive, default=600, metavar="SECONDS", help="silence of the upstream (default 600)")
    parser.add_argument("--grace", type=_positive, default=30, metavar="SECONDS", help="for running answers at the end (default 30)")
    parser.add_argument(
        "--tokenizer", metavar="NAME", help="count tokens with this tokenizer in /metrics (see simpy tokens); for --dialect auto"
    )
    parser.add_argument(
        "--cors",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="let web pages of this origin use the proxy, * for all; may be repeated",
    )
    parser.add_argument("--log-prompts", action="store_true", help="write prompts and answers to the log")
    parser.add_argument("-q", "--quiet", action="store_true", help="log warnings and errors only")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal says stop."""
    import logging

    from dualcode.server.settings import Settings
    from simpy_cli.convert_all import load_dialect

    dialect = load_dialect(args.dialect, args.tokenizer).name if args.dialect == AUTO else args.dialect
    settings = Settings(
        upstream=args.upstream,
        dialect=dialect,
        bare=args.bare,
        tool_results=args.tools == "on",
        edit_tools=_edit_tools(args.edit_tools),
        on_error=args.on_error,
        concurrency=args.concurrency,
        queue=args.queue,
        max_body=args.max_body * _MIB,
        timeout=args.timeout,
        grace=args.grace,
        cors=tuple(args.cors),
        log_prompts=args.log_prompts,
        count_tokens=_counter(args.tokenizer, dialect) if args.tokenizer else None,
    )
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    logging.getLogger("simpy.serve").setLevel(logging.WARNING if args.quiet else logging.INFO)
    return _serve(settings, args.host, args.port)


def _edit_tools(file: str | None) -> tuple[EditTool, ...]:
    """The tools in whose calls a model may quote code: those of a file first."""
    from pathlib import Path

    from dualcode.conversion.tool_calls import TOOLS, read_tools
    from simpy_cli import files

    if file is None:
        return TOOLS
    try:
        return (*read_tools(Path(file)), *TOOLS)
    except OSError as error:
        raise files.os_error(error, file) from None


def _serve(settings: Settings, host: str, port: int) -> int:
    import sys

    from dualcode.server.app import create_server
    from simpy_cli.listening import ignore_signals, listen, shown
    from simpy_cli.main import DONE

    server = create_server(settings)
    with listen(host, port) as listener:
        print(f"serving http://{shown(host, listener)}/v1 -> {settings.base} ({settings.dialect})", file=sys.stderr, flush=True)
        ignore_signals()
        server.run(sockets=[listener])
    return DONE


def _counter(name: str, dialect: str) -> Callable[[str], int]:
    from simpy_grammar.dialect import Dialect
    from tokenizer_ext.extension import extend
    from tokenizer_ext.loading import load_tokenizer

    tokenizer = load_tokenizer(name)
    if not Dialect.load(dialect).is_python:
        tokenizer = extend(tokenizer, dialect=dialect)
    options: dict[str, Any] = {"allowed_special": "all"} if hasattr(tokenizer, "encode_ordinary") else {"add_special_tokens": False}
    return lambda text: len(tokenizer.encode(text, **options))


def _positive(text: str) -> int:
    number = _count(text)
    if number == 0:
        raise argparse.ArgumentTypeError("0 is too little")
    return number


def _count(text: str) -> int:
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number")
    return int(text)

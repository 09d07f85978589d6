"""``simpy serve``: a proxy for the APIs of OpenAI and Anthropic. The options, the log and the signals; the proxy is ``dualcode.server``."""

from __future__ import annotations

import argparse
import gc
import os
import signal
from typing import TYPE_CHECKING, Any

from simpy_cli.option_sources import add_options, read_options
from simpy_cli.options import AUTO, command_parser
from simpy_cli.registry import Subparsers
from simpy_cli.serve_options import OPTIONS, PREFIX
from simpy_grammar.errors import SimPyError

if TYPE_CHECKING:
    from collections.abc import Callable

    from dualcode.conversion.tool_calls import EditTool
    from dualcode.server.app import ProxyServer
    from dualcode.server.settings import Settings

_SWITCH = 0.0005  # seconds after which a thread that converts lets the one of the streams go on; CPython's default is ten times as long


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "serve",
        description="Stand in front of any server with an API of OpenAI or Anthropic: programs keep Python, the model reads "
        "and writes the dialect. Keys go through to the upstream unless --upstream-key says otherwise. Listens on this machine only unless "
        "--host says otherwise. Each option may also stand in the file of --config, or in the environment: --max-body as "
        f"{PREFIX}MAX_BODY. Stops on Ctrl-C or SIGTERM, after the running answers.",
        shown=(
            ("simpy serve --upstream https://api.openai.com/v1", "compact code for a closed model"),
            ("simpy serve --upstream http://127.0.0.1:8000 --dialect dense", "for a model that was trained on dense"),
            ("simpy serve --config serve.toml", "options from a file"),
            ("OPENAI_BASE_URL=http://127.0.0.1:8642/v1 my-agent", "point a program at the proxy"),
        ),
    )
    add_options(parser, OPTIONS)


def run(args: argparse.Namespace) -> int:
    """Serve until a signal says stop."""
    import sys

    from dualcode.server import logs
    from dualcode.server.app import create_server
    from simpy_cli.listening import ignore_signals, listen, shown
    from simpy_cli.main import DONE

    chosen = _read(args)
    settings = _settings(chosen, _counter(chosen))
    logs.set_up(chosen.log_format, quiet=chosen.quiet)
    server = create_server(settings)
    with listen(chosen.host, chosen.port) as listener:
        where = f"http://{shown(chosen.host, listener)}/v1 -> {settings.base} ({settings.dialect})"
        print(f"serving {where}", file=sys.stderr, flush=True)
        ignore_signals()
        _read_again_on_hangup(args, chosen, server)
        sys.setswitchinterval(_SWITCH)
        gc.freeze()  # what is there by now stays; looking through it for garbage would delay the streams
        server.run(sockets=[listener])
    return DONE


def _read(args: argparse.Namespace) -> argparse.Namespace:
    """The options, from wherever they stand."""
    chosen = read_options(OPTIONS, vars(args), os.environ, PREFIX)
    if not chosen.upstream:
        raise SimPyError("--upstream is missing", hint="simpy serve --upstream https://api.openai.com/v1")
    return chosen


def _settings(chosen: argparse.Namespace, count_tokens: Callable[[str], int] | None) -> Settings:
    from dualcode.conversion.memory import MIB
    from dualcode.server.settings import Settings

    return Settings(
        upstream=chosen.upstream,
        dialect=_dialect(chosen),
        constrain=chosen.constrain,
        bare=chosen.bare,
        numbers=chosen.numbers,
        tool_results=chosen.tools == "on",
        edit_tools=_edit_tools(chosen.edit_tools),
        on_error=chosen.on_error,
        concurrency=chosen.concurrency,
        queue=chosen.queue,
        max_body=chosen.max_body * MIB,
        timeout=chosen.timeout,
        grace=chosen.grace,
        workers=chosen.workers,
        memory=chosen.memory * MIB,
        api_keys=chosen.api_key,
        upstream_key=chosen.upstream_key,
        policies=chosen.policy,
        policy_keys=chosen.policy_key,
        cors=chosen.cors,
        log_prompts=chosen.log_prompts,
        count_tokens=count_tokens,
    )


def _edit_tools(file: str) -> tuple[EditTool, ...]:
    """The tools in whose calls a model may quote code: those of a file first."""
    from pathlib import Path

    from dualcode.conversion.tool_calls import TOOLS, read_tools

    return (*(read_tools(Path(file)) if file else ()), *TOOLS)


def _dialect(chosen: argparse.Namespace) -> str:
    from simpy_cli.convert_all import load_dialect

    return load_dialect(chosen.dialect, chosen.tokenizer or None).name if chosen.dialect == AUTO else str(chosen.dialect)


def _read_again_on_hangup(args: argparse.Namespace, chosen: argparse.Namespace, server: ProxyServer) -> None:
    """Let SIGHUP read the options again, in a thread, so that requests go on meanwhile."""
    import threading

    lock = threading.Lock()

    def read_again() -> None:
        with lock:
            _read_again(args, chosen, server)

    def hangup(*_: object) -> None:
        threading.Thread(target=read_again, daemon=True).start()

    if hasattr(signal, "SIGHUP"):  # not on Windows
        signal.signal(signal.SIGHUP, hangup)


def _read_again(args: argparse.Namespace, chosen: argparse.Namespace, server: ProxyServer) -> None:
    import logging

    from dualcode.server import logs

    if not chosen.config:
        logs.log(logging.WARNING, "there is no --config file to read again")
        return
    try:
        new = _read(args)
        for option in OPTIONS:
            if not option.changes and getattr(new, option.dest) != getattr(chosen, option.dest):
                logs.log(logging.WARNING, f"--{option.name} does not change before the next start")
                setattr(new, option.dest, getattr(chosen, option.dest))
        server.service.change(_settings(new, server.service.proxy.settings.count_tokens))
    except SimPyError as error:
        reason = " ".join(str(error).split())
        logs.log(logging.WARNING, f"the settings stay as they are: {reason}", failure=reason)
        return
    logs.set_up(new.log_format, quiet=new.quiet)


def _counter(chosen: argparse.Namespace) -> Callable[[str], int] | None:
    if not chosen.tokenizer:
        return None
    from simpy_grammar.dialect import Dialect
    from tokenizer_ext.extension import extend
    from tokenizer_ext.loading import load_tokenizer

    tokenizer = load_tokenizer(chosen.tokenizer)
    dialect = _dialect(chosen)
    if not Dialect.load(dialect).is_python:
        tokenizer = extend(tokenizer, dialect=dialect)
    options: dict[str, Any] = {"allowed_special": "all"} if hasattr(tokenizer, "encode_ordinary") else {"add_special_tokens": False}
    return lambda text: len(tokenizer.encode(text, **options))

"""``simpy mcp``: a Model Context Protocol server for agents. The options; the server is ``simpy_mcp``."""

from __future__ import annotations

import argparse

from simpy_cli.options import add_dialect, command_parser
from simpy_cli.registry import Subparsers
from simpy_grammar.errors import SimPyError, visible

STDIO, HTTP = "stdio", "http"


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "mcp",
        description="Serve Python files to an agent over the Model Context Protocol: tools that read them in few tokens and edit them at "
        "places that are found by what the program says. Only the folders named are served, without what git ignores. Over HTTP, whoever "
        "reaches the address may read and edit there.",
        shown=(
            ("simpy mcp .", "what an agent starts, see docs/mcp.md"),
            ("simpy mcp src tests --view no-comments", "without comments unless they are asked for"),
            ("simpy mcp . --transport http --port 8643", "for agents that connect to http://127.0.0.1:8643/mcp"),
        ),
    )
    parser.add_argument("folders", nargs="+", metavar="FOLDER", help="a folder whose Python files may be read and edited")
    parser.add_argument("--transport", choices=(STDIO, HTTP), default=STDIO, help="how clients connect (default stdio)")
    parser.add_argument("--host", default="127.0.0.1", help="for http: address to listen on (default 127.0.0.1)")
    parser.add_argument("--port", type=int, default=8643, help="for http: port to listen on; 0 for a free one (default 8643)")
    add_dialect(parser, "--dialect", default="compact", python=True, help="what is read unless the agent asks for another dialect")
    parser.add_argument(
        "--view", action="append", default=[], metavar="NAME", help="a view to take unless the agent names some, as for simpy view"
    )
    what = "count tokens with this tokenizer: a tokenizer.json, its folder, a tiktoken name or a hub id (default: estimate)"
    parser.add_argument("--tokenizer", metavar="NAME", help=what)
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing at the start")


def run(args: argparse.Namespace) -> int:
    """Serve until the client goes, or a signal says stop."""
    import logging
    import sys

    from simpy_cli import files
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.main import DONE, version
    from transpiler.views.registry import parse_views

    try:
        parse_views(args.view)
    except SimPyError as refused:
        refused.path = "simpy mcp"
        raise
    from simpy_mcp import Workspace, make_settings, server

    dialect = load_dialect(args.dialect, args.tokenizer)
    workspace = Workspace(args.folders, files, make_settings(dialect, tuple(args.view), tokenizer=args.tokenizer))
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(message)s")
    where = visible(", ".join(workspace.roots.folders))
    if args.transport == STDIO:
        if not args.quiet:
            print(f"serving {where} on standard input and output", file=sys.stderr, flush=True)
        server.run_stdio(workspace, version=version())
        return DONE
    from simpy_cli.listening import ignore_signals, listen, shown

    with listen(args.host, args.port) as listener:
        if not args.quiet:
            print(f"serving {where} at http://{shown(args.host, listener)}{server.PATH}", file=sys.stderr, flush=True)
        ignore_signals()
        server.run_http(workspace, listener, args.host, version=version())
    return DONE

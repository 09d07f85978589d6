"""``simpy chat``: a conversation in which the model reads and writes SimPy for the Python of both sides.

``dualcode`` does the work. The options that name the model are those of ``simpy complete``.
"""

from __future__ import annotations

import argparse
import sys

from simpy_cli.commands.complete import add_model, end, generation, open_model, write
from simpy_cli.options import command_parser
from simpy_cli.registry import Subparsers


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "chat",
        description="Talk with a language model that reads and writes SimPy. Python in fenced blocks is converted both ways, "
        "everything else stays as received. Without a message, standard input is the message; on a terminal each line is one, until "
        "the end of the input.",
        shown=(
            ("simpy chat 'How do I sort a dict?' --model http://127.0.0.1:8000/v1", "ask once"),
            ("simpy chat --model ./model --dialect classic < question.md", "ask what a file says"),
            ("simpy chat --model http://127.0.0.1:8000/v1", "talk"),
        ),
    )
    parser.add_argument("message", nargs="?", metavar="MESSAGE", help="what to ask")
    parser.add_argument("--system", metavar="TEXT", help="what to tell the model first")
    parser.add_argument("--bare", action="store_true", help="convert code outside of fenced blocks too")
    add_model(parser)


def run(args: argparse.Namespace) -> int:
    """Ask once, or as long as lines come."""
    from simpy_cli.main import DONE

    model = open_model(args, bare=args.bare)
    messages = [{"role": "system", "content": args.system}] if args.system else []
    talking = args.message is None and sys.stdin.isatty()
    result = None
    while True:
        question = args.message if args.message is not None else _line() if talking else sys.stdin.read()
        if question is None:
            break
        messages.append({"role": "user", "content": question})
        result = write(model.chat(messages, stream=True, until=args.until, **generation(args)), silent=args.json)
        messages.append({"role": "assistant", "content": result.text})
        if not talking:
            break
    end(args, model, result)
    return DONE


def _line() -> str | None:
    try:
        return input("> ")
    except EOFError:
        return None

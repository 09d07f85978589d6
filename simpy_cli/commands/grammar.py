"""``simpy grammar``: the grammar of a dialect as text. Writing it is left to ``simpy_grammar.engines``."""

from __future__ import annotations

import argparse

from simpy_cli.options import add_dialect, command_parser
from simpy_cli.registry import Subparsers


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    from simpy_grammar.engines import FORMATS

    parser = command_parser(
        subparsers,
        "grammar",
        description="Print the grammar of a dialect for an engine that holds a model to a grammar while it writes: llguidance (which "
        "vLLM and SGLang can use), llama.cpp (gbnf), or lark. See docs/engines.md for what an engine does with it.",
        shown=(
            ("simpy grammar export --to llguidance --dialect dense", "for vLLM and SGLang"),
            ("simpy grammar export --to gbnf -o classic.gbnf", "for llama.cpp"),
            ("simpy grammar export --to gbnf --fenced", "for an answer with code in it"),
        ),
    )
    parser.add_argument("action", choices=("export",), help="export: print the grammar")
    parser.add_argument("--to", required=True, choices=tuple(FORMATS), help="the format")
    add_dialect(parser, "--dialect", auto=False, help="the dialect that the model writes")
    what = "the grammar of an answer in Markdown, in which each block marked python is a program"
    parser.add_argument("--fenced", action="store_true", help=what)
    parser.add_argument("-o", "--output", metavar="FILE", help="write to this file")


def run(args: argparse.Namespace) -> int:
    """Print the grammar."""
    from simpy_cli.commands.learn import save
    from simpy_cli.convert_all import load_dialect
    from simpy_cli.main import DONE
    from simpy_grammar.engines import engine_grammar

    text = engine_grammar(load_dialect(args.dialect), args.to, fenced=args.fenced)
    if args.output:
        save(args.output, text)
    else:
        print(text, end="")
    return DONE

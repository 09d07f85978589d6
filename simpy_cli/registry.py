"""The subcommands: one line each. A subcommand is a module of ``simpy_cli.commands`` with two functions,

    add_parser(subparsers) -> None    declares the options, with ``simpy_cli.options.command_parser``
    run(args) -> int                  does the work and returns the exit code

and is imported only when it is the one that was asked for, so a heavy subcommand slows no other.
"""

from __future__ import annotations

import argparse
import importlib
from types import ModuleType

# argparse has no public name for what ``add_subparsers`` returns.
Subparsers = argparse._SubParsersAction

COMMANDS: dict[str, str] = {
    "encode": "write Python files as SimPy",
    "decode": "write SimPy files as Python",
    "convert": "rewrite files in another dialect",
    "check": "prove that Python files survive the way to SimPy and back",
    "view": "print parts of Python files for a model to read",
    "edit": "change a piece of a file, or apply a patch",
    "run": "run a SimPy program",
    "tokens": "count tokens, as Python and in each dialect",
    "corpus": "convert a data set of programs, in shards",
    "eval": "evaluate a model on programs, functions and problems",
    "learn": "learn tokens for a tokenizer from a corpus",
    "fit": "fit a dialect to a vocabulary",
    "model": "report size, time and quality of models",
    "policy": "train policies on a ledger of requests",
    "grammar": "print the grammar of a dialect for engines",
    "serve": "stand in front of a model's server, as a proxy",
    "mcp": "serve Python files to an agent, which reads and edits them",
    "play": "serve the playground, a page that converts in the browser",
    "complete": "continue unfinished Python with a model that reads SimPy",
    "chat": "talk in Python with a model that reads SimPy",
    "completion": "print a completion script for a shell",
    "help": "explain a command",
}


def load(name: str) -> ModuleType:
    """Import a subcommand.

    >>> load("encode").__name__
    'simpy_cli.commands.encode'
    """
    return importlib.import_module(f"simpy_cli.commands.{name.replace('-', '_')}")

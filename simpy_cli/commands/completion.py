"""``simpy completion``: completion scripts for bash, zsh and fish, made from the parsers of all subcommands."""

from __future__ import annotations

import argparse
import re
from typing import NamedTuple

from simpy_cli.options import AUTO, DIALECTS, command_parser
from simpy_cli.registry import COMMANDS, Subparsers


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "completion",
        description="Print a script that teaches a shell to complete the commands, options and dialects of simpy.",
        shown=(
            ('eval "$(simpy completion bash)"', "in ~/.bashrc"),
            ('eval "$(simpy completion zsh)"', "in ~/.zshrc, after compinit"),
            ("simpy completion fish > ~/.config/fish/completions/simpy.fish", "once"),
        ),
    )
    parser.add_argument("shell", choices=sorted(_SCRIPTS), help="the shell")


class Option(NamedTuple):
    """An option or a fixed argument of a subcommand.

    Attributes:
        flags: how it is written; none for an argument that has no flag.
        values: what may follow; ``None`` if it takes nothing, empty if it takes a path or free text.
        help: its help text.
    """

    flags: tuple[str, ...]
    values: tuple[str, ...] | None
    help: str


def run(args: argparse.Namespace) -> int:
    """Print the script."""
    print(_SCRIPTS[args.shell](_options()), end="")
    return 0


def _options() -> dict[str, list[Option]]:
    """The options of each subcommand, read from its parser."""
    from simpy_cli.main import build_parser

    parser = build_parser(COMMANDS)
    subparsers = next(action for action in parser._actions if isinstance(action, argparse._SubParsersAction))
    return {name: [_option(action) for action in sub._actions] for name, sub in subparsers.choices.items()}


def _option(action: argparse.Action) -> Option:
    values: tuple[str, ...] | None
    if action.nargs == 0:
        values = None
    elif action.metavar == "DIALECT":
        offered = set(re.findall(r"[\w-]+", action.help or ""))
        values = tuple(name for name in (*DIALECTS, AUTO) if name in offered)
    elif action.metavar == "COMMAND":
        values = tuple(COMMANDS)
    else:
        values = tuple(map(str, action.choices or ()))
    return Option(tuple(action.option_strings), values, (action.help or "").split(":")[0])


def _bash(options: dict[str, list[Option]]) -> str:
    cases = []
    for name, found in options.items():
        words = " ".join(flag for option in found for flag in option.flags)
        fixed = " ".join(value for option in found if not option.flags for value in option.values or ())
        cases.append(f'    {name}) words="{words}"; fixed="{fixed}" ;;')
    asking: dict[tuple[str, ...], list[str]] = {}  # values -> the commands and flags that take them
    for name, found in options.items():
        for option in found:
            if option.values:
                asking.setdefault(option.values, []).extend(f"{name}:{flag}" for flag in option.flags)
    reply = 'COMPREPLY=($(compgen -W "{}" -f -- "$word")); return ;;'
    previous = "\n".join(f"    {'|'.join(places)}) {reply.format(' '.join(values))}" for values, places in asking.items() if places)
    return f"""# bash completion for simpy
_simpy() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" words="" fixed=""
  COMPREPLY=()
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{" ".join(options)} --help --version" -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}:${{COMP_WORDS[COMP_CWORD-1]}}" in
{previous}
  esac
  case "${{COMP_WORDS[1]}}" in
{chr(10).join(cases)}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$words" -- "$word")) ;;
    *) if [ -n "$fixed" ]; then COMPREPLY=($(compgen -W "$fixed" -- "$word")); else COMPREPLY=($(compgen -f -- "$word")); fi ;;
  esac
}}
complete -o filenames -F _simpy simpy
"""


def _quoted(text: str) -> str:
    return text.replace("'", "'\\''")


def _zsh(options: dict[str, list[Option]]) -> str:
    commands = "\n".join(f"    '{name}:{_quoted(COMMANDS[name])}'" for name in options)
    cases = []
    for name, found in options.items():
        specs = []
        for option in found:
            action = "" if option.values is None else f":value:({' '.join(option.values)})" if option.values else ":path:_files"
            text = _quoted(option.help).replace("[", "(").replace("]", ")").replace(":", " ")
            specs += [f"'{flag}[{text}]{action}'" for flag in option.flags] or [f"'*{action}'"]
        cases.append(f"    {name}) _arguments {' '.join(specs)} ;;")
    return f"""#compdef simpy
_simpy() {{
  local -a commands
  commands=(
{commands}
  )
  if (( CURRENT == 2 )); then
    _describe command commands
    return
  fi
  local command=$words[2]
  shift words
  (( CURRENT-- ))
  case $command in
{chr(10).join(cases)}
  esac
}}
compdef _simpy simpy
"""


def _fish(options: dict[str, list[Option]]) -> str:
    lines = ["# fish completion for simpy", "complete -c simpy -n __fish_use_subcommand -f"]
    lines += [f"complete -c simpy -n __fish_use_subcommand -a {name} -d '{_quoted_fish(COMMANDS[name])}'" for name in options]
    for name, found in options.items():
        for option in found:
            flags = " ".join(f"-l {flag[2:]}" if flag.startswith("--") else f"-s {flag[1:]}" for flag in option.flags)
            values = "" if option.values is None else f" -x -a '{' '.join(option.values)}'" if option.values else " -r"
            if flags:
                lines.append(f"complete -c simpy -n '__fish_seen_subcommand_from {name}' {flags}{values} -d '{_quoted_fish(option.help)}'")
            elif option.values:
                lines.append(f"complete -c simpy -n '__fish_seen_subcommand_from {name}' -f -a '{' '.join(option.values)}'")
    return "\n".join(lines) + "\n"


def _quoted_fish(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")


_SCRIPTS = {"bash": _bash, "fish": _fish, "zsh": _zsh}

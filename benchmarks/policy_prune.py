"""What ``prune`` saves in conversations of agents: a part of ``policies.py``.

Each conversation is about one package of the standard library, on which nothing was fitted. A person asks for a change, and in half of
the cases names the file. The agent reads files, that one somewhere among them, edits it, runs the tests, and reads on; then the person
asks for a change of another file. Each question sends the whole conversation, as the APIs have it: texts as they are for OpenAI's, behind
line numbers for Anthropic's. Prompts of the system and descriptions of tools are not counted. No model is asked: what a model makes of a
view is not measured.
"""

from __future__ import annotations

import argparse
import json
import random
import sysconfig
import time
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dualcode.policies.files_read import read_conversation
from dualcode.policies.protocol import Ask, Question
from dualcode.policies.registry import open_policy
from tokenizer_ext.estimation import estimate

POLICIES = (
    "prune:step=1",
    "prune:step=2",
    "prune",
    "prune:step=8",
    "prune:keep=4",
    "prune:view=outline",
    "prune:view=prune=400",
    "prune:view=no-docstrings+no-comments",
)
_CACHED = 0.1  # what a token costs that stands in the beginning that the question before had, against another
_SIZES = (1_500, 60_000)  # characters of a file
_LEAST = 6  # files of a package
_MOST = 12  # files that an agent reads for one change
_NOT = ("encodings", "idlelib", "lib2to3", "test", "tests", "site-packages", "turtledemo", "pydoc_data")
_DONE = "11 passed in 0.42s"
Messages = list[dict[str, Any]]


def options(parser: argparse.ArgumentParser) -> None:
    """Declare the options."""
    parser.add_argument("--prune-packages", type=int, default=16, metavar="N", help="packages, each of two conversations (default 16)")


def measure(args: argparse.Namespace) -> dict[str, Any]:
    """All figures."""
    conversations = [form(name, files) for name, files in packages()[: args.prune_packages] for form in (_openai, _anthropic)]
    requests = [[one[:end] for end in _ends(one)] for one in conversations]
    reads = [read for one in conversations for read in read_conversation(one).reads]
    figures: dict[str, Any] = {
        "conversations": len(conversations),
        "requests": sum(map(len, requests)),
        "reads": len(reads),
        "policies": {"": _sent(requests, None)},
    }
    for name in POLICIES:
        figures["policies"][name] = _sent(requests, open_policy(name))
    return figures


# ------------------------------------------------------------------------------------------------------------- conversations


def packages() -> list[tuple[str, list[tuple[str, str]]]]:
    """Packages of the standard library, and the paths and texts of their files, in an order that is always the same."""
    found = []
    library = Path(sysconfig.get_paths()["stdlib"])
    for folder in sorted(path for path in library.iterdir() if (path / "__init__.py").exists() and path.name not in _NOT):
        texts = [
            (path, path.read_text(encoding="utf-8")) for path in sorted(folder.rglob("*.py")) if not set(path.parts) & {"test", "tests"}
        ]
        files = [(path.relative_to(library).as_posix(), text) for path, text in texts if _SIZES[0] <= len(text) <= _SIZES[1]]
        if len(files) >= _LEAST:
            random.Random(folder.name).shuffle(files)
            found.append((folder.name, files))
    random.Random(17).shuffle(found)
    return found


def steps(files: list[tuple[str, str]]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """What an agent does: the name of a tool, its arguments, and the result; a name alone is what the person asks."""
    half = len(files) // 2
    for number, part in enumerate((files[:half], files[half:])):
        (path, text), *others = part[:_MOST]
        yield (f"Make the errors of {path} clearer." if (number + half) % 2 else "Make the errors clearer."), {}, ""
        first = others[: len(others) // 2]
        first.insert(random.Random(path).randint(0, len(first)), (path, text))
        for other in first:
            yield "read", {"path": other[0]}, other[1]
        line = next(line for line in text.split("\n") if len(line) > 20)
        yield "edit", {"path": path, "old": line, "new": f"{line}  # checked"}, "The file was changed."
        yield "bash", {"command": "python -m pytest -q"}, _DONE
        for other in others[len(others) // 2 :]:
            yield "read", {"path": other[0]}, other[1]
        yield "bash", {"command": "python -m pytest -q"}, _DONE


def _openai(_: str, files: list[tuple[str, str]]) -> Messages:
    """A conversation in the form of OpenAI's chats, with the tools of Qwen Code."""
    tools = {"read": ("read_file", "absolute_path"), "edit": ("edit", "file_path"), "bash": ("run_shell_command", "command")}
    names = {"path": "", "old": "old_string", "new": "new_string", "command": "command"}
    messages: Messages = []
    for at, (kind, given, result) in enumerate(steps(files)):
        if not given:
            messages.append({"role": "user", "content": kind})
            continue
        arguments = {names[key] or tools[kind][1]: f"/project/{value}" if key == "path" else value for key, value in given.items()}
        function = {"name": tools[kind][0], "arguments": json.dumps(arguments)}
        messages.append({"role": "assistant", "content": None, "tool_calls": [{"id": f"c{at}", "type": "function", "function": function}]})
        messages.append({"role": "tool", "tool_call_id": f"c{at}", "content": result})
    return [*messages, {"role": "assistant", "content": "It is done."}]


def _anthropic(_: str, files: list[tuple[str, str]]) -> Messages:
    """A conversation in the form of Anthropic's Messages, with the tools of Claude Code."""
    tools = {"read": "Read", "edit": "Edit", "bash": "Bash"}
    names = {"path": "file_path", "old": "old_string", "new": "new_string", "command": "command"}
    messages: Messages = []
    for at, (kind, given, result) in enumerate(steps(files)):
        if not given:
            messages.append({"role": "user", "content": [{"type": "text", "text": kind}]})
            continue
        arguments = {names[key]: f"/project/{value}" if key == "path" else value for key, value in given.items()}
        use = {"type": "tool_use", "id": f"t{at}", "name": tools[kind], "input": arguments}
        messages.append({"role": "assistant", "content": [use]})
        shown = "".join(f"{number:6}\t{line}\n" for number, line in enumerate(result.splitlines(), 1)) if kind == "read" else result
        messages.append({"role": "user", "content": [{"type": "tool_result", "tool_use_id": f"t{at}", "content": shown}]})
    return [*messages, {"role": "assistant", "content": [{"type": "text", "text": "It is done."}]}]


def _ends(messages: Messages) -> list[int]:
    """Where the model is asked: before each of its answers."""
    return [at for at, message in enumerate(messages) if message["role"] == "assistant"]


# ------------------------------------------------------------------------------------------------------------------- figures


def _sent(requests: list[list[Messages]], policy: Any) -> dict[str, Any]:
    """What is sent for all requests: tokens, what they cost where beginnings are kept, and what became of the files."""
    row = {"tokens": 0, "cost": 0.0, "last": 0, "shortened": 0, "other": 0, "edits": 0, "edits_of_views": 0, "seconds": 0.0}
    for conversation in requests:
        before: Sequence[Any] = ()
        for messages in conversation:
            start = time.process_time()
            decision = policy.before(Question("chat", messages=messages)) if policy is not None else None
            row["seconds"] += time.process_time() - start
            sent = decision.question.messages if isinstance(decision, Ask) else messages
            same = next(
                (at for at, (one, other) in enumerate(zip(before, sent, strict=False)) if one != other), min(len(before), len(sent))
            )
            counts = [_tokens(json.dumps(message, ensure_ascii=False)) for message in sent]
            row["tokens"] += sum(counts)
            row["cost"] += _CACHED * sum(counts[:same]) + sum(counts[same:])
            changed = {at for at, (one, other) in enumerate(zip(messages, sent, strict=True)) if one is not other}
            read = {one.place.message: one.path for one in read_conversation(messages).reads}
            said = json.dumps(conversation[-1][len(messages)]) if messages is not conversation[-1] else ""
            if "old_string" in said:
                row["edits"] += 1
                row["edits_of_views"] += any(read[at] in said for at in changed & set(read))
            before = sent
        row["last"] += sum(counts)
        row["shortened"] += len(changed)
        row["other"] += len(changed - set(read))
    return {name: round(value, 2) for name, value in row.items()}


@cache
def _tokens(message: str) -> int:
    """About how many tokens a message is, its JSON without escapes."""
    return estimate(message.replace("\\n", "\n").replace('\\"', '"'))


def rendered(figures: dict[str, Any]) -> str:
    """The figures as Markdown."""
    whole = figures["policies"][""]
    lines = [
        f"{figures['conversations']} conversations of an agent about packages of the standard library, {figures['requests']:,} requests, "
        f"{figures['reads']:,} files read; tokens are estimated.",
        "*Cached* counts a token in a beginning that the request before had as a tenth of one.",
        "*Edits of views* are edits of a file that was shortened in the request which they answer: a model would have to read it again.",
        "",
        "| policy | tokens sent | saved | saved in the last requests | cached | saved | files shortened | edits of views | ms a request |",
        "|---|" + "--:|" * 8,
    ]
    for name, row in figures["policies"].items():
        cells = [f"`{name}`" if name else "none", f"{row['tokens']:,}", _saved(row, whole, "tokens"), _saved(row, whole, "last")]
        cells += [f"{row['cost']:,.0f}", _saved(row, whole, "cost"), f"{row['shortened']:,}", f"{row['edits_of_views']} of {row['edits']}"]
        lines.append("| " + " | ".join([*cells, f"{1000 * row['seconds'] / figures['requests']:.1f}"]) + " |")
    others = sum(row["other"] for row in figures["policies"].values())
    return "\n".join([*lines, "", f"Texts that changed although they are not files that were read: {others}."]) + "\n"


def _saved(row: dict[str, Any], whole: dict[str, Any], name: str) -> str:
    return f"{100 * (1 - row[name] / whole[name]):.1f} %" if row is not whole else ""

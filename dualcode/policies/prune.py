"""Prune: files of Python that a conversation has read, and that nobody works on any more, are shortened to a view of them.

The views are those of ``transpiler.views``; which results of tools are whole files, ``files_read`` tells. What is left out is lost to the
model until it reads the file again, and the text says so.
"""

from __future__ import annotations

import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from dualcode.conversion.framings import CodeBlock, read_blocks
from dualcode.conversion.gutters import read_gutter
from dualcode.conversion.memory import Memory
from dualcode.conversion.messages import is_text_part
from dualcode.conversion.outcomes import Converted
from dualcode.conversion.programs import NO_PROGRAM, SNIPPET, evidence
from dualcode.conversion.tool_results import PythonCode
from dualcode.policies.files_read import Conversation, FileRead, read_conversation
from dualcode.policies.options import Options
from dualcode.policies.protocol import Ask, Policy, Question
from simpy_grammar.dialect import PYTHON
from simpy_grammar.errors import SimPyError
from tokenizer_ext.estimation import estimate
from transpiler.source import split_lines
from transpiler.views import view
from transpiler.views.registry import parse_views

SIGNATURES = "signatures"
_OF_PARTS = ("symbol", "lines")  # views of one piece, which no two files share
_VIEW, _SAVED = "view", "saved"
_MOST = 1_000_000  # files


class Prune(Policy):
    """Shortens files that were read to a view.

    A file stays whole if the model has not answered since it was read, if it is among those read last, if it was read before, or if the
    person or a call that does more than read has named it.

    Args:
        views: the views (see ``transpiler.views``); all but ``symbol`` and ``lines``.
        keep: how many of the files that were read last stay whole, at least 1.
        step: files are shortened so many at a time, so that the beginning of the conversation changes more rarely.

    Raises:
        SimPyError: there is no such view.

    >>> Prune().before(Question("chat", messages=[{"role": "user", "content": "hello"}]))
    """

    name = "prune"

    def __init__(self, views: Sequence[str] = (SIGNATURES,), keep: int = 2, step: int = 4) -> None:
        if any(one.kind.value is not None and one.kind.value[0] in ("NAME", "A-B") for one in parse_views(views)):
            raise SimPyError("the policy prune shows whole files", hint=f"use another view than {' and '.join(_OF_PARTS)}")
        self.views = tuple(views)
        self.keep = keep
        self.step = step
        self._memory = Memory()

    @property
    def identity(self) -> str:
        """What it leaves out."""
        return f"{self.name} {self.views} {self.keep} {self.step}"

    def before(self, question: Question) -> Ask | None:
        """Shorten what may be shortened."""
        if not question.is_chat:
            return None
        messages = list(question.messages)
        files = saved = 0
        for read in self._old(read_conversation(messages)):
            message = messages[read.place.message]
            text = text_of(message, read)
            found = "" if text is None else self._shortened(text)
            if text is not None and found:
                messages[read.place.message] = with_text(message, read, PythonCode(found) if isinstance(text, PythonCode) else found)
                files += 1
                saved += int(self._memory.convert(_SAVED, text, lambda text: Converted(str(estimate(text) - estimate(found)))).text)  # noqa: B023
        if not files:
            return None
        shortened = f"{files:,} {'file' if files == 1 else 'files'} shortened, about {saved:,} tokens fewer"
        return Ask(replace(question, messages=messages), shortened)

    def _old(self, conversation: Conversation) -> list[FileRead]:
        """The files that may be shortened."""
        reads = conversation.reads
        count = max(len(reads) - self.keep, 0) // self.step * self.step
        paths = [posixpath.normpath(read.path) for read in reads]
        newest = {path: at for at, path in enumerate(paths)}
        return [
            read
            for at, (read, path) in enumerate(zip(reads[:count], paths, strict=False))
            if read.place.message < conversation.seen
            and not (newest[path] == at and path in paths[:at])
            and not conversation.is_named(read.path)
        ]

    def _shortened(self, text: str) -> str:
        """A result with its file as the view shows it; empty where it is not certain what the file is, or nothing is saved."""
        return self._memory.convert(_VIEW, text, lambda text: Converted(shortened(text, self.views))).text


def shortened(text: str, views: Sequence[str]) -> str:
    """The result of a tool that has read a file, with the file as some views show it.

    Args:
        text: a file of Python as a whole, or one block of it in markup, in a fence or behind line numbers.
        views: the views.

    Returns:
        The text; empty where it does not hold just one file, or would not be shorter.

    >>> print(shortened("import os\\n\\ndef total(prices):\\n" + "    prices = sorted(prices)\\n" * 9, ["signatures"]).rstrip())
    # shortened by the policy prune: 10 statements, 1 body left out; read the file again to see it whole
    def total(prices): ...
    """
    if evidence(text) != NO_PROGRAM:
        found = _viewed(text, views)
    else:
        pieces = list(read_blocks(text, SNIPPET))
        blocks = [piece for piece in pieces if isinstance(piece, CodeBlock)]
        if len(blocks) != 1 or blocks[0].code is None or blocks[0].refused:
            return ""
        block = blocks[0]
        inner = _viewed(_without_gutter(blocks[0].code), views)
        found = "".join(piece if isinstance(piece, str) else block.before + block.write(inner) + block.after for piece in pieces)
        found = found if inner else ""
    return found if len(found) < len(text) else ""


def _without_gutter(code: str) -> str:
    """Code without a gutter of line numbers; empty if its first line is not that of the file."""
    lines = split_lines(code)
    numbered = read_gutter(lines, shortest=1) if lines else None
    if numbered is None or "".join(lines[numbered.length :]).strip():
        return code
    return numbered.code if numbered.first == 1 else ""


def _viewed(code: str, views: Sequence[str]) -> str:
    """A file as some views show it, with a comment that says what is missing; empty if nothing of it would be left, or all."""
    try:
        shown = view(code, views, dialect=PYTHON, numbers=None, count=estimate)
    except SimPyError:
        return ""
    if not shown.program.strip() or not shown.left_out:
        return ""
    program = shown.program if code.endswith("\n") else shown.program.removesuffix("\n")
    return f"# shortened by the policy prune: {shown.summary} left out; read the file again to see it whole\n{program}"


def text_of(message: Mapping[str, Any], read: FileRead) -> str | None:
    """The text of a result; ``None`` if it has none, or several.

    >>> from dualcode.policies.files_read import Place
    >>> text_of({"role": "tool", "content": [{"type": "text", "text": "x = 1"}]}, FileRead("a.py", Place(0, None)))
    'x = 1'
    """
    content = _holder(message, read).get("content")
    if isinstance(content, list) and len(content) == 1 and isinstance(content[0], Mapping) and is_text_part(content[0]):
        content = content[0]["text"]
    return content if isinstance(content, str) else None


def with_text(message: Mapping[str, Any], read: FileRead, text: str) -> dict[str, Any]:
    """A message with another text of a result, of which ``text_of`` gives the present one."""
    holder = _holder(message, read)
    content = holder["content"]
    new = {**holder, "content": text if isinstance(content, str) else [{**content[0], "text": text}]}
    at = read.place.block
    if at is None:
        return new
    blocks = message["content"]
    return {**message, "content": [*blocks[:at], new, *blocks[at + 1 :]]}


def _holder(message: Mapping[str, Any], read: FileRead) -> Mapping[str, Any]:
    """The object whose content is the result."""
    holder: Mapping[str, Any] = message if read.place.block is None else message["content"][read.place.block]
    return holder


def open_policy(options: Options) -> Prune:
    """The policy, with ``view=VIEW+VIEW``, ``keep=N`` and ``step=N``."""
    views = options.text("view", SIGNATURES).split("+")
    return Prune(views, _count(options, "keep", 2), _count(options, "step", 4))


def _count(options: Options, name: str, default: int) -> int:
    value = options.number(name, default, 1, _MOST)
    if value != int(value):
        raise SimPyError(f"the option {name} of the policy prune is a whole number, not {value:g}")
    return int(value)

"""What a conversation tells about files: which results of tools show whole files of Python, and which files are named elsewhere.

Messages are those of OpenAI's chats or of Anthropic's Messages; they are told apart by their shape.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from dualcode.conversion.labels import is_python_path
from dualcode.conversion.tool_calls import TOOLS, EditTool
from dualcode.conversion.tool_calls.arguments import read_arguments
from dualcode.conversion.tool_calls.known import is_same_file
from dualcode.conversion.tool_calls.tools import find_tool

_READS = re.compile(r"read|view|open|show|cat(?![a-z])|get_?file|load|fetch", re.IGNORECASE)
_PATHS = ("path", "file_path", "filePath", "absolute_path", "relative_path", "target_file", "filename", "file", "uri")
"""The arguments in which tools take the name of a file."""
_COMMAND, _VIEW = "command", "view"  # an editor that reads files too
_PATH_IN_TEXT = re.compile(r"[^\s`*\"'<>|(){}\[\],;:#=]*\.py[iw]?(?!\w)")
_WORD = re.compile(r"\w+")


class Place(NamedTuple):
    """Where the text of a result stands.

    Attributes:
        message: the index of the message.
        block: the index of the block in its content; ``None`` where the message itself is the result.
    """

    message: int
    block: int | None


@dataclass(frozen=True)
class FileRead:
    """A result of a tool that was asked for a whole file of Python.

    Attributes:
        path: the file, as the call names it.
        place: where the result stands.
    """

    path: str
    place: Place


@dataclass(frozen=True)
class Conversation:
    """What a conversation tells about files.

    Attributes:
        reads: the results of tools that read whole files, the newest last.
        named: the files that the person named, and those that tools were called for which do more than read.
        words: the words of what the person said: a file may be named by the name of its module.
        seen: the messages before this one are those that the model has answered.
    """

    reads: tuple[FileRead, ...]
    named: frozenset[str]
    words: frozenset[str]
    seen: int

    def is_named(self, path: str) -> bool:
        """Whether a file is among those that are named.

        >>> said = Conversation((), frozenset(["src/app.py"]), frozenset(["shop"]), 0)
        >>> said.is_named("/home/me/src/app.py"), said.is_named("src/shop.py"), said.is_named("src/shops.py")
        (True, True, False)
        """
        last = posixpath.basename(path.replace("\\", "/"))
        return last.partition(".")[0] in self.words or any(other.endswith(last) and is_same_file(path, other) for other in self.named)


class _Call(NamedTuple):
    """A call of a tool; ``arguments`` are ``None`` if they cannot be read."""

    id: object
    name: str
    arguments: dict[str, Any] | None
    text: str


def read_conversation(messages: Sequence[Mapping[str, Any]], tools: tuple[EditTool, ...] = TOOLS) -> Conversation:
    """What the messages of a chat tell about files.

    Args:
        messages: the messages, as OpenAI's chats or Anthropic's Messages have them.
        tools: the tools that edit files.

    >>> use = {"type": "tool_use", "id": "1", "name": "Read", "input": {"file_path": "src/app.py"}}
    >>> result = {"type": "tool_result", "tool_use_id": "1", "content": "x = 1"}
    >>> said = [{"role": "assistant", "content": [use]}, {"role": "user", "content": [result, {"type": "text", "text": "and b.py?"}]}]
    >>> read_conversation(said)  # doctest: +ELLIPSIS
    Conversation(reads=(FileRead(path='src/app.py', place=Place(message=1, block=0)),), named=frozenset({'b.py'}), words=..., seen=0)
    """
    asked: dict[str, str] = {}
    reads: list[FileRead] = []
    named: set[str] = set()
    words: set[str] = set()
    seen = 0
    for index, message in enumerate(messages):
        if message.get("role") == "assistant":
            seen = index
        elif message.get("role") == "user":
            for text in _texts(message):
                named.update(_paths_in(text))
                words.update(_WORD.findall(_PATH_IN_TEXT.sub(" ", text)))
        for call in _calls(message):
            path = path_read(call.name, call.arguments or {})
            if path is None:
                named.update(_named_by(call, tools))
            elif isinstance(call.id, str) and not _is_part(call.arguments or {}):
                asked[call.id] = path
        reads += (FileRead(asked[of], Place(index, block)) for of, block in _results(message) if isinstance(of, str) and of in asked)
    return Conversation(tuple(reads), frozenset(named), frozenset(words), seen)


def path_read(name: str, arguments: Mapping[str, Any]) -> str | None:
    """The file of Python that a call reads and does not change; ``None`` if it is not such a call.

    >>> path_read("read_file", {"path": "a.py"}), path_read("str_replace_editor", {"command": "view", "path": "a.py"})
    ('a.py', 'a.py')
    >>> path_read("Edit", {"file_path": "a.py"}), path_read("Read", {"file_path": "notes.txt"})
    (None, None)
    """
    reads = arguments[_COMMAND] == _VIEW if _COMMAND in arguments else _READS.search(name) is not None
    paths = [arguments[key] for key in _PATHS if key in arguments]
    if not reads or len(paths) != 1 or not isinstance(paths[0], str) or find_tool(TOOLS, name, arguments) is not None:
        return None
    return paths[0] if is_python_path(paths[0]) else None


def _is_part(arguments: Mapping[str, Any]) -> bool:
    """Whether a call that reads a file may ask for a part of it: it says something beside the name."""
    return any(not (key in _PATHS or key == _COMMAND or value is None) for key, value in arguments.items())


def _named_by(call: _Call, tools: tuple[EditTool, ...]) -> Iterator[str]:
    """The files that a call is about which does more than read one."""
    if call.arguments is None or find_tool(tools, call.name, call.arguments) is not None:
        yield from _paths_in(call.text)
    else:
        yield from (path for key in _PATHS if isinstance(path := call.arguments.get(key), str) and is_python_path(path))


def _paths_in(text: str) -> Iterable[str]:
    return _PATH_IN_TEXT.findall(text)


def _objects(value: object) -> list[tuple[int, Mapping[str, Any]]]:
    """The objects in a list, with their indexes; none if it is not a list."""
    return [(at, one) for at, one in enumerate(value) if isinstance(one, Mapping)] if isinstance(value, list | tuple) else []


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    """What somebody says in a message; results of tools are not said."""
    content = message.get("content")
    parts: list[object] = [content] if isinstance(content, str) else [part.get("text") for _, part in _objects(content)]
    yield from (text for text in parts if isinstance(text, str))


def _calls(message: Mapping[str, Any]) -> Iterator[_Call]:
    """The calls of tools in a message."""
    for _, call in _objects(message.get("tool_calls")):
        said = call.get("function") or call.get("custom")
        if isinstance(said, Mapping) and isinstance(said.get("name"), str):
            text = said.get("arguments", said.get("input"))
            text = text if isinstance(text, str) else ""
            yield _Call(call.get("id"), said["name"], read_arguments(text), text)
    for _, block in _objects(message.get("content")):
        if block.get("type") == "tool_use" and isinstance(block.get("name"), str) and isinstance(block.get("input"), dict):
            yield _Call(block.get("id"), block["name"], block["input"], json.dumps(block["input"], ensure_ascii=False))


def _results(message: Mapping[str, Any]) -> Iterator[tuple[object, int | None]]:
    """The results of tools in a message that are not errors: the calls that they are of, and their blocks."""
    if message.get("role") == "tool":
        yield message.get("tool_call_id"), None
    for at, block in _objects(message.get("content")):
        if block.get("type") == "tool_result" and not block.get("is_error"):
            yield block.get("tool_use_id"), at

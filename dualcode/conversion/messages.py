"""The messages of a chat, in OpenAI's form, as the model sees them. The wrapper and the proxy both convert them here.

What is converted in a text is decided by ``markdown``; what tools and callers mark as Python, by ``tool_results``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from dualcode.conversion.markdown import MixedText
from dualcode.conversion.outcomes import Converted, Note, Shortened, Texts
from dualcode.conversion.programs import SNIPPET
from dualcode.conversion.reply_stream import ReplyStream
from dualcode.conversion.tool_results import MARK, TOOL_ROLES, PythonCode, is_marked
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError

CONVERTED_ROLES = frozenset(("system", "developer", "user", "assistant"))
"""Messages of these roles are converted; those of other roles only where the caller asks for it."""
TEXT_PARTS = frozenset(("text", "input_text"))
"""Types of the parts of a message that hold text."""
MEDIA_PARTS = frozenset(("image", "image_url", "input_image", "input_audio", "audio", "video", "video_url"))
"""Types of parts that cannot be Python: they pass without a note."""
_REMEMBERED, _SHORT = 512, 1 << 14  # how many conversions are remembered, and the length of a text below which they are, in characters


def is_text_part(part: Mapping[str, Any]) -> bool:
    """Whether a part of a message is a text.

    >>> is_text_part({"type": "text", "text": "a"}), is_text_part({"type": "text", "text": ["a"]}), is_text_part({"type": ["text"]})
    (True, False, False)
    """
    named, text = part.get("type"), part.get("text")
    return isinstance(named, str) and named in TEXT_PARTS and isinstance(text, str)


@dataclass
class ConvertedMessages:
    """Messages as the model sees them.

    Attributes:
        messages: the messages; those that did not change are the objects that were given.
        notes: what passes as received although it might be Python.
        texts: all texts of the messages, in both forms.
        pieces: the code of all converted parts of the conversation, in order.
        changed: whether the messages differ from those given, marks included.
        begun: the beginning of the answer, where the last message is one of the assistant: the model goes on with it.
    """

    messages: Any
    notes: list[Note] = field(default_factory=list)
    texts: Texts = field(default_factory=Texts)
    pieces: list[Shortened] = field(default_factory=list)
    changed: bool = False
    begun: str = ""


class MessageConverter:
    """Converts messages for the models of one dialect, and their answers back.

    Args:
        dialect: what the model reads and writes.
        bare: convert code outside of fenced blocks too (see ``MixedText``).
        on_error: ``"pass"`` to leave what cannot be converted as received, with a note; ``"raise"`` to raise the error.
        verify: prove each conversion before it is sent.
        numbers: number definitions where a gutter of line numbers is taken away.

    Raises:
        DialectError: there is no such dialect.

    >>> converter = MessageConverter("classic")
    >>> found = converter.to_model([{"role": "user", "content": [{"type": "text", "text": "x = 1", "simpy": "python"}, {"type": "file"}]}])
    >>> found.messages
    [{'role': 'user', 'content': [{'type': 'text', 'text': 'x=1'}, {'type': 'file'}]}]
    >>> [str(note) for note in found.notes]
    ["message 1, part 2, line 1: not converted: a part of type 'file'"]
    """

    def __init__(
        self, dialect: str | Path | Dialect, *, bare: bool = False, on_error: str = "pass", verify: bool = True, numbers: bool = True
    ) -> None:
        self.mixed = MixedText(dialect, bare=bare, on_error=on_error, verify=verify, numbers=numbers)
        # A chat sends all that was said before with each new message.
        self._remembered = lru_cache(_REMEMBERED)(self.mixed.to_model)
        # The result of a tool may be a file of Python as a whole.
        self._tools = MixedText(self.mixed.dialect, on_error=on_error, verify=verify, numbers=numbers, least=SNIPPET)
        self._remembered_tools = lru_cache(_REMEMBERED)(self._tools.to_model)

    def reply_stream(self, found: ConvertedMessages | None = None) -> ReplyStream:
        """What converts the answer to some messages back; an answer may go on inside a block that the last of them has opened."""
        return self.mixed.reply_stream(found.begun if found is not None else "")

    def to_model(self, messages: object, *, tool_results: bool = True) -> ConvertedMessages:
        """Convert messages. The given ones are never changed; what is not understood passes as received.

        Args:
            messages: a list of messages.
            tool_results: convert results of tools too: the Python in them, and those that are Python as a whole.

        Raises:
            PythonSyntaxError: a text marked as Python is not, and ``on_error`` is ``"raise"``.
        """
        if not isinstance(messages, list | tuple):
            return ConvertedMessages(messages, [Note(1, "the messages are not a list")])
        found = ConvertedMessages(list(messages))
        for index, message in enumerate(messages):
            found.messages[index] = _Walk(self, tool_results, found, f"message {index + 1}").message(message)
        last = found.messages[-1] if found.messages else None
        if isinstance(last, Mapping) and last.get("role") == "assistant":
            found.begun = _text_of(last.get("content"))
        return found

    def convert_text(self, text: str, role: object, *, marked: bool, tool_results: bool) -> Converted:
        """Convert one text of a message of some role; ``marked`` says that it is Python as a whole."""
        if marked or isinstance(text, PythonCode):
            return self.mixed.code_to_model(text)
        if isinstance(role, str) and role in CONVERTED_ROLES:
            return (self._remembered if len(text) < _SHORT else self.mixed.to_model)(text)
        if tool_results and isinstance(role, str) and role in TOOL_ROLES:
            return (self._remembered_tools if len(text) < _SHORT else self._tools.to_model)(text)
        return Converted(text)


class _Walk:
    """One message on its way to the model: its parts in order, each the same object if nothing in it changes."""

    def __init__(self, converter: MessageConverter, tool_results: bool, found: ConvertedMessages, where: str) -> None:
        self._converter = converter
        self._tool_results = tool_results
        self._found = found
        self._where = where
        self._role: object = None
        self._marked = False  # the message as a whole

    def message(self, message: object) -> object:
        """The message as the model sees it."""
        if not isinstance(message, Mapping):
            self._refuse("a message that is not an object", self._where)
            return message
        self._marked, self._role = is_marked(message), message.get("role")
        content = message.get("content")
        new: object = content
        if isinstance(content, str):
            new = self._text(content, self._marked, self._where)
        elif isinstance(content, list | tuple):
            parts = [self._part(part, f"{self._where}, part {index + 1}") for index, part in enumerate(content)]
            if any(one is not other for one, other in zip(parts, content, strict=True)):
                new = parts
        elif content is not None or self._marked:
            self._refuse("a message without a text", self._where, self._marked)
        if new is content and not self._marked:
            return message
        self._found.changed = True
        kept = _without_mark(message) if self._marked else message
        return kept if new is content else {**kept, "content": new}

    def _part(self, part: object, where: str) -> object:
        if not isinstance(part, Mapping):
            self._refuse("a part that is not an object", where, self._marked)
            return part
        marked = is_marked(part)
        kept = _without_mark(part) if marked else part
        if is_text_part(part):
            new = self._text(part["text"], self._marked or marked, where)
            return kept if new is part["text"] else {**kept, "text": new}
        named = part.get("type")
        if not isinstance(named, str):
            self._refuse("a part without a type", where, marked)
        elif named in TEXT_PARTS:
            self._refuse(f"a part of type {named!r} whose text is not a string", where, self._marked or marked)
        elif marked or named not in MEDIA_PARTS:
            self._refuse(f"a part of type {named!r}", where, marked)
        return kept

    def _text(self, text: str, marked: bool, where: str) -> str:
        converted = self._converter.convert_text(text, self._role, marked=marked, tool_results=self._tool_results)
        self._found.notes += [replace(note, where=where) for note in converted.notes]
        self._found.texts.add(converted.text, text)
        self._found.pieces += converted.pieces
        return text if converted.text == text else converted.text

    def _refuse(self, reason: str, where: str, marked: bool = False) -> None:
        """Report what passes as received; an error where the caller has marked it as Python and wants errors."""
        if marked and self._converter.mixed.on_error == "raise":
            raise PythonSyntaxError(f"{where}: {reason}")
        self._found.notes.append(Note(1, reason, where=where))


def _text_of(content: object) -> str:
    """The texts of the content of a message, joined."""
    if isinstance(content, str):
        return content
    return (
        "".join(part["text"] for part in content if isinstance(part, Mapping) and is_text_part(part)) if isinstance(content, list) else ""
    )


def _without_mark(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in holder.items() if key != MARK}

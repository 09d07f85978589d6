"""The messages of a chat, in OpenAI's form, as the model sees them. The wrapper and the proxy both convert them here.

What is converted in a text is decided by ``markdown``; what tools and callers mark as Python, by ``tool_results``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from dualcode.conversion.markdown import MixedText
from dualcode.conversion.memory import Memory
from dualcode.conversion.outcomes import Converted, Note, Shortened, Texts
from dualcode.conversion.programs import SNIPPET
from dualcode.conversion.reply_stream import ReplyStream
from dualcode.conversion.tool_results import MARK, TOOL_ROLES, PythonCode, is_marked
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError

CONVERTED_ROLES = frozenset(("system", "developer", "user", "assistant"))
"""Messages of these roles are converted; those of other roles only where the caller asks for it."""


@dataclass(frozen=True)
class PartKind:
    """Where a part of some type has its text.

    Attributes:
        key: the field that holds the text. Where ``nested``, it may also hold a list of parts, or one part.
        nested: whether the field holds more than a text.
        role: the role that the text has, where it is not that of the message.
        parts: the types of the parts inside; ``None`` for the same as outside.
    """

    key: str = "text"
    nested: bool = False
    role: str | None = None
    parts: Mapping[str, PartKind] | None = None


TEXT_PARTS: Mapping[str, PartKind] = {"text": PartKind(), "input_text": PartKind(), "output_text": PartKind()}
"""Types of the parts of a message that hold text, in OpenAI's APIs."""
MEDIA_PARTS = frozenset(("image", "image_url", "input_image", "input_audio", "audio", "video", "video_url"))
"""Types of parts that cannot be Python: they pass without a note."""
TEXT, TOOL, CODE = "text", "tool", "code"
"""The conversions: of a text with Python in it, of the result of a tool, of a text that is Python as a whole."""


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
        shortened: the code of all converted parts of the conversation, in order.
        changed: whether the messages differ from those given, marks included.
        begun: the beginning of the answer, if the last message is the assistant's: the model continues it.
    """

    messages: Any
    notes: list[Note] = field(default_factory=list)
    texts: Texts = field(default_factory=Texts)
    shortened: list[Shortened] = field(default_factory=list)
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
        memory: remembers what was converted, since a chat sends all that was said before with each new message. It is for this
            converter alone.
        elsewhere: what to call instead of ``convert_anew`` for a text that is not remembered, with the same arguments.

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
        self,
        dialect: str | Path | Dialect,
        *,
        bare: bool = False,
        on_error: str = "pass",
        verify: bool = True,
        numbers: bool = True,
        memory: Memory | None = None,
        elsewhere: Callable[[str, str], Converted] | None = None,
    ) -> None:
        self.mixed = MixedText(dialect, bare=bare, on_error=on_error, verify=verify, numbers=numbers)
        # The result of a tool may be a file of Python as a whole.
        tools = MixedText(self.mixed.dialect, on_error=on_error, verify=verify, numbers=numbers, least=SNIPPET)
        self._conversions = {TEXT: self.mixed.to_model, TOOL: tools.to_model, CODE: self.mixed.code_to_model}
        self._memory = Memory() if memory is None else memory
        self._elsewhere = elsewhere or self.convert_anew

    def reply_stream(self, begun: str = "") -> ReplyStream:
        """What converts an answer back; ``begun`` is a beginning of it that the request held (``ConvertedMessages.begun``)."""
        return self.mixed.reply_stream(begun)

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
        walk = Walk(self, tool_results=tool_results)
        found = [walk.message(message, f"message {index + 1}") for index, message in enumerate(messages)]
        return ConvertedMessages(found, walk.notes, walk.texts, walk.shortened, walk.changed, walk.begun)

    def convert_text(self, text: str, role: object, *, marked: bool, tool_results: bool) -> Converted:
        """Convert one text of a message of some role; ``marked`` says that it is Python as a whole."""
        if marked or isinstance(text, PythonCode):
            how = CODE
        elif isinstance(role, str) and role in CONVERTED_ROLES:
            how = TEXT
        elif tool_results and isinstance(role, str) and role in TOOL_ROLES:
            how = TOOL
        else:
            return Converted(text)
        return self._memory.convert(how, text, lambda text: self._elsewhere(how, text))

    def convert_anew(self, how: str, text: str) -> Converted:
        """Convert one text in the way of this name, remembered or not."""
        return self._conversions[how](text)


class Walk:
    """A request on its way to the model: its texts in order. Nothing given is changed; what does not change is the same object.

    Args:
        converter: converts the texts.
        tool_results: convert results of tools too.
        parts: the types of parts that hold text.
        silent: the types of parts that pass without a note.

    Attributes:
        notes: what passes as received although it might be Python.
        texts: all texts so far, in both forms.
        changed: whether anything changed, marks included.
        shortened: the code that was converted, in both forms, in order.
        begun: the last content, if it is the model's own: the answer may continue a block that it has opened.

    >>> walk = Walk(MessageConverter("classic"))
    >>> walk.content("```py\\nx = 1\\n```", "user", "input"), walk.changed
    ('```py\\nx=1\\n```', True)
    """

    def __init__(
        self,
        converter: MessageConverter,
        *,
        tool_results: bool = True,
        parts: Mapping[str, PartKind] = TEXT_PARTS,
        silent: frozenset[str] = MEDIA_PARTS,
    ) -> None:
        self._converter = converter
        self._tool_results = tool_results
        self._parts = parts
        self._silent = silent
        self.notes: list[Note] = []
        self.texts = Texts()
        self.changed = False
        self.shortened: list[Shortened] = []
        self.begun = ""

    def message(self, message: object, where: str) -> Any:
        """The message as the model sees it."""
        if not isinstance(message, Mapping):
            self.refuse("a message that is not an object", where)
            return message
        return self.field(message, "content", message.get("role"), where)

    def field(self, holder: Mapping[str, Any], key: str, role: object, where: str) -> Mapping[str, Any]:
        """An object with its text, or its parts, as the model sees them; marked or not."""
        marked, content = is_marked(holder), holder.get(key)
        new = self.content(content, role, where, marked=marked)
        if new is content and not marked:
            return holder
        self.changed = True
        kept = _without_mark(holder) if marked else holder
        return kept if new is content else {**kept, key: new}

    def content(self, content: object, role: object, where: str, *, marked: bool = False) -> object:
        """A text, or a list of parts, as the model sees it."""
        self.begun = _text_of(content) if role == "assistant" else ""
        return self._content(content, role, where, marked, self._parts)

    def refuse(self, reason: str, where: str, marked: bool = False) -> None:
        """Report what passes as received; an error where the caller has marked it as Python and wants errors."""
        if marked and self._converter.mixed.on_error == "raise":
            raise PythonSyntaxError(f"{where}: {reason}")
        self.notes.append(Note(1, reason, where=where))

    def _content(self, content: object, role: object, where: str, marked: bool, kinds: Mapping[str, PartKind]) -> object:
        if isinstance(content, str):
            return self._text(content, role, where, marked)
        if isinstance(content, list | tuple):
            parts = [self._part(part, role, f"{where}, part {index + 1}", marked, kinds) for index, part in enumerate(content)]
            if any(one is not other for one, other in zip(parts, content, strict=True)):
                self.changed = True
                return parts
        elif content is not None or marked:
            self.refuse("a message without a text", where, marked)
        return content

    def _part(self, part: object, role: object, where: str, marked: bool, kinds: Mapping[str, PartKind]) -> object:
        if not isinstance(part, Mapping):
            self.refuse("a part that is not an object", where, marked)
            return part
        itself = is_marked(part)
        kept = _without_mark(part) if itself else part
        named = part.get("type")
        kind = kinds.get(named) if isinstance(named, str) else None
        if not isinstance(named, str):
            self.refuse("a part without a type", where, itself)
        elif kind is None:
            if itself or named not in self._silent:
                self.refuse(f"a part of type {named!r}", where, itself)
        elif _is_cited(part):
            self.refuse(f"a part of type {named!r}, since the answer is to cite it", where, itself)
        else:
            content = part.get(kind.key)
            new = self._inside(content, role, where, marked or itself, kind, kinds, named)
            return kept if new is content else {**kept, kind.key: new}
        return kept

    def _inside(
        self, content: object, role: object, where: str, marked: bool, kind: PartKind, kinds: Mapping[str, PartKind], named: str
    ) -> object:
        inner, role = kind.parts or kinds, kind.role or role
        if isinstance(content, str):
            return self._text(content, role, where, marked)
        if not kind.nested:
            self.refuse(f"a part of type {named!r} whose text is not a string", where, marked)
            return content
        if isinstance(content, Mapping):
            return self._part(content, role, where, marked, inner)
        return self._content(content, role, where, marked, inner)

    def _text(self, text: str, role: object, where: str, marked: bool) -> str:
        converted = self._converter.convert_text(text, role, marked=marked, tool_results=self._tool_results)
        self.notes += [replace(note, where=where) for note in converted.notes]
        self.texts.add(converted.text, text)
        self.shortened += converted.shortened
        if converted.text == text:
            return text
        self.changed = True
        return converted.text


def _is_cited(part: Mapping[str, Any]) -> bool:
    """Whether the answer may quote this part and count its characters, which are then to be those that the person sent."""
    asked = part.get("citations")
    return isinstance(asked, Mapping) and bool(asked.get("enabled"))


def _text_of(content: object) -> str:
    """The texts of the content of a message, joined."""
    if isinstance(content, str):
        return content
    return (
        "".join(part["text"] for part in content if isinstance(part, Mapping) and is_text_part(part)) if isinstance(content, list) else ""
    )


def _without_mark(holder: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in holder.items() if key != MARK}

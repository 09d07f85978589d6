"""Cache: an answer is kept, and given again to the same question, however the Python of the question is laid out.

A question is known by the canonical form of its Python (``canonical_forms``) and everything else as it stands. An answer that goes on with
the Python of another layout is laid out anew and given only if both make the same program; otherwise the model is asked.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

from dualcode.backends.protocol import INFILL
from dualcode.conversion.answering import answer_stream
from dualcode.conversion.fenced_code import FencedCode
from dualcode.conversion.fill_in_the_middle import Gap
from dualcode.conversion.memory import MIB
from dualcode.conversion.programs import SNIPPET, evidence
from dualcode.conversion.tool_results import TOOL_ROLES, PythonCode, is_marked
from dualcode.conversion.units import check_unit
from dualcode.policies.answer_layout import with_indents, without_indents
from dualcode.policies.answer_store import AnswerStore, Stored
from dualcode.policies.canonical_forms import canonical, suffix_form
from dualcode.policies.options import Options
from dualcode.policies.protocol import Answer, Give, Policy, Question
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError

_VERSION = 1
_ENDED = frozenset(("end", "stop", "until", "length"))
_TEXT_KEYS = frozenset(("content", "text"))
_PLACES = re.compile(
    r"(?i:\blines?\s+\d)|\bL\d+\b|\.pyi?:\d|^\s*\d+[:|\t]|^@@|^<{5,}|^--- |\*\*\* Begin Patch"
    r"|<(?:search|old|original|function|invoke)",
    re.MULTILINE,
)
"""What speaks of places in the layout of a text, or quotes it to be replaced."""
_MORE_THAN_TEXT = ("tools", "functions", "logprobs")
"""Options whose answers are more than a text."""
_CALLS = (b"tool_calls", b"tool_use", b"function_call")
_REMEMBERED = 64


class _Keys(NamedTuple):
    """What a question is known by.

    Attributes:
        key: a digest of its canonical form.
        exact: a digest of it as it was written.
    """

    key: str
    exact: str


class Cache(Policy):
    """Gives answers again that a model gave to the same question.

    Args:
        file: where answers are kept: an SQLite file, which threads and processes share. It holds answers, and digests of questions.
        size: how many MiB it holds at most; what was not used for longest goes first.
        largest: how many MiB one answer has at most.
        comments: whether comments of the Python matter.
        sampled: keep answers that were drawn at random too: then the same question always has the same answer.
        greedy: a question without a temperature is not answered at random, as with a model in this process.
        chats: a chat is the same question with its Python in another layout too. Then nothing proves that the answer is right there: a
            person may have asked about the layout.

    >>> cache = Cache(":memory:")
    >>> question = Question("complete", "if a:\\n  b = f(", options={"temperature": 0})
    >>> cache.before(question), cache.after(question, Answer("c)\\n  d\\n", "c)\\n  d\\n", stopped="end"))
    (None, None)
    >>> again = cache.before(Question("complete", "if a:\\n    b=f( ", options={"temperature": 0}))
    >>> again.answer.text, again.reason
    ('c)\\n    d\\n', 'hit, laid out anew')
    """

    name = "cache"

    def __init__(
        self,
        file: str | Path,
        size: float = 256,
        largest: float = 1,
        comments: bool = True,
        sampled: bool = False,
        greedy: bool = False,
        chats: bool = False,
    ) -> None:
        self.store = AnswerStore(file, int(size * MIB), int(largest * MIB))
        self.comments = comments
        self.sampled = sampled
        self.greedy = greedy
        self.chats = chats
        self._lock = threading.Lock()
        self._asked: OrderedDict[int, tuple[Question, _Keys | None]] = OrderedDict()

    @property
    def identity(self) -> str:
        """Its name: it changes no answer."""
        return self.name

    def before(self, question: Question) -> Give | None:
        """Give the answer, if it is there."""
        keys = self._keys(question)
        found = self._found(question, keys) if keys is not None else None
        if found is None:
            self._remember(question, keys)
        return found

    def _found(self, question: Question, keys: _Keys) -> Give | None:
        stored = self.store.get(keys.key)
        if stored is None:
            return None
        exact = stored.exact == keys.exact
        if not exact and question.options.get("stop"):
            return None  # a text that ends an answer may be of its layout
        text = stored.text if exact else self._laid_out(question, stored)
        if text is None or (not exact and stored.body and text != stored.text):
            return None
        self.store.touch(keys.key)
        answer = Answer(
            text,
            stopped=stored.stopped,
            tokens=stored.tokens,
            model=question.model,
            until=stored.until,
            body=stored.body,
            media_type=stored.media_type,
        )
        return Give(answer, "hit" if exact else "hit, laid out anew")

    def after(self, question: Question, answer: Answer) -> None:
        """Keep the answer of a model that ended as answers do."""
        keys = self._recall(question)
        if keys is None or answer.by or answer.stopped not in _ENDED:
            return
        layout, proof = "", ""
        if not question.is_chat:
            program = canonical(question.prefix + answer.python + question.suffix, comments=self.comments)
            found = without_indents(question.prefix, answer.python) if program.lines is not None else None
            layout = json.dumps(found) if found is not None else ""
            proof = _digest(program.form) if program.lines is not None else ""
        elif not _PLACES.search(answer.text) and not any(call in answer.body for call in _CALLS):
            proof = "chat"  # it speaks of nothing that another layout has elsewhere
        self.store.put(
            keys.key,
            Stored(keys.exact, proof, answer.text, layout, answer.stopped, answer.tokens, answer.until, answer.body, answer.media_type),
        )

    def close(self) -> None:
        """Let go of the file."""
        self.store.close()

    def _keys(self, question: Question) -> _Keys | None:
        """What a question is known by; ``None`` if its answer is not to be kept."""
        options = question.options
        if not self.sampled and _is_sampled(options, self.greedy) or options.get("conversation") or options.get("previous_response_id"):
            return None
        if not question.path and any(options.get(name) for name in _MORE_THAN_TEXT):
            return None  # a wrapper gives a text only
        same = (question.task, question.until, options, question.model, question.dialect, question.path, question.tenant)
        try:
            if question.is_chat and not self.chats:
                code: object = _as_said(question.messages)
            elif question.is_chat:
                code = [_message(message, self.comments) for message in question.messages]
            else:
                code = [canonical(question.prefix, comments=self.comments).form, suffix_form(question.suffix)]
            key = json.dumps([_VERSION, self.comments, question.identity, same, code], sort_keys=True)
            exact = json.dumps([question.prefix, question.suffix, _as_said(question.messages)], sort_keys=True)
        except (TypeError, ValueError, RecursionError):
            return None  # something in it is not JSON
        return _Keys(_digest(key), _digest(exact))

    def _remember(self, question: Question, keys: _Keys | None) -> None:
        with self._lock:
            self._asked[id(question)] = question, keys
            while len(self._asked) > _REMEMBERED:
                self._asked.popitem(last=False)

    def _recall(self, question: Question) -> _Keys | None:
        with self._lock:
            asked = self._asked.pop(id(question), None)
        return asked[1] if asked is not None and asked[0] is question else self._keys(question)

    def _laid_out(self, question: Question, stored: Stored) -> str | None:
        """The answer for a question in another layout than the one that it was given to; ``None`` if it is not proved to be right."""
        if not stored.proof:
            return None
        if question.is_chat:
            return stored.text
        texts = [stored.text]
        if stored.layout:
            laid = with_indents(json.loads(stored.layout), question.prefix)
            texts = [laid, *texts] if laid is not None and _says_python(question) else texts
        for text in texts:
            python = _converted(replace(question, until=question.until or stored.until), text)
            if python is None:
                continue
            program = canonical(question.prefix + python + question.suffix, comments=self.comments)
            if program.lines is not None and _digest(program.form) == stored.proof:
                return text
        return None


def open_policy(options: Options) -> Cache:
    """The policy, with ``file``, ``size`` and ``answer`` in MiB, ``comments``, ``sampled``, ``greedy`` and ``chats``."""
    file = options.text("file", "answers.sqlite")
    size, largest = options.number("size", 256, 0.001), options.number("answer", 1, 0.001)
    flags = (options.flag("comments", True), options.flag("sampled"), options.flag("greedy"), options.flag("chats"))
    return Cache(file, size, largest, *flags)


def _is_sampled(options: Mapping[str, Any], greedy: bool) -> bool:
    """Whether an answer is drawn at random, so that the next one may be another."""
    if any(options.get(name) not in (None, 1) for name in ("n", "best_of")):
        return True
    temperature = options.get("temperature")
    if options.get("seed") is not None:
        return False
    return temperature != 0 if temperature is not None else not greedy


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def _says_python(question: Question) -> bool:
    """Whether the model goes on with the person's own text."""
    dialect = _dialect(question)
    return dialect is not None and (dialect.is_python or not Gap(question.prefix, question.suffix, dialect).prompt.converted)


def _dialect(question: Question) -> Dialect | None:
    try:
        return Dialect.load(question.dialect)
    except SimPyError:
        return None


def _converted(question: Question, text: str) -> str | None:
    """The Python of an answer, as the wrapper gives it."""
    dialect = _dialect(question)
    if dialect is None:
        return None
    gap = Gap(question.prefix, question.suffix, dialect)
    stream = answer_stream(gap, question.task == INFILL, check_unit(question.until), question.options.get("stop"))
    return stream.feed(text) + stream.close()


def _message(message: Mapping[str, Any], comments: bool) -> object:
    """A message with its Python in canonical form, as JSON."""
    return _part(message, message.get("role") in TOOL_ROLES, False, comments)


def _as_said(value: object) -> object:
    """Messages as JSON, texts that the caller has marked as Python told from others."""
    if isinstance(value, PythonCode):
        return {"python": str(value)}
    if isinstance(value, Mapping):
        return {key: _as_said(item) for key, item in value.items()}
    return [_as_said(item) for item in value] if isinstance(value, list | tuple) else value


def _part(value: object, is_tool: bool, marked: bool, comments: bool) -> object:
    if isinstance(value, Mapping):
        marked = marked or is_marked(value)
        is_tool = is_tool or value.get("type") == "tool_result"
        return {
            key: _text(item, is_tool, marked, comments)
            if key in _TEXT_KEYS and isinstance(item, str)
            else _part(item, is_tool, marked, comments)
            if key in _TEXT_KEYS
            else item
            for key, item in value.items()
        }
    if isinstance(value, list | tuple):
        return [_part(item, is_tool, marked, comments) for item in value]
    return value


def _text(text: str, is_tool: bool, marked: bool, comments: bool) -> object:
    """A text of a message: what is Python of it in canonical form, and all else as it stands."""
    if marked or isinstance(text, PythonCode) or (is_tool and evidence(text) >= SNIPPET):
        return ["python", canonical(text.rstrip() + "\n", comments=comments, whole=True).form]
    code, block, at = FencedCode(), "", 0
    parts: list[object] = []
    for piece in code.feed(text + "\n"):  # a fence may be the last line
        if piece.fence.is_simpy:
            return text
        if piece.text is None:
            read = canonical(block + "\n", comments=comments, whole=True)
            parts.append(["python", read.form])
            while read.lines is not None and text.startswith("\n\n", at):
                at += 1  # blank lines at its end are layout
            block = ""
            continue
        if piece.start > at:
            parts.append(text[at : piece.start])
        block += piece.text
        at = piece.start + len(piece.text)
    if block:
        parts.append(["python", canonical(block, comments=comments).form])
    return [*parts, text[at:]]

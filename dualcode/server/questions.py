"""Requests as the questions that policies see, and questions as requests. What becomes of them, ``policed_handler`` says."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Any

from dualcode.backends.protocol import CHAT, COMPLETE, INFILL
from dualcode.conversion.units import UNITS
from dualcode.policies.protocol import Question
from dualcode.server.apis.chat import Chat
from dualcode.server.apis.completions import Completions
from dualcode.server.apis.messages import Messages
from dualcode.server.apis.responses import Responses
from dualcode.server.convert import CONVERT_HEADER, UNTIL_FIELD
from dualcode.server.keys import KEY_HEADERS

_TEXTS: Mapping[str, tuple[str, ...]] = {
    Chat.path: ("messages",),
    Messages.path: ("messages",),
    Responses.path: ("input",),
    Completions.path: ("prompt", "suffix"),
}
"""The fields that hold the texts, by the APIs whose requests are questions."""
_HAVE_UNTIL = (Chat.path, Completions.path)
_CHOOSING = (b"openai-", b"anthropic-")  # how headers begin that may choose the answer
_TELLING = frozenset((b"cookie", b"proxy-authorization", b"x-goog-api-key", CONVERT_HEADER))
"""Other headers that tell clients apart, or what they want."""
LOGPROBS: Mapping[str, object] = {Chat.path: True, Completions.path: 1}
"""What asks for the probabilities of tokens in the field ``logprobs``, by the APIs that have it."""


def question_of(
    path: str, request: Mapping[str, Any], *, dialect: str = "compact", tenant: str = "", identity: str = ""
) -> Question | None:
    """The question that a request asks; ``None`` if it is not one that policies are asked about.

    Args:
        path: what names the API.
        request: the request, before conversion.
        dialect: what the model reads and writes.
        tenant: see ``tenant_of``.
        identity: see ``Question``.

    >>> question = question_of("/completions", {"prompt": "x = ", "max_tokens": 8, "simpy_until": "block"})
    >>> question.prefix, question.until, question.options
    ('x = ', 'block', {'max_tokens': 8})
    >>> question_of("/completions", {"prompt": ["x = ", "y = "]}), question_of("/embeddings", {"input": "x"})
    (None, None)
    """
    texts, until = _TEXTS.get(path), request.get(UNTIL_FIELD)
    if texts is None or not (until is None or (until in UNITS and path in _HAVE_UNTIL)):
        return None
    options = {name: value for name, value in request.items() if name not in texts and name != UNTIL_FIELD}
    common: dict[str, Any] = {"until": until, "options": options, "dialect": dialect, "path": path, "tenant": tenant, "identity": identity}
    held = request.get(texts[0])
    if path == Completions.path:
        prompt, suffix = held[0] if isinstance(held, list) and len(held) == 1 else held, request.get("suffix")
        if not isinstance(prompt, str) or not isinstance(suffix, str | None):
            return None
        return Question(INFILL if suffix else COMPLETE, prompt, suffix or "", **common)
    if path == Responses.path and isinstance(held, str):
        held = [{"role": "user", "content": held}]
    if not isinstance(held, list) or not all(isinstance(message, dict) for message in held):
        return None
    return Question(CHAT, messages=held, **common)


def request_of(request: Mapping[str, Any], before: Question, question: Question) -> dict[str, Any]:
    """A request that asks another question; equal to the request as it was where the question is.

    Args:
        request: the request as received.
        before: its question.
        question: the other question, for the same API.

    >>> request = {"model": "m", "prompt": ["x = "], "n": 1}
    >>> asked = question_of("/completions", request)
    >>> from dataclasses import replace
    >>> request_of(request, asked, replace(asked, until="block", options={"model": "m"}))
    {'model': 'm', 'prompt': ['x = '], 'simpy_until': 'block'}
    """
    path = before.path
    texts = _TEXTS[path]
    fields = dict(question.options)
    held = request[texts[0]]
    if path == Completions.path:
        if question.prefix != before.prefix:
            held = [question.prefix] if isinstance(held, list) else question.prefix
        if question.suffix != before.suffix:
            fields["suffix"] = question.suffix
        elif "suffix" in request:
            fields["suffix"] = request["suffix"]
    elif list(question.messages) != list(before.messages):
        held = list(question.messages)
    fields[texts[0]] = held
    if question.until is not None and path in _HAVE_UNTIL:
        fields[UNTIL_FIELD] = question.until
    return {**{name: fields[name] for name in request if name in fields}, **fields}


def tenant_of(headers: Iterable[tuple[bytes, bytes]], *others: str) -> str:
    """A digest of the keys and cookies of a request, and of what else outside of its body may choose the answer.

    Args:
        headers: the headers of the request.
        others: the deployment, the query.

    >>> tenant_of([(b"authorization", b"Bearer a")]) == tenant_of([(b"x-api-key", b"a")]) != tenant_of([(b"x-api-key", b"b")])
    True
    """
    keys, chosen = [], []
    for name, value in headers:
        lowered = name.lower()
        if lowered in KEY_HEADERS:
            scheme, _, rest = value.strip().partition(b" ")
            keys.append(rest.strip() if scheme.lower() == b"bearer" else value.strip())
        elif lowered in _TELLING or lowered.startswith(_CHOOSING):
            chosen.append((lowered, value.strip()))
    return hashlib.sha256(repr((sorted(keys), sorted(chosen), others)).encode()).hexdigest()[:32]

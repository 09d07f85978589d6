"""Proxies with policies before a scripted upstream, what it answers, and what a client asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from tests.api_answers import ASKED as ASKED_IN_CHATS
from tests.scripted_upstream import LONG, Reply, proxy_server

COMPLETIONS = "/completions"
PROMPT = "def f(a):\n    return "
ASKED: dict[str, dict[str, Any]] = {**ASKED_IN_CHATS, COMPLETIONS: {"model": "m", "prompt": PROMPT}}
ANSWER = "a+1<block_end>"
PYTHON = "a + 1\n"


@contextmanager
def proxy_of(upstream: str, *policies: Any, **settings: Any) -> Iterator[str]:
    with proxy_server(upstream, **{"dialect": "classic", "policies": policies, **settings}) as proxy:
        yield proxy


def completion(text: str, reason: str = "stop", **more: Any) -> Reply:
    choice = {"index": 0, "text": text, "finish_reason": reason, "logprobs": None, **more}
    usage = {"prompt_tokens": 9, "completion_tokens": 4}
    return Reply([json.dumps({"id": "c", "object": "text_completion", "model": "m", "choices": [choice], "usage": usage}).encode()])


def events(*pieces: str, reason: str | None = "stop") -> bytes:
    said: list[tuple[str, str | None]] = [(piece, None) for piece in pieces]
    said += [("", reason)] if reason else []
    chunks = [{"id": "c", "choices": [{"index": 0, "text": text, "finish_reason": why}]} for text, why in said]
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def ask(proxy: str, path: str = COMPLETIONS, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    sent = {"authorization": "Bearer k", **(headers or {})}
    return httpx.post(f"{proxy}{path}", json={**ASKED[path], **fields}, headers=sent, timeout=LONG, verify=False)


def text_of(answer: httpx.Response) -> str:
    if answer.headers["content-type"].startswith("text/event-stream"):
        chunks = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
        return "".join(choice["text"] for chunk in chunks for choice in chunk["choices"])
    return str(answer.json()["choices"][0]["text"])

"""A backend as ``docs/backends.md`` shows it: a model that always writes what follows ``scripted:``."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator

from dualcode.backends.protocol import CHAT, COMPLETE, Request

_PREFIX = "scripted:"


def accepts(target: str) -> bool:
    return target.startswith(_PREFIX)


def open_backend(target: str) -> ScriptedBackend:
    return ScriptedBackend(target.removeprefix(_PREFIX))


class ScriptedBackend:
    tasks = frozenset((COMPLETE, CHAT))

    def __init__(self, answer: str) -> None:
        self.answer = answer

    def run(self, request: Request) -> Generator[str, None, None]:
        yield from self.answer

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        for piece in self.run(request):
            yield piece

    def count(self, text: str) -> int | None:
        return None

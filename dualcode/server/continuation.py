"""Completion prompts: unfinished Python to the dialect, and what the model adds back to Python that joins on."""

from __future__ import annotations

from simpy_grammar.dialect import Dialect


class Prompt:
    """A completion prompt, as the person wrote it and as the model sees it."""

    def __init__(self, python: str, dialect: Dialect) -> None:
        self.python = python
        self.dialect = dialect
        self.sent = python
        self.notes: list[str] = []


class Continuation:
    """Turns what the model adds to a prompt into what it adds to the Python."""

    def __init__(self, prompt: Prompt, *, echo: bool) -> None:
        self.notes: list[str] = []

    def feed(self, text: str) -> str:
        return text

    def close(self) -> str:
        return ""

"""The engines that a server may hold a model to a grammar with: where a request says so, and in what format.

Field names as documented in 2026: vLLM 0.12 and later (``structured_outputs``, which took the place of ``guided_grammar``), SGLang
(``ebnf``), llama.cpp's server (``grammar``).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from simpy_grammar.dialect import Dialect
from simpy_grammar.engines import engine_grammar
from simpy_grammar.errors import BackendError


class Engine(NamedTuple):
    """A row of the table.

    Attributes:
        format: of ``simpy_grammar.engines``.
        field: where the grammar goes in the body of a request, from the outside in.
    """

    format: str
    field: tuple[str, ...]


ENGINES: dict[str, Engine] = {
    "vllm": Engine("llguidance", ("structured_outputs", "grammar")),
    "sglang": Engine("llguidance", ("ebnf",)),
    "llama.cpp": Engine("gbnf", ("grammar",)),
}
"""Name -> engine."""

# Fields of a request with which a client asks for a form of its own; engines take one constraint for an answer.
_OTHER_FORMS = (
    "tools",
    "functions",
    "response_format",
    "json_schema",
    "regex",
    "structural_tag",
    *(name for name in dict.fromkeys(engine.field[0] for engine in ENGINES.values())),
)


class EngineGrammar:
    """What holds the answers of a chat to a dialect: prose is free, and each block marked ``python`` is a program.

    Args:
        engine: a name in ``ENGINES``.
        dialect: the dialect that the model writes.

    Attributes:
        fields: what to add to the body of a request.

    Raises:
        SimPyError: there is no such engine, or no engine can be held to the dialect.

    >>> list(EngineGrammar("vllm", "dense").fields["structured_outputs"])
    ['grammar']
    """

    def __init__(self, engine: str, dialect: str | Dialect) -> None:
        if engine not in ENGINES:
            raise BackendError(f"no engine {engine!r}", hint=f"there are: {', '.join(ENGINES)}")
        row = ENGINES[engine]
        value: Any = engine_grammar(Dialect.load(dialect), row.format, fenced=True)
        for name in reversed(row.field):
            value = {name: value}
        self.fields: dict[str, Any] = value

    def for_request(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """What to add to a request; nothing if it asks for a form of its own, such as calls of tools.

        >>> EngineGrammar("sglang", "classic").for_request({"messages": [], "tools": [{}]})
        {}
        """
        return {} if any(request.get(name) for name in _OTHER_FORMS) else self.fields

"""Requests of clients: the bytes that the model's server gets. Where their texts are, ``apis`` says.

``dualcode.conversion`` converts the texts, as it does for the wrapper.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from dualcode.conversion.memory import LIMIT, Memory
from dualcode.conversion.messages import MessageConverter
from dualcode.conversion.outcomes import Converted
from dualcode.conversion.tool_calls import TOOLS, EditTool, GiveBack
from dualcode.conversion.units import UNITS, Unit, check_unit
from dualcode.engines import EngineGrammar
from dualcode.faults import fault
from dualcode.server.apis.chat import Chat, Choices
from dualcode.server.apis.protocol import Api, ConvertedRequest, ReadOptions
from dualcode.server.apis.registry import APIS, stored_answer
from dualcode.server.json_objects import dump, parse
from dualcode.server.logs import log
from dualcode.server.refusals import RefusedError
from dualcode.server.workers import Workers
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import SimPyError

CONVERT_HEADER = b"x-simpy-convert"  # says what else to convert; it is not for the upstream
UNTIL_FIELD = "simpy_until"  # says at the end of which unit the answer is to end; it is not for the upstream
OTHER_PATH, NOT_JSON, MODELS_LANGUAGE = "this path is not converted", "the request is not a JSON object", "the prompt is token ids"


class RequestConverter:
    """Converts requests for the models of one dialect.

    Args:
        dialect: a name or a file.
        constrain: the engine that is asked to hold the answers of chats to the dialect; empty for none.
        bare: see ``MessageConverter``.
        numbers: see ``MessageConverter``.
        on_error: see ``MessageConverter``.
        edit_tools: the tools in whose calls the answer may quote the code of the request (see ``GiveBack``).
        workers: processes that convert long texts; 0 for none. With them, only a thread that may wait converts requests of
            ``workers.LONG`` bytes or more.
        memory: bytes in which conversions are remembered.

    Raises:
        SimPyError: there is no such dialect or engine, or no engine can be held to the dialect.

    >>> body = b'{"messages": [{"role": "user", "content": "hello"}], "n": 1}'
    >>> request = RequestConverter("compact").convert("/chat/completions", body)
    >>> request.body == body, request.api.path
    (True, '/chat/completions')
    """

    def __init__(
        self,
        dialect: str,
        *,
        constrain: str = "",
        bare: bool = False,
        numbers: bool = True,
        on_error: str = "pass",
        edit_tools: tuple[EditTool, ...] = TOOLS,
        workers: int = 0,
        memory: int = LIMIT,
    ) -> None:
        self.dialect = Dialect.load(dialect)
        self._constraint = EngineGrammar(constrain, self.dialect) if constrain else None
        self._edit_tools = edit_tools
        self._workers = Workers(workers, self.dialect, bare=bare, on_error=on_error, numbers=numbers)
        self._messages = MessageConverter(
            self.dialect, bare=bare, on_error=on_error, numbers=numbers, memory=Memory(memory), elsewhere=self._anew
        )
        self._raises = on_error == "raise"

    def start(self) -> None:
        """Start the processes that convert long texts, without waiting for them."""
        self._workers.start()

    def close(self) -> None:
        """Stop them."""
        self._workers.close()

    def _anew(self, how: str, text: str) -> Converted:
        return self._workers.convert(how, text, self._messages.convert_anew)

    def convert(self, path: str, body: bytes, *, tool_results: bool = True, method: str = "POST") -> ConvertedRequest:
        """Convert the request to this path.

        A request that is not understood passes as received: the upstream knows what to say about it.

        Args:
            path: what names the API (see ``Location``).
            body: the bytes of the request.
            tool_results: convert the results of tools too (see ``MessageConverter.to_model``).
            method: of HTTP; an answer that the server has kept is fetched by GET.

        Raises:
            SimPyError: a part cannot be converted, and ``on_error`` is ``"raise"``.
            RefusedError: the request names a unit to stop at that does not exist, or its API has no such stop.
        """
        api = (APIS if method == "POST" else {}).get(path)
        if api is None:
            kept = stored_answer(path) if method == "GET" else None
            reply = self._messages.reply_stream
            if kept is not None:
                return ConvertedRequest(body, kept, stream=lambda number: reply())
            return ConvertedRequest(body, unconverted=OTHER_PATH)
        request = parse(body)
        if request is None:
            return ConvertedRequest(body, unconverted=NOT_JSON)
        until = _until(api, request)
        found = self.read(api, request, tool_results=tool_results, until=until)
        if until is not None and found.api is None:
            raise RefusedError(400, "bad_until", f"{UNTIL_FIELD} needs a request that is read: {found.unconverted}")
        if self._constraint is not None and found.api is not None and api.path == Chat.path:
            found.changes = {**found.changes, **self._constraint.for_request(request)}
        if found.changes or UNTIL_FIELD in request:
            found.body = dump({name: value for name, value in {**request, **found.changes}.items() if name != UNTIL_FIELD})
        else:
            found.body = body
        found.model = request.get("model")
        return found

    def read(self, api: Api, request: Mapping[str, Any], *, tool_results: bool = True, until: Unit | None = None) -> ConvertedRequest:
        """Convert a request that has been parsed; its ``changes`` are what the model sees in other words.

        Raises:
            SimPyError: a part cannot be converted, and ``on_error`` is ``"raise"``.
        """
        try:
            found = api.read(request, ReadOptions(self._messages, self._raises, tool_results, until))
        except Exception as error:  # a fault of ours must not cost the person the answer
            if self._raises and isinstance(error, SimPyError):
                raise
            log(logging.ERROR, f"a request could not be converted: {fault(error)}", reason=fault(error))
            reason = type(error).__name__
            return ConvertedRequest(notes=[f"not converted: {reason}"], unconverted=reason)
        if found is None:
            return ConvertedRequest(unconverted=MODELS_LANGUAGE)
        found.api = api
        if found.shortened:
            found.give_back = self._give_back(api, request, found)
        return found

    def _give_back(self, api: Api, request: Mapping[str, Any], found: ConvertedRequest) -> Callable[[str, str], str]:
        """What gives the tool calls of an answer back in the person's bytes; the conversation is read when the first one comes."""
        give: GiveBack | None = None

        def given(name: str, arguments: str) -> str:
            nonlocal give
            if give is None:
                give = GiveBack(found.shortened, api.calls(request), dialect=self.dialect, tools=self._edit_tools)
                found.edits = give.counts
            said = len(give.notes)
            try:
                return give(name, arguments)
            finally:
                found.answer_notes += map(str, give.notes[said:])

        return given


def _until(api: Api, request: Mapping[str, Any]) -> Unit | None:
    """The unit at whose end the answer is to end."""
    asked = request.get(UNTIL_FIELD)
    if asked is None:
        return None
    if not isinstance(api, Choices):
        raise RefusedError(400, "bad_until", f"{UNTIL_FIELD} is for chat completions and completions")
    try:
        return check_unit(asked)
    except ValueError:
        raise RefusedError(400, "bad_until", f"{UNTIL_FIELD} is one of {', '.join(UNITS)}") from None

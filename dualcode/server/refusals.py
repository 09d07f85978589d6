"""Requests that the proxy answers itself: with which status, and in the form of the API that was called."""

from __future__ import annotations

import json
from typing import Any

from dualcode.server.apis.protocol import Api, openai_error
from simpy_grammar.errors import SimPyError


class RefusedError(Exception):
    """A request that the proxy answers itself, with an error.

    Attributes:
        status: the HTTP status.
        code: one word for programs, and the label in the metrics.
        headers: headers of the answer.
    """

    def __init__(self, status: int, code: str, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = headers or {}

    def body(self, api: Api | None) -> bytes:
        """The error as JSON, in the form of the API; in OpenAI's where there is none.

        >>> RefusedError(503, "busy", "try again").body(None)
        b'{"error": {"message": "try again", "type": "proxy_error", "param": null, "code": "busy"}}'
        """
        error = api.error(self.status, self.code, str(self)) if api is not None else openai_error(self.code, str(self))
        return json.dumps(error).encode()

    def event(self, api: Api) -> dict[str, Any]:
        """The error as an event of a stream."""
        return api.error_event(self.status, self.code, str(self))


def not_converted(error: SimPyError) -> RefusedError:
    """The refusal for a text that cannot be converted, where the caller wants errors."""
    return RefusedError(422, "not_converted", str(error))

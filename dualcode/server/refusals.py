"""Requests that the proxy answers itself: with which status, and in OpenAI's form of an error."""

from __future__ import annotations

import json

from simpy_grammar.errors import SimPyError


class RefusedError(Exception):
    """A request that the proxy answers itself, with an error in OpenAI's form.

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

    @property
    def body(self) -> bytes:
        """The error as JSON.

        >>> RefusedError(503, "busy", "try again").body
        b'{"error": {"message": "try again", "type": "proxy_error", "param": null, "code": "busy"}}'
        """
        error = {"message": str(self), "type": "proxy_error", "param": None, "code": self.code}
        return json.dumps({"error": error}).encode()


def not_converted(error: SimPyError) -> RefusedError:
    """The refusal for a text that cannot be converted, where the caller wants errors."""
    return RefusedError(422, "not_converted", str(error))

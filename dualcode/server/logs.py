"""The lines of the log, as text or as JSON, each with the id of the request that it is about. What is logged, the others decide."""

from __future__ import annotations

import json
import logging
import re
import uuid
from collections.abc import Iterable
from contextvars import ContextVar
from datetime import datetime, timezone
from typing import Any

REQUEST_ID = b"x-request-id"
FORMATS = ("text", "json")
request_id: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered; empty outside of one."""
_LOG = logging.getLogger("simpy.serve")
_SOUND = re.compile(r"[\w.:/+=@-]{1,128}", re.ASCII)


def id_of(headers: Iterable[tuple[bytes, bytes]]) -> str:
    """The id that a client gives its request, or a new one where it gives none that fits into a line.

    >>> id_of([(b"x-request-id", b"abc-1")]), len(id_of([(b"x-request-id", b"two words")]))
    ('abc-1', 32)
    """
    given = [value.decode("latin-1") for name, value in headers if name.lower() == REQUEST_ID]
    return given[0] if len(given) == 1 and _SOUND.fullmatch(given[0]) else uuid.uuid4().hex


def log(level: int, message: str, **fields: Any) -> None:
    """Write a line; ``fields`` stand apart where lines are JSON."""
    _LOG.log(level, "%s", message, extra={"fields": fields})


class TextFormatter(logging.Formatter):
    """A line for people.

    >>> TextFormatter("%(message)s").format(logging.makeLogRecord({"msg": "hello"}))
    'hello'
    """

    def __init__(self, layout: str = "%(asctime)s %(levelname)s %(request)s%(message)s") -> None:
        super().__init__(layout)

    def format(self, record: logging.LogRecord) -> str:
        """The line, with the id of the request before the message."""
        current = request_id.get()
        record.request = f"[{current}] " if current else ""
        return super().format(record)


class JsonFormatter(logging.Formatter):
    """A line that is one JSON object.

    >>> line = JsonFormatter().format(logging.makeLogRecord({"msg": "hello", "levelname": "INFO", "fields": {"status": 200}}))
    >>> sorted(json.loads(line))
    ['level', 'message', 'status', 'time']
    """

    def format(self, record: logging.LogRecord) -> str:
        """The object."""
        when = datetime.fromtimestamp(record.created, timezone.utc).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"time": when, "level": record.levelname, "message": record.getMessage()}
        if current := request_id.get():
            line["request_id"] = current
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line)


def set_up(layout: str, *, quiet: bool) -> None:
    """Write the log to the standard error stream, in one of ``FORMATS``; a second call changes what the first has set."""
    root = logging.getLogger()
    if not root.handlers:
        root.addHandler(logging.StreamHandler())
    for handler in root.handlers:
        handler.setFormatter(JsonFormatter() if layout == "json" else TextFormatter())
    root.setLevel(logging.WARNING)
    _LOG.setLevel(logging.WARNING if quiet else logging.INFO)

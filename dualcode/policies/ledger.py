"""Ledger: writes each question with its answer to a file, from which other policies learn. It changes nothing.

A ledger holds what people asked, and is theirs alone: its files can be read by their owner only. ``ledger_file`` writes them.
"""

from __future__ import annotations

import logging
import math
import secrets
import threading
import time
import weakref
from collections.abc import Mapping
from typing import Any

from dualcode.conversion.memory import MIB
from dualcode.policies.ledger_file import LedgerFile
from dualcode.policies.options import Options
from dualcode.policies.protocol import Answer, Ask, Policy, Question
from simpy_grammar.errors import SimPyError

_LOG = logging.getLogger(__name__)


class Ledger(Policy):
    """Notes questions and answers. The note on a question names the ``id`` of its record, with which ``kept`` is told later.

    Args:
        file: the file to append to.
        size: megabytes of it at most; then it becomes ``FILE.1``, and a new one begins.

    >>> import tempfile, os
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     ledger = Ledger(os.path.join(folder, "requests.jsonl"))
    ...     question = Question("complete", "x = ")
    ...     note = ledger.before(question).reason
    ...     ledger.after(question, Answer("1", "1"))
    ...     ledger.kept(note.removeprefix("id "), True)
    ...     [(record["prefix"], record["python"], record["kept"]) for record in ledger.records()]
    [('x = ', '1', True)]
    """

    name = "ledger"

    def __init__(self, file: str = "requests.jsonl", size: float = 64.0) -> None:
        self._file = LedgerFile(file, max(1, int(size * MIB)))
        self._ids: dict[int, str] = {}  # of questions that are being answered, by where they are in memory
        self._lock = threading.Lock()
        self._warned = False

    @property
    def identity(self) -> str:
        """Its name: it changes no answer."""
        return self.name

    def before(self, question: Question) -> Ask:
        """Name the record that is to be written."""
        number, at = secrets.token_hex(8), id(question)
        with self._lock:
            if at not in self._ids:
                weakref.finalize(question, self._ids.pop, at, None).atexit = False
            self._ids[at] = number
        return Ask(question, f"id {number}")

    def after(self, question: Question, answer: Answer) -> None:
        """Write the record. Where that fails, the person gets the answer all the same, and the log says so once."""
        number = self._ids.get(id(question)) or secrets.token_hex(8)
        try:
            self._file.append(record(number, question, answer))
        except (OSError, SimPyError, TypeError, ValueError, RecursionError) as error:  # the last three: of JSON
            if not self._warned:
                self._warned = True
                _LOG.warning("the ledger %s cannot be written: %s", self._file.path, error)

    def kept(self, number: str, kept: bool) -> None:
        """Say whether the person kept an answer.

        Raises:
            SimPyError: the ledger has no such answer.
            OSError: the ledger cannot be read or written.
        """
        self._file.tell(number, kept)

    def records(self) -> list[dict[str, Any]]:
        """All records, the oldest first.

        Raises:
            SimPyError: nothing has been written yet.
        """
        return list(self._file.records())


def record(number: str, question: Question, answer: Answer) -> dict[str, Any]:
    """What the ledger holds of a question and its answer. ``tenant`` and the other options are left out.

    >>> record("a1", Question("complete", "x = "), Answer("1", "1", "end"))["stopped"]
    'end'
    """
    asked: Mapping[str, Any]
    if question.is_chat:
        asked = {"messages": list(question.messages)}
    else:
        asked = {"prefix": question.prefix, "suffix": question.suffix}
    return {
        "id": number,
        "time": round(time.time(), 3),
        "task": question.task,
        **asked,
        "until": question.until,
        "dialect": question.dialect,
        "python": answer.python,
        "text": answer.text,
        "stopped": answer.stopped,
        "tokens": answer.tokens,
        "logprob": answer.logprob if answer.logprob is not None and math.isfinite(answer.logprob) else None,
        "seconds": round(answer.seconds, 6),
        "model": answer.model,
        "by": answer.by,
        "kept": None,
    }


def open_policy(options: Options) -> Ledger:
    """The policy, with ``file=FILE`` and ``size=MIB``."""
    return Ledger(options.text("file", "requests.jsonl"), options.number("size", 64.0, least=0.001))

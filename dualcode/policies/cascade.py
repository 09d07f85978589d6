"""Cascade: a small model answers first, and the large one where that answer will not do.

FrugalGPT (Chen et al., 2023) learns a scorer for that. Here the grammar says whether an answer can be Python at all, and the small model's
own probabilities say how sure it was; the threshold for these comes from one's own requests (``cascade_fitting``).
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from dualcode.backends.early_exit import SPECULATION
from dualcode.backends.protocol import END, INFILL, LENGTH, Backend
from dualcode.conversion.beginnings import is_indented
from dualcode.conversion.fenced_code import FencedCode
from dualcode.policies.options import Options
from dualcode.policies.protocol import Answer, Ask, Policy, Question
from dualcode.policies.rounds import REFUSED
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import SimPyError, os_reason
from simpy_grammar.python_reader import PythonReader
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from transpiler.unfinished import completion

SMALL = "small"
_OUTER = "if 1:\n"  # a header above text that is indented as a whole


class Cascade(Policy):
    """Asks a small model first, and the large one where the answer is not Python, did not end, or was too unlikely for the small model.

    Args:
        small: the small model: a backend, or what opens one (see ``Policy.models``). It reads and writes what the large one does.
        threshold: the least mean log-probability of an answer's tokens, in nats, that will do; ``None`` to look at the answer alone. An
            answer whose probability is not told will not do.

    >>> cascade = Cascade("models/small", threshold=-0.8)
    >>> question = Question("complete", "x = ")
    >>> cascade.before(question).question.model
    'small'
    >>> cascade.after(question, Answer("", "f(1)\\n", "end", logprob=-0.3, model="small"))
    >>> cascade.after(question, Answer("", "f(1)\\n", "end", logprob=-0.9, model="small")).reason
    'the small model was not sure enough: -0.90 nats a token'
    >>> cascade.after(question, Answer("", "f(1]\\n", "end", logprob=-0.1, model="small")).reason
    "the small model's answer is not Python"
    """

    name = "cascade"
    holds = True

    def __init__(self, small: Backend | str, threshold: float | None = None) -> None:
        self.models = {SMALL: small}
        self.threshold = threshold
        self.logprobs = threshold is not None

    @property
    def identity(self) -> str:
        """Its threshold."""
        return f"{self.name} {self.threshold}"

    def before(self, question: Question) -> Ask | None:
        """Name the small model, unless another policy has named one. Drafts that were asked for are the large model's."""
        if question.model:
            return None
        options = question.options
        if any(name in options for name in SPECULATION):
            options = {name: value for name, value in options.items() if name not in SPECULATION}
        return Ask(replace(question, model=SMALL, options=options), "the small model first")

    def after(self, question: Question, answer: Answer) -> Ask | None:
        """Ask the large model where the answer will not do."""
        if question.model or answer.model != SMALL or answer.stopped == REFUSED:
            return None
        reason = fault(question, answer) or self._doubt(answer.logprob)
        return Ask(question, reason) if reason else None

    def failed(self, question: Question, error: SimPyError) -> Ask | None:
        """Ask the large model where the small one fails."""
        return None if question.model else Ask(question, f"the small model failed: {error.message}")

    def _doubt(self, logprob: float | None) -> str:
        if self.threshold is None:
            return ""
        if logprob is None:
            return "the small model does not tell how sure it was"
        return f"the small model was not sure enough: {logprob:.2f} nats a token" if logprob < self.threshold else ""


def fault(question: Question, answer: Answer) -> str:
    """Why an answer cannot be right, whatever was wanted; empty if nothing says so.

    >>> fault(Question("complete", "x = ["), Answer("", "1, 2", "length"))
    "the small model's answer did not end"
    >>> fault(Question("infill", "x = [", "]\\n"), Answer("", "1, 2", "end"))
    ''
    >>> fault(Question("chat"), Answer("", "So:\\n```python\\nx = = 1\\n```\\n", "end"))
    "the small model's answer is not Python"
    """
    if answer.stopped == LENGTH:
        return "the small model's answer did not end"
    if answer.notes:
        return "the small model's answer could not be converted"
    if question.is_chat:
        wrong = not all(map(is_whole, blocks(answer.python)))
    elif not is_beginning(question.prefix):  # then the grammar can tell nothing
        return ""
    else:
        text = question.prefix + answer.python + question.suffix
        wrong = not (is_whole if answer.stopped == END and question.task != INFILL else is_beginning)(text)
    return "the small model's answer is not Python" if wrong else ""


def is_beginning(text: str) -> bool:
    """Whether a text is the beginning of a program, whole or cut off anywhere; all of it may be indented.

    >>> is_beginning("def f(a"), is_beginning("    return a\\n"), is_beginning("def f(a]")
    (True, True, False)
    """
    reader = PythonReader(Dialect.load(PYTHON))
    try:
        reader.feed(_OUTER + text if is_indented(text) else text)
    except (SimPyError, StuckError, LexError):
        return False
    return True


def is_whole(text: str) -> bool:
    """Whether a text is the beginning of a program and breaks off in no statement; what surrounds a statement may be missing.

    >>> is_whole("try:\\n    a"), is_whole("def f():\\n    return 1"), is_whole("x = 1 +"), is_whole("x = [1,"), is_whole("def f(:")
    (True, True, False, False, False)
    """
    begun = _OUTER + text if is_indented(text) else text
    return is_beginning(f"{begun}\n") and completion(begun).lstrip(" ")[:1] in ("", "\n")


def blocks(reply: str) -> list[str]:
    """The blocks of Python in the reply of a chat.

    >>> blocks("So:\\n```python\\nx = 1\\n```\\n```sh\\nls\\n```\\n")
    ['x = 1']
    """
    found: list[str] = []
    is_open = False
    for piece in FencedCode().feed(reply):
        if piece.text is None:
            is_open = False
        elif is_open:
            found[-1] += piece.text
        else:
            found.append(piece.text)
            is_open = True
    return found


def fitted(path: str | Path) -> float:
    """The threshold in a file that ``cascade_fitting`` wrote.

    Raises:
        SimPyError: the file cannot be read, or holds no threshold.
    """
    try:
        threshold = json.loads(Path(path).read_text(encoding="utf-8"))["threshold"]
        return float(threshold)
    except OSError as error:
        raise SimPyError(f"cannot be read: {os_reason(error)}", path=str(path)) from error
    except (ValueError, KeyError, TypeError) as error:
        raise SimPyError("this is not a fitted threshold", path=str(path), hint="make one: simpy policy fit LEDGER") from error


def open_policy(options: Options) -> Cascade:
    """The policy, with ``small=MODEL``, and ``threshold=NATS`` or ``fitted=FILE``."""
    small, file = options.text("small"), options.text("fitted")
    if not small:
        raise SimPyError("the policy cascade needs a small model", hint="name it: cascade:small=FOLDER_OR_URL")
    given = options.text("threshold")
    if file and given:
        raise SimPyError("the policy cascade got two thresholds", hint="leave out threshold or fitted")
    if file:
        return Cascade(small, fitted(file))
    return Cascade(small, options.number("threshold", 0.0, float("-inf"), 0.0) if given else None)

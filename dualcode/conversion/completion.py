"""Completions: what a model adds to a prompt, as Python that joins on to the prompt.

The answer goes on in the middle of a line or block, in the person's own indentation. What the model sees of the prompt is decided by
``prompts``; both sides of a gap are left to ``fill_in_the_middle``.
"""

from __future__ import annotations

from dualcode.conversion.outcomes import Note
from dualcode.conversion.prompts import Prompt
from dualcode.conversion.user_layout import Join, user_decoder
from simpy_grammar.errors import SimPySyntaxError
from transpiler import Decoder


class CompletionStream:
    """Converts what a model adds to a prompt to what it adds to the Python.

    The parts that ``feed`` and ``close`` return join to the same text however the model's text is cut.

    Args:
        prompt: the prompt.

    Attributes:
        ended: empty, since an answer is wanted to its end; ``until`` ends answers earlier.
        notes: what could not be converted.

    >>> answer = CompletionStream(Prompt("def f(a):\\n  if a:\\n    return a +", "classic"))
    >>> answer.feed("1<block_end><ret") + answer.feed("urn>0<block_end>") + answer.close()
    ' 1\\n  return 0\\n'
    """

    ended = ""

    def __init__(self, prompt: Prompt) -> None:
        self.notes: tuple[Note, ...] = ()
        self._prompt = prompt
        self._join = Join(prompt.python)
        self._raw: list[str] = []
        self._failed = False
        self._blanks = ""  # blanks at the end of what was settled: they are dropped where a fault follows
        self._decoder: Decoder | None = None
        if prompt.converted:
            self._decoder = user_decoder(prompt.dialect, prompt.python)
            self._give(self._decoder.feed(prompt.sent))

    def feed(self, text: str) -> str:
        """Read more of the model's text; return the Python that it settles."""
        if self._decoder is None or self._failed:
            return text
        self._raw.append(text)
        try:
            settled = self._blanks + self._give(self._decoder.feed(text))
            given = settled.rstrip(" ")
            self._blanks = settled[len(given) :]
            return given
        except SimPySyntaxError as error:
            return self._fail(error)

    def close(self) -> str:
        """Read the end of the model's text; return the rest of the Python."""
        if self._decoder is None or self._failed:
            return ""
        try:
            return self._blanks + self._give(self._decoder.close())
        except SimPySyntaxError as error:
            return self._fail(error)

    def _give(self, python: str) -> str:
        strayed = self._join.strayed
        text = self._join.take(python)
        if self._join.strayed and not strayed:
            self.notes += (Note(1, "the answer does not go on with the last line of the prompt"),)
        return text

    def _fail(self, error: SimPySyntaxError) -> str:
        """Give what was understood and the rest as received; a text that merely stops is not a fault."""
        assert self._decoder is not None  # noqa: S101  # only a decoder fails
        self._failed = True
        raw = "".join(self._raw)
        at = max(self._decoder.position - len(self._prompt.sent), 0)
        text = self._give(self._decoder.held().rstrip(" "))
        text = self._blanks + text if text else text
        if at < len(raw):
            self.notes += (Note(raw[:at].count("\n") + 1, error.message, at > 0),)
        return text + raw[at:]

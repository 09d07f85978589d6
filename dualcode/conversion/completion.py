"""Completions: what a model adds to a prompt, as Python that joins on to the prompt.

The answer goes on in the middle of a line or block, in the person's own indentation. What the model sees of the prompt is decided by
``prompts``; both sides of a gap are left to ``fill_in_the_middle``.
"""

from __future__ import annotations

from dualcode.conversion.outcomes import Note
from dualcode.conversion.prompts import Prompt
from dualcode.conversion.user_layout import Join, user_decoder
from simpy_grammar.errors import SimPySyntaxError
from transpiler import Decoder, EndedError
from transpiler.proof import parse_tree

BLOCK = "block"


class CompletionStream:
    """Converts what a model adds to a prompt to what it adds to the Python.

    The parts that ``feed`` and ``close`` return join to the same text however the model's text is cut.

    Args:
        prompt: the prompt.
        until: ``"block"`` to end with the block in which the prompt ends, or nothing to go on as long as the model does.

    Attributes:
        ended: the code that was asked for is complete; the rest of the model's text is not wanted.
        notes: what could not be converted.

    >>> answer = CompletionStream(Prompt("def f(a):\\n  if a:\\n    return a +", "classic"))
    >>> answer.feed("1<block_end><ret") + answer.feed("urn>0<block_end>") + answer.close()
    ' 1\\n  return 0\\n'
    """

    def __init__(self, prompt: Prompt, *, until: str | None = None) -> None:
        if until not in (None, BLOCK):
            raise ValueError(f"until is {BLOCK!r} or None, not {until!r}")
        self.ended = False
        self.notes: tuple[Note, ...] = ()
        self._prompt = prompt
        self._until = until
        self._join = Join(prompt.python)
        self._written = False
        self._python: list[str] = []  # the text of a model that writes Python
        self._held = ""  # the last line of that text
        self._indent = self._join.last_indent or None if not prompt.python.endswith("\n") else None
        self._raw: list[str] = []
        self._failed = False
        self._blanks = ""  # blanks at the end of what was settled: they are dropped where a fault follows
        self._decoder: Decoder | None = None
        if prompt.converted:
            self._decoder = user_decoder(prompt.dialect, prompt.python)
            self._give(self._decoder.feed(prompt.sent))
            self._decoder.floor = self._decoder.depth + prompt.opens_block if until else 0

    def feed(self, text: str) -> str:
        """Read more of the model's text; return the Python that it settles."""
        if self.ended:
            return ""
        if self._decoder is None:
            return self._feed_python(text)
        if self._failed:
            return text
        self._raw.append(text)
        try:
            settled = self._blanks + self._give(self._decoder.feed(text))
            given = settled.rstrip(" ")
            self._blanks = settled[len(given) :]
            return given
        except EndedError:
            return self._end()
        except SimPySyntaxError as error:
            return self._fail(error)

    def close(self) -> str:
        """Read the end of the model's text; return the rest of the Python."""
        if self.ended or self._failed:
            return ""
        if self._decoder is None:
            held, self._held = self._held, ""
            return held
        try:
            return self._blanks + self._give(self._decoder.close())
        except EndedError:
            return self._end()
        except SimPySyntaxError as error:
            return self._fail(error)

    def _give(self, python: str) -> str:
        strayed = self._join.strayed
        text = self._join.take(python)
        if self._join.strayed and not strayed:
            self.notes += (Note(1, "the answer does not go on with the last line of the prompt"),)
        self._written = self._written or bool(text)
        return text

    def _end(self) -> str:
        assert self._decoder is not None  # noqa: S101  # only a decoder ends
        self.ended = True
        text = self._give(self._decoder.held())
        text = self._blanks + text if text else text
        return text if not self._written or text.endswith("\n") else text + "\n"

    def _fail(self, error: SimPySyntaxError) -> str:
        """Give what was understood and the rest as received; a text that merely stops is not a fault."""
        assert self._decoder is not None  # noqa: S101  # only a decoder fails
        self._failed = True
        raw = "".join(self._raw)
        at = max(self._decoder.position - len(self._prompt.sent), 0)
        try:
            text = self._give(self._decoder.held().rstrip(" "))
        except EndedError:  # before the fault, in the same piece
            return self._end()
        text = self._blanks + text if text else text
        if at < len(raw):
            self.notes += (Note(raw[:at].count("\n") + 1, error.message, at > 0),)
        return text + raw[at:]

    def _feed_python(self, text: str) -> str:
        """Pass Python on, line by line where its end is looked for."""
        if self._until is None:
            return text
        self._held += text
        out = ""
        while not self.ended and "\n" in self._held:
            line, _, rest = self._held.partition("\n")
            if self._leaves(line):
                break
            out += line + "\n"
            self._python.append(line + "\n")
            self._held = rest
        if self._leaves(self._held) and self._held.strip():
            self.ended = True
        return out

    def _leaves(self, line: str) -> bool:
        """Whether a line of Python stands outside of the block in which the prompt ends."""
        if not self._python and not self._prompt.python.endswith("\n"):
            return False  # it continues the last line of the prompt
        body = line.lstrip(" \t")
        if self._indent is None:  # the first line of the answer says how deep the block is
            first = next((text for text in self._python if text.strip()), line)
            self._indent = first[: len(first) - len(first.lstrip(" \t"))] if first.strip() else None
        indent = self._indent or ""
        if not body or body.startswith("#") or len(line) - len(body) >= len(indent) or not indent:
            return False
        try:
            return parse_tree(self._prompt.python + "".join(self._python)) is not None
        except SyntaxError:
            return False

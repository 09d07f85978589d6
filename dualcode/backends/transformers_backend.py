"""A local model of ``transformers`` with an extended tokenizer: ids of a prompt, and text while it arrives.

``generation`` runs the model, ``request_constraint`` holds it.
"""

from __future__ import annotations

import asyncio
import itertools
import sys
import threading
from collections.abc import AsyncGenerator, Collection, Generator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dualcode.backends.detokenizer import Detokenizer, StopTexts
from dualcode.backends.fill import FillTokens, filler_of
from dualcode.backends.generation import Generation, limit_of
from dualcode.backends.protocol import CHAT, COMPLETE, END, INFILL, LENGTH, Request
from dualcode.backends.request_constraint import MaskState, RequestConstraint
from dualcode.backends.weights import is_model, load
from dualcode.conversion.streams import STOP
from dualcode.conversion.until import UNTIL
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import BackendError
from tokenizer_ext import Codec, TokenizerError
from tokenizer_ext.adapters import adapter_of

if TYPE_CHECKING:
    from dualcode.backends.fill_masks import FillMasks
    from dualcode.backends.reply_masks import ReplyTexts
    from tokenizer_ext.constrain import State


_FAR = 200  # tokens by which a larger budget is tried, to say what is wrong


def accepts(target: str) -> bool:
    """Whether a text names a folder with a model, or a GGUF file or a folder with one."""
    return is_model(target)


def open_backend(
    target: str, *, weights: str | None = None, gguf_file: str | None = None, threads: int | None = None, **options: Any
) -> TransformersBackend:
    """The backend for a model in a folder or a GGUF file.

    Args:
        target: the folder or the file.
        weights: how to hold the weights, one of ``dualcode.backends.weights.WEIGHTS``; by default as they are on disk.
        gguf_file: the name of a GGUF file in the folder.
        threads: processor threads of PyTorch in this process; by default as many as it takes itself.
        options: of ``TransformersBackend``.

    Raises:
        BackendError: the target does not hold a causal language model with a tokenizer, or it cannot be held so.
    """
    model, tokenizer = load(target, weights, gguf_file)
    if threads is not None:
        import torch

        torch.set_num_threads(threads)
    return TransformersBackend(model, tokenizer, **options)


class TransformersBackend:
    """A model in this process. It answers one request at a time.

    Args:
        model: a causal language model of ``transformers``.
        tokenizer: its fast tokenizer, extended for the dialect unless that is Python (``python``, ``compact``).
        dialect: the dialect that the tokenizer was extended for; programs are then encoded so that no string becomes a
            grammar token.
        constrain: let the model write nothing but programs of the dialect, which end within ``max_tokens``; in a chat, in blocks of code.
            What fills a gap lets the suffix follow.
        valid_python: with ``constrain``, refuse also what the grammar takes and this Python does not. Then a prompt has to be a program
            from its beginning.
        fill: the tokens with which the model was trained to fill gaps: a name of ``dualcode.backends.fill.KNOWN``, or one's own; by
            default the first known ones that the tokenizer has.

    Attributes:
        tasks: what the model can do; ``infill`` only where there are tokens for it.

    Raises:
        BackendError: the tokens for filling gaps are not known, or the tokenizer lacks some; or it was not extended for the dialect that
            answers are to be held to; or ``valid_python`` is asked for without ``constrain``.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        dialect: str | Path | Dialect = "compact",
        constrain: bool = False,
        valid_python: bool = False,
        fill: str | FillTokens | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.constrain = constrain
        self.valid_python = valid_python
        if valid_python and not constrain:
            raise BackendError("valid_python is a part of constrain", hint="say constrain=True, too")
        chosen = Dialect.load(dialect)
        self._codec = None if chosen.is_python else Codec(tokenizer, dialect=chosen)
        self._filler = filler_of(tokenizer, fill)
        self._masks = self._open_masks(chosen) if constrain else None
        self.tasks = frozenset((COMPLETE, CHAT, INFILL) if self._filler else (COMPLETE, CHAT))
        self._busy = threading.Lock()

    def _open_masks(self, dialect: Dialect) -> ReplyTexts:
        from dualcode.backends.reply_masks import ReplyTexts  # only constrained models need tables of the vocabulary
        from tokenizer_ext.constrain import Constraint

        try:
            version = sys.version_info[:2] if self.valid_python else None
            made = Constraint(self.tokenizer, dialect=dialect, ends=self._ends(), valid_python=self.valid_python, version=version)
            return ReplyTexts(made)
        except TokenizerError as error:
            raise BackendError(error.message, hint=error.hint) from error

    def _ends(self) -> frozenset[int]:
        """The ids with which the model ends an answer."""
        named = getattr(self.model.generation_config, "eos_token_id", None)
        found = [*(named if isinstance(named, list | tuple) else [named]), self.tokenizer.eos_token_id]
        return frozenset(number for number in found if isinstance(number, int))

    def count(self, text: str) -> int:
        """How many tokens a text is, without those that the tokenizer adds around it."""
        return len(self.ids(text))

    def ids(self, text: str) -> list[int]:
        """The ids of a text of the dialect, without those that the tokenizer adds around it.

        Raises:
            BackendError: the vocabulary cannot carry the text.
        """
        return self._ids(text, start=False)

    def run(self, request: Request) -> Generator[str, None, None]:
        """The model's text, in pieces."""
        if request.task not in self.tasks:
            hint = "its tokenizer has none of the known tokens for that; name its own: fill=..." if request.task == INFILL else ""
            raise BackendError(f"the model cannot {request.task}", hint=hint)
        ids = {CHAT: self._chat_ids, INFILL: self._infill_ids}.get(request.task, self._prompt_ids)(request)
        fills = self._filler.ends if self._filler and request.task == INFILL else frozenset[int]()
        spent, limit = request.spent, limit_of(request.options)
        spent.limit, spent.tokens, spent.steps = limit, 0, 0
        constraint = RequestConstraint(
            self._state(request, limit),
            limit,
            request.is_whole,
            self.tokenizer,
            asks=self.constrain and (self.valid_python or request.task == INFILL),
        )
        with self._busy, closing(self._generation(ids, constraint, request)) as generation:
            try:
                yield from self._pieces(generation, request, fills)
            finally:
                spent.logprob = generation.logprob(spent.tokens or 0)

    def _generation(self, ids: list[int], constraint: RequestConstraint, request: Request) -> Generation:
        return Generation(self.model, self.tokenizer, ids, constraint, request.options, logprobs=request.logprobs)

    def _pieces(self, generation: Generation, request: Request, fills: Collection[int]) -> Generator[str, None, None]:
        """The text of what is generated, and what is spent."""
        spent, last = request.spent, list[int]()
        tokens = steps = 0
        text = Detokenizer(self.tokenizer)
        stops = StopTexts(request.options.get("stop"))
        for new in generation:
            tokens, steps = tokens + len(new), steps + 1
            spent.tokens, spent.steps = tokens, steps
            kept = list(itertools.takewhile(lambda number: number not in fills, new))
            last = new
            if piece := stops.feed(text.feed(kept)):
                yield piece
            if stops.found:
                spent.stopped = STOP
                return
            if len(kept) < len(new):
                break
        ended = not self._ends().union(fills).isdisjoint(last)
        spent.stopped = END if ended else LENGTH if tokens >= limit_of(request.options) else UNTIL
        if piece := stops.feed(text.close()) + stops.close():
            yield piece

    def _state(self, request: Request, limit: int) -> MaskState | None:
        """What holds an answer before its first id."""
        if self._masks is None:
            return None
        from dualcode.backends.reply_masks import ProgramMasks, ReplyMasks

        try:
            if request.task == CHAT:
                return ReplyMasks.begin(self._masks, request.begun)
            state = self._masks.constraint.start(request.prompt)
            state = state.leading(request.joins) if request.joins is not None else state
        except TokenizerError as error:
            raise BackendError(error.message, hint=error.hint) from error
        if request.task == INFILL and self._filler is not None:
            return self._filling(request, state, limit, self._filler.ends)
        if state.least() > limit:
            raise BackendError(f"{limit} tokens are too few to end the program", hint=f"max_tokens must be {state.least()} or more")
        if self.valid_python and state.way(limit) is None:
            raise BackendError(f"no end of the program is found within {limit} tokens", hint="max_tokens must be larger")
        return ProgramMasks(state)

    def _filling(self, request: Request, state: State, limit: int, ends: Collection[int]) -> FillMasks:
        """What holds an answer that fills a gap: the program ends with the suffix, or breaks off there if it cannot."""
        from dualcode.backends.fill_masks import FillMasks
        from tokenizer_ext.constrain.suffixes import Suffix, anything

        if self._codec is not None and request.fits is None and request.suffix.strip():
            raise BackendError(
                "the suffix does not go on with the prefix", hint="leave out constrain: a mask cannot hold what is filled in"
            )
        for is_whole in (True, False):
            begin = state.before(Suffix(request.suffix, is_whole, request.fits or anything))
            if begin.way(limit) is not None:
                return FillMasks(begin, ends, request.end_of_unit)
            if begin.way(limit + _FAR) is not None:
                raise BackendError(f"nothing is found that fills the gap within {limit} tokens", hint="max_tokens must be larger")
        raise BackendError("nothing is found that fills the gap", hint="leave out constrain: a mask cannot hold what is filled in")

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        """The same for asyncio: the model works in a thread."""
        pieces = self.run(request)
        try:
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                yield piece
        finally:
            await asyncio.to_thread(pieces.close)

    def _prompt_ids(self, request: Request) -> list[int]:
        return self._ids(request.prompt, start=True)

    def _infill_ids(self, request: Request) -> list[int]:
        if self._filler is None:  # ``run`` has looked at ``tasks``
            return []
        start = [self.tokenizer.bos_token_id] if self._adds_start() else []
        return start + self._filler.prompt(self._exact_ids(request.prompt), self._exact_ids(request.suffix))

    def _exact_ids(self, text: str) -> list[int]:
        """The ids of a text that stands after a token, without those of a blank that some tokenizers put before each text."""
        if self._codec is not None:
            return self._ids(text, start=False)
        try:
            adapter = adapter_of(self.tokenizer)
            ordinary = adapter.ordinary(list(adapter.added))  # whatever the text spells, it is not a token for filling gaps
        except TokenizerError as error:
            raise BackendError(error.message, hint=error.hint) from error
        anchor, letter, anchored = ordinary.encode(["\n", "a", "\na"])
        if anchored == anchor + letter:
            return ordinary.encode([text])[0]
        for before in "\n;#0a":  # one that the vocabulary does not merge with the text
            anchor, anchored = ordinary.encode([before, before + text])
            if anchored[: len(anchor)] == anchor:
                return anchored[len(anchor) :]
        return ordinary.encode([text])[0]

    def _ids(self, text: str, *, start: bool) -> list[int]:
        before = [self.tokenizer.bos_token_id] if start and self._adds_start() else []
        if self._codec is not None:
            try:
                return before + self._codec.encode(text)
            except TokenizerError as error:
                raise BackendError(error.message, hint=error.hint) from error
        return before + list(self.tokenizer(text, add_special_tokens=False)["input_ids"])

    def _adds_start(self) -> bool:
        start = self.tokenizer.bos_token_id
        return start is not None and list(self.tokenizer("a")["input_ids"])[:1] == [start]

    def _chat_ids(self, request: Request) -> list[int]:
        messages = [dict(message) for message in request.messages]
        if getattr(self.tokenizer, "chat_template", None):
            text = self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
            return list(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        lines = [f"{message.get('role', 'user')}: {message.get('content') or ''}\n" for message in messages]
        return self._ids("".join(lines) + "assistant: ", start=True)

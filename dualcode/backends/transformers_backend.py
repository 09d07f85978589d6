"""A local model of ``transformers`` with an extended tokenizer: ids of a prompt, ``generate`` in a thread, and text while it arrives.

Constrained generation plugs in through three hooks: processors of logits, stopping rules, and a rule for forced tokens.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import queue
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from dualcode.backends.fill import FillTokens, filler_of
from dualcode.backends.protocol import CHAT, COMPLETE, INFILL, Request
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import BackendError
from tokenizer_ext import Codec, TokenizerError
from tokenizer_ext.adapters import adapter_of

_MAX_TOKENS = 256
_BROKEN = "\N{REPLACEMENT CHARACTER}"
_AHEAD = 8  # ids before the new ones that are decoded with them, since how an id reads may depend on those before it


def accepts(target: str) -> bool:
    """Whether a text names a folder with a model."""
    return os.path.isfile(os.path.join(target, "config.json"))


def open_backend(target: str, **options: Any) -> TransformersBackend:
    """The backend for a model in a folder.

    Raises:
        BackendError: the folder holds no causal language model with a tokenizer.
    """
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(target)
        model = AutoModelForCausalLM.from_pretrained(target)
    except (OSError, ValueError, KeyError, ImportError) as error:
        raise BackendError(f"cannot load the model: {str(error).splitlines()[0]}", path=target) from error
    return TransformersBackend(model, tokenizer, **options)


class TransformersBackend:
    """A model in this process. It answers one request at a time.

    Args:
        model: a causal language model of ``transformers``.
        tokenizer: its fast tokenizer, extended for the dialect unless that is ``compact``.
        dialect: the dialect that the tokenizer was extended for; programs are then encoded so that no string becomes a
            grammar token.
        logits_processors: called as ``processor(ids, scores) -> scores`` for each step, as ``transformers`` does.
        stopping: called as ``rule(ids) -> bool`` with the ids generated so far; the text ends where one is true.
        forced: called as ``forced(ids) -> Sequence[int]`` with the ids generated so far; if it gives ids, the first of them
            comes next, whatever the model says.
        fill: the tokens with which the model was trained to fill gaps: a name of ``dualcode.backends.fill.KNOWN``, or one's own; by
            default the first known ones that the tokenizer has.

    Attributes:
        tasks: what the model can do; ``infill`` only where there are tokens for it.

    Raises:
        BackendError: the tokens for filling gaps are not known, or the tokenizer lacks some.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        *,
        dialect: str | Path | Dialect = "compact",
        logits_processors: Sequence[Callable[[Any, Any], Any]] = (),
        stopping: Sequence[Callable[[Sequence[int]], bool]] = (),
        forced: Callable[[Sequence[int]], Sequence[int]] | None = None,
        fill: str | FillTokens | None = None,
    ) -> None:
        self.model = model
        self.tokenizer = tokenizer
        self.logits_processors = tuple(logits_processors)
        self.stopping = tuple(stopping)
        self.forced = forced
        chosen = Dialect.load(dialect)
        self._codec = None if chosen.is_python else Codec(tokenizer, dialect=chosen)
        self._filler = filler_of(tokenizer, fill)
        self.tasks = frozenset((COMPLETE, CHAT, INFILL) if self._filler else (COMPLETE, CHAT))
        self._busy = threading.Lock()

    def count(self, text: str) -> int:
        """How many tokens a text is, without those that the tokenizer adds around it."""
        return len(self._ids(text, start=False))

    def run(self, request: Request) -> Generator[str, None, None]:
        """The model's text, in pieces."""
        if request.task not in self.tasks:
            hint = "its tokenizer has none of the known tokens for that; name its own: fill=..." if request.task == INFILL else ""
            raise BackendError(f"the model cannot {request.task}", hint=hint)
        ids = {CHAT: self._chat_ids, INFILL: self._infill_ids}.get(request.task, self._prompt_ids)(request)
        ends = self._filler.ends if self._filler and request.task == INFILL else frozenset[int]()
        with self._busy, closing(_Generation(self, ids, dict(request.options))) as generation:
            text = Detokenizer(self.tokenizer)
            stops = _Stops(request.options.get("stop"))
            for new in generation:
                kept = list(itertools.takewhile(lambda number: number not in ends, new))
                if piece := stops.feed(text.feed(kept)):
                    yield piece
                if stops.found:
                    return
                if len(kept) < len(new):
                    break
            if piece := stops.feed(text.close()) + stops.close():
                yield piece

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


class Detokenizer:
    """Turns ids into text one by one: characters that span several ids wait until they are whole."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._from = 0  # where decoding starts
        self._done = 0  # ids whose text has been given

    def feed(self, new: Sequence[int]) -> str:
        """The text that these ids complete."""
        self._ids += new
        before, text = self._texts()
        if text.endswith(_BROKEN) or not text.startswith(before):
            return ""
        self._done = len(self._ids)
        self._from = max(self._from, self._done - _AHEAD)
        return text[len(before) :]

    def close(self) -> str:
        """The text of ids that never completed a character."""
        before, text = self._texts()
        return text[len(before) :]

    def _texts(self) -> tuple[str, str]:
        decode = self._tokenizer.decode
        known = self._ids[self._from : self._done]
        everything = self._ids[self._from :]
        options = {"skip_special_tokens": True, "clean_up_tokenization_spaces": False}
        return decode(known, **options), decode(everything, **options)


class _Generation:
    """One run of ``generate`` in a thread: iterating gives new ids, closing stops it."""

    def __init__(self, backend: TransformersBackend, ids: Sequence[int], options: dict[str, Any]) -> None:
        self._backend = backend
        self._prompt = list(ids)
        self._options = options
        self._new: queue.Queue[list[int] | BaseException | None] = queue.Queue()
        self._stopped = False
        self._seen = False
        self._thread = threading.Thread(target=self._generate, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[list[int]]:
        while (item := self._new.get()) is not None:
            if isinstance(item, BaseException):
                raise BackendError(f"the model failed: {str(item).splitlines()[0] if str(item) else type(item).__name__}") from item
            yield item

    def close(self) -> None:
        """Stop the model and wait for it."""
        self._stopped = True
        self._thread.join()

    def put(self, value: Any) -> None:
        """Take ids from ``generate``: the prompt first."""
        if self._seen:
            self._new.put(value.reshape(-1).tolist())
        self._seen = True

    def end(self) -> None:
        """``generate`` says that it has ended."""

    def _generate(self) -> None:
        try:
            self._run()
        except BaseException as error:  # it is raised again where the text is read
            self._new.put(error)
        self._new.put(None)

    def _run(self) -> None:
        import torch
        from transformers import LogitsProcessorList, StoppingCriteriaList

        backend, options, start = self._backend, self._options, len(self._prompt)

        def stop(ids: Any, scores: Any, **_: Any) -> Any:
            new = ids[0, start:].tolist()
            ended = self._stopped or any(rule(new) for rule in backend.stopping)
            return torch.tensor([ended] * len(ids), device=ids.device)

        def force(ids: Any, scores: Any) -> Any:
            wanted = backend.forced(ids[0, start:].tolist()) if backend.forced is not None else ()
            if not len(wanted):
                return scores
            forced = torch.full_like(scores, float("-inf"))
            forced[:, wanted[0]] = 0
            return forced

        temperature = options.get("temperature", 0)
        arguments: dict[str, Any] = {
            "max_new_tokens": options.get("max_tokens") or options.get("max_completion_tokens") or _MAX_TOKENS,
            "do_sample": bool(temperature),
            "logits_processor": LogitsProcessorList([*backend.logits_processors, force]),
            "stopping_criteria": StoppingCriteriaList([stop]),
            "streamer": self,
        }
        if temperature:
            arguments.update(temperature=temperature, top_p=options.get("top_p", 1.0))
        if options.get("seed") is not None:
            torch.manual_seed(options["seed"])
        if getattr(backend.model.generation_config, "pad_token_id", None) is None:
            arguments["pad_token_id"] = backend.tokenizer.pad_token_id or backend.tokenizer.eos_token_id or 0
        ids = torch.tensor([self._prompt], device=backend.model.device)
        with torch.inference_mode():
            backend.model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **arguments)


class _Stops:
    """Ends a text before the first of some words, and gives nothing that may be the beginning of one."""

    def __init__(self, words: str | Sequence[str] | None) -> None:
        self._words = [words] if isinstance(words, str) else list(words or ())
        self._held = ""
        self.found = False

    def feed(self, text: str) -> str:
        self._held += text
        at = min((at for word in self._words if (at := self._held.find(word)) >= 0), default=-1)
        if at >= 0:
            self.found = True
            keep = self._held[:at]
            self._held = ""
            return keep
        most = max((n for word in self._words for n in range(1, len(word)) if self._held.endswith(word[:n])), default=0)
        keep, self._held = self._held[: len(self._held) - most], self._held[len(self._held) - most :]
        return keep

    def close(self) -> str:
        held, self._held = self._held, ""
        return "" if self.found else held

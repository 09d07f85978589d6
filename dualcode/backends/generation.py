"""One run of ``transformers.generate`` in a thread, held by the constraint of its request."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from dualcode.backends.early_exit import OPTION, SPECULATION, with_early_exit
from dualcode.backends.request_constraint import RequestConstraint
from simpy_grammar.errors import BackendError

_MAX_TOKENS = 256
_FEW_DRAWN = 4  # refusals in a row after which the exact mask is used
_MOST_DRAWN = 64  # refusals in a row after which an id that is known to be right is taken


def limit_of(options: Mapping[str, Any]) -> int:
    """How many tokens an answer may have.

    >>> limit_of({"max_tokens": 8}), limit_of({})
    (8, 256)
    """
    return int(options.get("max_tokens") or options.get("max_completion_tokens") or _MAX_TOKENS)


class Generation:
    """One run of ``generate``: iterating gives the ids of each step, closing stops it.

    Args:
        model: a causal language model.
        tokenizer: its tokenizer.
        ids: the prompt.
        constraint: holds the answer.
        options: those of the request.
        logprobs: keep how probable each id was for the model, before masks and temperature.
    """

    def __init__(
        self,
        model: Any,
        tokenizer: Any,
        ids: Sequence[int],
        constraint: RequestConstraint,
        options: Mapping[str, Any],
        *,
        logprobs: bool = False,
    ) -> None:
        self._model = model
        self._tokenizer = tokenizer
        self._prompt = list(ids)
        self._constraint = constraint
        self._options = options
        self._scores = ScoreProcessor() if logprobs else None
        self._new: queue.Queue[list[int] | BaseException | None] = queue.Queue()
        self._stopped = False
        self._seen = False
        if constraint.masks and options.get("assistant_tokenizer") is not None:
            raise BackendError(
                "masks are for one vocabulary", hint="leave out constrain, or give an assistant_model with the same tokenizer"
            )
        self._thread = threading.Thread(target=self._generate, daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[list[int]]:
        while (item := self._new.get()) is not None:
            if isinstance(item, BackendError):
                raise item
            if isinstance(item, BaseException):
                raise BackendError(f"the model failed: {str(item).splitlines()[0] if str(item) else type(item).__name__}") from item
            yield item

    def close(self) -> None:
        """Stop the model and wait for it."""
        self._stopped = True
        self._thread.join()

    def logprob(self, tokens: int) -> float | None:
        """The mean natural logarithm of the probability of the first ids that came; ``None`` if it was not kept."""
        found = self._scores.logprobs[:tokens] if self._scores is not None else []
        return sum(found) / len(found) if found else None

    def put(self, value: Any) -> None:
        """Take ids from ``generate``: the prompt first."""
        ids = value.reshape(-1).tolist()
        if self._seen:
            if self._scores is not None:
                self._scores.add(ids)
            self._new.put(ids)
        elif self._scores is not None:
            self._scores.begin(len(ids))
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
        from transformers import LogitsProcessorList, StoppingCriteriaList, TemperatureLogitsWarper, TopPLogitsWarper

        options, start, model = self._options, len(self._prompt), self._model

        def stop(ids: Any, scores: Any, **_: Any) -> Any:
            ended = [self._stopped or self._constraint.must_stop(row) for row in ids[:, start:].tolist()]
            return torch.tensor(ended, device=ids.device)

        temperature = options.get("temperature", 0)
        arguments: dict[str, Any] = {
            "max_new_tokens": limit_of(options),
            "do_sample": bool(temperature),
            "stopping_criteria": StoppingCriteriaList([stop]),
            "streamer": self,
            **{name: options[name] for name in SPECULATION if options.get(name) is not None},
        }
        if self._constraint.asks:
            # The mask does not tell all, so ids are drawn here, where they can be asked for one by one.
            warpers = LogitsProcessorList([TemperatureLogitsWarper(float(temperature))] if temperature else [])
            has_top_p = bool(temperature) and options.get("top_p", 1.0) < 1
            if has_top_p:
                warpers.append(TopPLogitsWarper(options["top_p"]))
            drawing = DrawProcessor(self._constraint, start, warpers, samples=bool(temperature), is_rough=not has_top_p)
            arguments["logits_processor"] = LogitsProcessorList([drawing])
            arguments["do_sample"] = False
        elif self._constraint.masks:
            arguments["logits_processor"] = LogitsProcessorList([MaskProcessor(self._constraint, start)])
        if self._scores is not None:
            arguments["logits_processor"] = LogitsProcessorList([self._scores, *arguments.get("logits_processor", ())])
        if temperature and arguments["do_sample"]:
            arguments.update(temperature=temperature, top_p=options.get("top_p", 1.0))
        if options.get("seed") is not None:
            torch.manual_seed(options["seed"])
        if getattr(model.generation_config, "pad_token_id", None) is None:
            arguments["pad_token_id"] = self._tokenizer.pad_token_id or self._tokenizer.eos_token_id or 0
        ids = torch.tensor([self._prompt], device=model.device)
        with torch.inference_mode(), with_early_exit(model, options.get(OPTION)):
            model.generate(input_ids=ids, attention_mask=torch.ones_like(ids), **arguments)


class ScoreProcessor:
    """A processor of logits that changes nothing, and keeps how probable each id was.

    Where drafts are checked, a place has scores of the draft's model first and of the model itself last: the last ones count.

    Attributes:
        logprobs: the natural logarithms of the probabilities of the ids that came.
    """

    def __init__(self) -> None:
        self.logprobs: list[float] = []
        self._length = 0
        self._kept: dict[int, Any] = {}

    def __call__(self, ids: Any, scores: Any) -> Any:
        """The scores as they are; shapes (1, ids) and (1, vocabulary)."""
        self._kept[ids.shape[1]] = scores[0].float().log_softmax(0)
        return scores

    def begin(self, length: int) -> None:
        """Take the length of the prompt."""
        self._length = length

    def add(self, ids: Sequence[int]) -> None:
        """Take the next ids that came."""
        for number in ids:
            self.logprobs.append(float(self._kept.pop(self._length)[number]))
            self._length += 1


class MaskProcessor:
    """A processor of logits, as ``transformers`` has them, over a constraint.

    Args:
        constraint: says which ids may come.
        start: how many ids the prompt has.
    """

    def __init__(self, constraint: RequestConstraint, start: int) -> None:
        self._constraint = constraint
        self._start = start

    def __call__(self, ids: Any, scores: Any) -> Any:
        """The scores, minus infinity for what may not come; shapes (rows, ids) and (rows, vocabulary)."""
        masked = scores.clone()
        for row, given in enumerate(ids[:, self._start :].tolist()):
            restrict(masked[row], self._constraint.mask(given))
        return masked


def restrict(scores: Any, mask: bytes | None) -> None:
    """Set the scores of ids that are not in a packed mask to minus infinity, in place; shape (vocabulary,)."""
    if mask is not None:
        import numpy as np
        import torch

        may = np.unpackbits(np.frombuffer(mask, np.uint8), count=len(scores), bitorder="little")
        scores.masked_fill_(torch.from_numpy(may == 0).to(scores.device), float("-inf"))


class DrawProcessor:
    """Draws an id that may come, and leaves no other one: for constraints whose mask does not tell all.

    Ids are drawn as a sampler would draw them, or the best one is taken; one that is refused is drawn again. So the probabilities of the
    others are what they would be under an exact mask. A rough mask will do for the first few draws, since it costs less.

    Args:
        constraint: says which ids may come.
        start: how many ids the prompt has.
        warp: what a sampler does to the scores first.
        samples: draw; else take the best one.
        is_rough: begin with a rough mask. Not for a sampler that asks what the ids of a mask weigh together, as top-p does.
    """

    def __init__(self, constraint: RequestConstraint, start: int, warp: Any, *, samples: bool, is_rough: bool = True) -> None:
        self._constraint = constraint
        self._start = start
        self._warp = warp
        self._samples = samples
        self._masks = [(constraint.rough_mask, _FEW_DRAWN)] if is_rough else []
        self._masks.append((constraint.mask, _MOST_DRAWN))

    def __call__(self, ids: Any, scores: Any) -> Any:
        """Zero for the ids that were drawn, minus infinity for others; shapes as those of ``MaskProcessor``."""
        import torch

        drawn = torch.full_like(scores, float("-inf"))
        for row, given in enumerate(ids[:, self._start :].tolist()):
            drawn[row, self._drawn(ids[row : row + 1], given, scores[row])] = 0
        return drawn

    def _drawn(self, ids: Any, given: list[int], scores: Any) -> int:
        """An id that may come, or the first one of a way to an end if so many draws find none."""
        scores = scores.clone()
        for mask, most in self._masks:
            restrict(scores, mask(given))
            for is_warped in (True, False):  # what is likely for a sampler may all be refused
                left = self._warp(ids, scores[None])[0] if is_warped else scores
                for _ in range(most):
                    number = _sampled(left) if self._samples and is_warped else _best(left)
                    if number is None:
                        break
                    if self._constraint.takes(given, number):
                        return number
                    left[number] = scores[number] = float("-inf")
                else:
                    break
        sure = self._constraint.sure(given)
        return int(scores.argmax()) if sure is None else sure


def _best(scores: Any) -> int | None:
    """The id with the largest score; ``None`` if all scores are minus infinity."""
    number = int(scores.argmax())
    return None if scores[number] == float("-inf") else number


def _sampled(scores: Any) -> int | None:
    """An id, drawn by its score; ``None`` if all scores are minus infinity."""
    import torch

    below = scores.softmax(0).cumsum(0, dtype=torch.float64)  # the chance of an id or of one before it
    if not below[-1] > 0:
        return None
    return int(torch.searchsorted(below, torch.rand(1, dtype=torch.float64, device=below.device) * below[-1], right=True))

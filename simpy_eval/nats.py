"""Nats: how surprised a causal language model is by the ids of programs.

A conversion between Python and SimPy is a bijection, so nats per program can be compared between dialects and between vocabularies, where
nats per token cannot. What the ids of a program are is left to the caller.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

LONGEST_WINDOW = 2_048
"""Ids in a window at most: the logits of a window are held in memory, one row of the vocabulary for each id."""
_NAMES = ("max_position_embeddings", "n_positions", "n_ctx", "max_sequence_length")


class Window(NamedTuple):
    """A part of a program as the model reads it.

    Attributes:
        program: its index.
        begin: index of the first id that the model reads, in the program with ``start`` before it.
        end: index of the last id that is predicted, likewise.
        scored: how many ids are scored, the last ones.
    """

    program: int
    begin: int
    end: int
    scored: int


def context_of(model: Any) -> int:
    """How many ids a model reads at once: what its configuration says, ``LONGEST_WINDOW`` at most.

    >>> from types import SimpleNamespace
    >>> context_of(SimpleNamespace(config=SimpleNamespace(n_positions=1024))), context_of(SimpleNamespace(config=SimpleNamespace()))
    (1024, 2048)
    """
    config = model.config
    config = config.get_text_config() if hasattr(config, "get_text_config") else config
    sizes = [size for name in _NAMES if isinstance(size := getattr(config, name, None), int) and size > 0]
    return min([*sizes, LONGEST_WINDOW])


def windows(lengths: Sequence[int], *, context: int, stride: int) -> Iterator[Window]:
    """The windows that score each id of each program exactly once.

    The first window of a program begins with ``start`` and scores all that it predicts. Each further one moves on by ``stride`` ids, scores
    these, and sees ``context - stride`` ids or more before each of them.

    >>> [tuple(window) for window in windows([3, 10], context=6, stride=2)]
    [(0, 0, 3, 3), (1, 0, 6, 6), (1, 2, 8, 2), (1, 4, 10, 2)]
    """
    for program, length in enumerate(lengths):
        end = min(context, length)
        if end:
            yield Window(program, 0, end, end)
        while end < length:
            scored = min(stride, length - end)
            end += scored
            yield Window(program, end - context, end, scored)


def nats_of(
    model: Any,
    ids: Sequence[Sequence[int]],
    *,
    start: int,
    context: int | None = None,
    stride: int | None = None,
    batch_ids: int = LONGEST_WINDOW,
) -> list[float]:
    """The nats of each program: the sum of ``-log p(id | ids before it)``, in units of the natural logarithm.

    The first id of a program is predicted after ``start`` alone. What ends a text is predicted only if it is among the ids of the program.
    A program of more than ``context`` ids is read through a window that moves on by ``stride`` ids (see ``windows``). The logarithms are
    taken in float32 and added up in float64, whatever the type of the model is. Gradients are not kept, and dropout is switched off.

    Args:
        model: a causal language model of ``transformers``.
        ids: the ids of the programs, each of any length.
        start: the id before each program: the one that begins a text for this model, or else the one that ends a text.
        context: ids that the model reads at once; by default ``context_of(model)``.
        stride: ids by which the window moves on; by default half of ``context``.
        batch_ids: ids that are read in one call of the model at most, padding included; a window is never divided.

    Returns:
        One sum for each program, in order; 0.0 for a program without ids.

    Raises:
        ValueError: ``context`` or ``stride`` is not positive, or ``stride`` is larger than ``context``.

    >>> import torch
    >>> from types import SimpleNamespace
    >>> class Uniform(torch.nn.Module):  # each of four ids is as likely as the others
    ...     config, device = SimpleNamespace(n_positions=8), "cpu"
    ...     def forward(self, input_ids, **options):
    ...         return SimpleNamespace(logits=torch.zeros(*input_ids.shape, 4))
    >>> [round(nats, 3) for nats in nats_of(Uniform(), [[1, 2], [], [3] * 20], start=0)]  # log(4) = 1.386
    [2.773, 0.0, 27.726]
    """
    import torch

    context = context_of(model) if context is None else context
    stride = max(1, context // 2) if stride is None else stride
    if not 0 < stride <= context:
        raise ValueError(f"the stride is {stride}, and must be from 1 to the context, {context}")
    sums = [0.0] * len(ids)
    was_training = model.training
    model.eval()
    try:
        with torch.inference_mode():
            for batch in _batches(list(windows([len(one) for one in ids], context=context, stride=stride)), batch_ids):
                for window, nats in zip(batch, _score(model, batch, ids, start), strict=True):
                    sums[window.program] += nats
    finally:
        model.train(was_training)
    return sums


def _batches(found: list[Window], batch_ids: int) -> Iterator[list[Window]]:
    """Windows of about the same length together, the longest first, so that memory runs out early or not at all."""
    batch: list[Window] = []
    longest = 0
    for window in sorted(found, key=lambda one: (one.begin - one.end, one)):
        if batch and longest * (len(batch) + 1) > batch_ids:
            yield batch
            batch = []
        longest = window.end - window.begin if not batch else longest
        batch.append(window)
    if batch:
        yield batch


def _score(model: Any, batch: Sequence[Window], ids: Sequence[Sequence[int]], start: int) -> list[float]:
    """The nats of what each window scores. Shorter windows are padded at their end, where causal attention does not look."""
    import torch
    from torch.nn.functional import cross_entropy

    longest = batch[0].end - batch[0].begin
    read = torch.full((len(batch), longest), start, dtype=torch.long)
    present = torch.zeros((len(batch), longest), dtype=torch.long)
    for row, window in enumerate(batch):
        one = ids[window.program]
        inputs = [start, *one[: window.end - 1]] if window.begin == 0 else list(one[window.begin - 1 : window.end - 1])
        read[row, : len(inputs)] = torch.tensor(inputs, dtype=torch.long)
        present[row, : len(inputs)] = 1
    logits = model(input_ids=read.to(model.device), attention_mask=present.to(model.device), use_cache=False).logits
    found = []
    for row, window in enumerate(batch):
        length = window.end - window.begin
        wanted = torch.tensor(list(ids[window.program][window.end - window.scored : window.end]), dtype=torch.long, device=logits.device)
        losses = cross_entropy(logits[row, length - window.scored : length].float(), wanted, reduction="none")
        found.append(float(losses.double().sum()))
    return found

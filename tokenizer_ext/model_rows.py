"""Giving a model rows for the tokens of an extended tokenizer. The tokenizer itself is extended by ``tokenizer_ext.extension``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from simpy_grammar.dialect import Dialect
from tokenizer_ext.adapters import adapter_of
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.grammar_tokens import extension_tokens, python_text, python_texts
from tokenizer_ext.reuse_mark import ReuseMark

if TYPE_CHECKING:
    import torch

M = TypeVar("M")
MARK = "simpy_token_ids"  # in the model's configuration: [first, end) of the new ids that have been given rows
REUSED_MARK = "simpy_reused_ids"  # there too, if there are any: the reused ids whose rows have been written


def extend_model(model: M, tokenizer: Any, *, dialect: str | Path | Dialect = "classic", pad_to_multiple_of: int | None = None) -> M:
    """Give a model rows for the tokens that ``extend`` has added to its tokenizer. Changes the model, and returns it.

    Input and output embeddings grow, tied or not, if they have too few rows. A new row is the mean of the rows of the
    Python text that its token stands for: ``<def_stmt>`` begins as ``def``, a learned token as the mean over the tokens of
    its Python text. A token that has taken the id of another (``extend(reuse_ids=...)``) takes its row, too, so no row is
    added for it. All other rows of the old vocabulary stay bit for bit as they are. What has been done is noted in the model's
    configuration, so that doing it again changes nothing, and tokens that were added later get rows of their own.

    Args:
        model: a model of ``transformers`` (or anything with its methods for embeddings).
        tokenizer: the extended tokenizer.
        dialect: the dialect it was extended for.
        pad_to_multiple_of: grow to a multiple of this number of rows.

    Raises:
        TokenizerError: the tokenizer has not been extended, or is not the tokenizer of this model; or embeddings are quantized. All else
            of the model may be.
    """
    if any(_is_quantized(weight) for weight in _matrices(model)):
        hint = "quantize the model without its embeddings and its head, which is what libraries do by default"
        raise TokenizerError("the embeddings are quantized, so they cannot be given rows", hint=hint)
    adapter = adapter_of(tokenizer)
    own = extension_tokens(adapter.added, dialect)
    if not own:
        raise TokenizerError("the tokenizer holds no grammar tokens", hint="extend it first: tokenizer_ext.extend(tokenizer)")
    mark = ReuseMark.of(adapter.added)
    first = min(own.values()) if mark is None else mark.size
    end = max(first, max(own.values()) + 1)
    config = model.config  # type: ignore[attr-defined]  # every model of transformers has one
    noted, reused = getattr(config, MARK, None) or [first, first], set(getattr(config, REUSED_MARK, None) or ())
    if noted[0] != first:
        raise TokenizerError(
            f"the model was extended from id {noted[0]} on, the tokenizer from {first}", hint="use the tokenizer that it was extended for"
        )
    if not reused <= set(own.values()):
        raise TokenizerError(
            f"the model has a row for a token at the reused id {min(reused - set(own.values()))}, and the tokenizer has no such token",
            hint="use the tokenizer that it was extended for",
        )
    rows = _rows(model.get_input_embeddings())  # type: ignore[attr-defined]  # as above
    if rows < noted[1] or rows < first:
        raise TokenizerError(
            f"the model has {rows:,} embedding rows, fewer than the {first:,} ids of the vocabulary",
            hint="name the tokenizer that belongs to the model",
        )
    if rows < end or (pad_to_multiple_of and rows % pad_to_multiple_of):
        model.resize_token_embeddings(max(end, rows), pad_to_multiple_of=pad_to_multiple_of, mean_resizing=False)  # type: ignore[attr-defined]  # as above
    texts = python_texts(dialect)
    ordinary = adapter.ordinary(list(own))
    new = {token: number for token, number in own.items() if number not in reused and not noted[0] <= number < noted[1]}
    sources = ordinary.encode([python_text(token, texts) for token in new])
    taken = {number for number in own.values() if number < first}
    _fill(model, dict(zip(new.values(), sources, strict=True)), [number for number in range(first) if number not in taken])
    setattr(config, MARK, [first, end])
    if taken:
        setattr(config, REUSED_MARK, sorted(taken))
    return model


def _rows(embeddings: Any) -> int:
    rows: int = embeddings.weight.shape[0]
    return rows


def _matrices(model: Any) -> list[Any]:
    """What has a row for each id: the input embeddings, the head if it has weights of its own, and its bias if it has one."""
    inputs = model.get_input_embeddings().weight
    outputs = model.get_output_embeddings()
    if outputs is None:
        return [inputs]
    own = [outputs.weight] if outputs.weight is not inputs and outputs.weight.data_ptr() != inputs.data_ptr() else []
    bias = [outputs.bias] if getattr(outputs, "bias", None) is not None else []
    return [inputs, *own, *bias]


def _is_quantized(weight: Any) -> bool:
    """Whether a weight holds its values in few bits: as integers, or as a tensor that ``torchao`` has made."""
    return not weight.is_floating_point() or type(weight).__module__.startswith("torchao")


def _fill(model: Any, sources: dict[int, list[int]], old: list[int]) -> None:
    """Write the new rows: id -> the ids whose rows it is the mean of; of all old rows where there are none."""
    import torch

    with torch.no_grad():
        for weight in _matrices(model):
            for number, ids in sources.items():
                weight[number] = _mean(weight, ids or old)


def _mean(weight: torch.Tensor, ids: list[int]) -> torch.Tensor:
    """The mean of some rows, summed in single precision at least."""
    import torch

    chosen = weight[torch.tensor(ids, device=weight.device)]
    wide = chosen if chosen.dtype == torch.float64 else chosen.float()
    return wide.mean(dim=0).to(weight.dtype)

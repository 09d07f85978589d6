"""Drafts by the first layers of a model, which all of it then checks: ``assistant_early_exit`` of ``transformers``.

A draft lowers ``num_hidden_layers`` in the configuration of the model while it runs. A model whose code does not look there would draft
with all its layers; and a draft that breaks off would leave the number as it is.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any
from weakref import WeakKeyDictionary

from simpy_grammar.errors import BackendError

OPTION = "assistant_early_exit"
SPECULATION = ("assistant_model", "assistant_tokenizer", OPTION, "prompt_lookup_num_tokens", "num_assistant_tokens")
"""Options that ``generate`` gets as they are: who drafts tokens that the model only has to check."""
_known: WeakKeyDictionary[Any, bool] = WeakKeyDictionary()


@contextmanager
def with_early_exit(model: Any, layers: int | None) -> Generator[None, None, None]:
    """Make sure that a model can draft with its first layers, and that it has all of them afterwards.

    Args:
        model: a causal language model of ``transformers``.
        layers: how many draft; ``None`` for no drafts.

    Raises:
        BackendError: the model does not have more layers than that, or cannot leave any out.
    """
    if layers is None:
        yield
        return
    base: Any = getattr(model, getattr(model, "base_model_prefix", "") or "", None)
    count = getattr(getattr(base, "config", None), "num_hidden_layers", None)
    if count is None or not (exits_early(model, base) if model not in _known else _known[model]):
        raise BackendError("this model cannot leave out layers", hint=f"leave out {OPTION}, or the policy early-exit")
    if not 1 <= layers < count:
        raise BackendError(f"{OPTION}={layers} leaves out no layer: the model has {count}", hint=f"say 1 to {count - 1}")
    try:
        yield
    finally:
        base.config.num_hidden_layers = count


def exits_early(model: Any, base: Any) -> bool:
    """Whether a model runs fewer layers where its configuration says so: tried once, with one token.

    Args:
        model: a causal language model of ``transformers``.
        base: the part of it that holds the layers.
    """
    import torch

    count = base.config.num_hidden_layers
    stacks = [part for part in base.modules() if isinstance(part, torch.nn.ModuleList) and len(part) == count]
    ran: list[bool] = []
    hooks = [stack[-1].register_forward_hook(lambda *_: ran.append(True)) for stack in stacks]
    base.config.num_hidden_layers = 1
    try:
        with torch.inference_mode():
            model(input_ids=torch.zeros((1, 1), dtype=torch.long, device=model.device))
    except (IndexError, RuntimeError, TypeError, ValueError):
        ran.append(True)  # a model that looks at the number in some places only
    finally:
        base.config.num_hidden_layers = count
        for hook in hooks:
            hook.remove()
    _known[model] = count > 1 and bool(stacks) and not ran
    return _known[model]

"""Early exit: the first layers of a local model draft tokens, and all of it checks them.

GREEN-CODE (2025) and LayerSkip (Elhoushi et al., ACL 2024) train models for that: their first layers can already write. The answer of
a model that is not sampled stays the same, whatever the draft was.
"""

from __future__ import annotations

from dataclasses import replace

from dualcode.backends.early_exit import OPTION
from dualcode.policies.options import Options
from dualcode.policies.protocol import Ask, Policy, Question
from simpy_grammar.errors import SimPyError

_MOST = 1000  # layers


class EarlyExit(Policy):
    """Lets the first layers of a local model draft.

    Args:
        layers: how many layers draft; fewer than the model has.

    >>> EarlyExit(4).before(Question("complete", "x = ")).question.options
    {'assistant_early_exit': 4}
    >>> EarlyExit(4).before(Question("complete", "x = ", options={"assistant_model": "another"}))
    """

    name = "early-exit"

    def __init__(self, layers: int) -> None:
        self.layers = layers

    @property
    def identity(self) -> str:
        """Its name: it changes no answer."""
        return self.name

    def before(self, question: Question) -> Ask | None:
        """Add the option, unless the question says itself who drafts, names another model, or is for a server."""
        options = question.options
        if (
            question.path
            or question.model
            or any(options.get(name) is not None for name in (OPTION, "assistant_model", "prompt_lookup_num_tokens"))
        ):
            return None
        return Ask(replace(question, options={**options, OPTION: self.layers}), f"the first {self.layers} layers draft")


def open_policy(options: Options) -> EarlyExit:
    """The policy, with ``layers=N``."""
    layers = options.number("layers", 0, 0, _MOST)
    if layers != int(layers) or not layers:
        raise SimPyError("the policy early-exit needs a number of layers", hint="say early-exit:layers=N")
    return EarlyExit(int(layers))

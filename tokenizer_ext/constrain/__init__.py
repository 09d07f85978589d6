"""Grammar-constrained generation: which ids a model may write next so that a program of a dialect comes out."""

from __future__ import annotations

from tokenizer_ext.constrain.constraint import Constraint, State
from tokenizer_ext.constrain.mask import Mask

__all__ = ["Constraint", "Mask", "State"]

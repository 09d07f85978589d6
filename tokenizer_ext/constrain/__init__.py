"""Grammar-constrained generation: which ids a model may write next so that a program of a dialect comes out."""

from __future__ import annotations

from tokenizer_ext.constrain.constraint import Constraint
from tokenizer_ext.constrain.mask import Mask
from tokenizer_ext.constrain.states import State
from tokenizer_ext.constrain.suffixes import Suffix

__all__ = ["Constraint", "Mask", "State", "Suffix"]

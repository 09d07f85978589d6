"""SimPy for tokenizers and models: grammar tokens as single ids, safe encoding, counting, learned tokens, fitted dialects.

Importing this brings no library of tokenizers or models: they are imported where they are used.
"""

from __future__ import annotations

from tokenizer_ext.count import Counter, count_program
from tokenizer_ext.errors import TokenizerError
from tokenizer_ext.extend import extend
from tokenizer_ext.fit import fit, fitted_dialect
from tokenizer_ext.ids import Codec
from tokenizer_ext.learned import LearnedTokens
from tokenizer_ext.learning import learn
from tokenizer_ext.model import extend_model
from tokenizer_ext.names import load_tokenizer
from tokenizer_ext.runs import read_programs
from tokenizer_ext.spelling import special_tokens

__all__ = [
    "Codec",
    "Counter",
    "LearnedTokens",
    "TokenizerError",
    "count_program",
    "extend",
    "extend_model",
    "fit",
    "fitted_dialect",
    "learn",
    "load_tokenizer",
    "read_programs",
    "special_tokens",
]

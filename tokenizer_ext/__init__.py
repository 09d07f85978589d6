"""SimPy for tokenizers and models: grammar tokens as single ids, safe encoding, counting, learned tokens, fitted dialects.

Importing this brings no library of tokenizers or models: they are imported where they are used.
"""

from __future__ import annotations

from simpy_grammar.later_imports import import_later

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from tokenizer_ext.codec import Codec
    from tokenizer_ext.counting import TokenCounter, count_program
    from tokenizer_ext.errors import TokenizerError
    from tokenizer_ext.extension import extend
    from tokenizer_ext.fitting import fit, fitted_dialect
    from tokenizer_ext.grammar_tokens import special_tokens
    from tokenizer_ext.learned_tokens import LearnedTokens
    from tokenizer_ext.learning import learn, read_corpus
    from tokenizer_ext.loading import load_tokenizer
    from tokenizer_ext.model_rows import extend_model
    from tokenizer_ext.reusable import rarest_ids

__all__ = [
    "Codec",
    "LearnedTokens",
    "TokenCounter",
    "TokenizerError",
    "count_program",
    "extend",
    "extend_model",
    "fit",
    "fitted_dialect",
    "learn",
    "load_tokenizer",
    "rarest_ids",
    "read_corpus",
    "special_tokens",
]

# Each is imported when it is first asked for: the command counts tokens with very little of this.
_WHERE = {
    "Codec": "tokenizer_ext.codec",
    "LearnedTokens": "tokenizer_ext.learned_tokens",
    "TokenCounter": "tokenizer_ext.counting",
    "TokenizerError": "tokenizer_ext.errors",
    "count_program": "tokenizer_ext.counting",
    "extend": "tokenizer_ext.extension",
    "extend_model": "tokenizer_ext.model_rows",
    "fit": "tokenizer_ext.fitting",
    "fitted_dialect": "tokenizer_ext.fitting",
    "learn": "tokenizer_ext.learning",
    "load_tokenizer": "tokenizer_ext.loading",
    "rarest_ids": "tokenizer_ext.reusable",
    "read_corpus": "tokenizer_ext.learning",
    "special_tokens": "tokenizer_ext.grammar_tokens",
}

__getattr__ = import_later(__name__, _WHERE)

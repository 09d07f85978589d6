"""Learning tokens: from a corpus of programs to n-grams of lexemes that, as added tokens, save the most."""

from __future__ import annotations

from tokenizer_ext.learning.corpus import CorpusFile, read_corpus
from tokenizer_ext.learning.learner import LearningResult, learn

__all__ = ["CorpusFile", "LearningResult", "learn", "read_corpus"]

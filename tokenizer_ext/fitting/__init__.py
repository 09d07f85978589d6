"""Fitting: a dialect for one vocabulary, found by search or chosen from the built-in ones."""

from __future__ import annotations

from tokenizer_ext.fitting.built_in import fitted_dialect
from tokenizer_ext.fitting.search import FitResult, fit

__all__ = ["FitResult", "fit", "fitted_dialect"]

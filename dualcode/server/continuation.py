"""Completion prompts: unfinished Python to the dialect, and what the model adds back to Python that joins on."""

from __future__ import annotations

"""Views of a program: the same statements with some of them, or something of them, left out, in any dialect."""

from __future__ import annotations

from transpiler.views.numbers import NUMBERS, strip_numbers
from transpiler.views.registry import KINDS
from transpiler.views.rendering import View, view

__all__ = ["KINDS", "NUMBERS", "View", "strip_numbers", "view"]

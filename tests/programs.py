"""Hypothesis strategies: Python programs of three generators, and SimPy texts drawn from the grammar.

What makes the programs is in ``tests.random_ast``, ``tests.random_layout`` and hypothesmith; the SimPy texts come from
``tests.simpy_texts``. Here they are strategies, and nothing else.
"""

from __future__ import annotations

import warnings
from random import Random

from hypothesis import strategies as st

from tests.random_ast import Programs, is_python
from tests.random_layout import respell

try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # libcst may warn on a Python newer than itself
        import hypothesmith
except ImportError:
    hypothesmith = None  # type: ignore[assignment]  # says that it is missing

HAS_HYPOTHESMITH = hypothesmith is not None

# A source of choices that Hypothesis controls, so that it can replay and shrink what they lead to.
choices = st.randoms(use_true_random=False)


def plain_programs(size: int = 30) -> st.SearchStrategy[str]:
    """Programs as ``ast.unparse`` spells them."""
    return choices.map(lambda random: Programs(random, size).program())


def programs(size: int = 12) -> st.SearchStrategy[str]:
    """Programs in any layout."""

    def make(random: Random) -> str:
        return respell(Programs(random, size).program(), random)

    return choices.map(make)


def hypothesmith_programs() -> st.SearchStrategy[str]:
    """Programs of hypothesmith, which knows the grammar of Python 3.8."""
    return hypothesmith.from_grammar(auto_target=False).filter(lambda text: "\0" not in text and is_python(text))


def spellings_of(source: str) -> st.SearchStrategy[str]:
    """The same program in other layouts."""
    return choices.map(lambda random: respell(source, random))

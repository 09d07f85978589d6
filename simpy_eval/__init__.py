"""Evaluation of language models on programs, in Python and in SimPy: nats, functions by syntax tree, problems with tests, and cost.

Importing this brings no library of models: they are imported where they are used.
"""

from __future__ import annotations

from simpy_grammar.later_imports import import_later

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from simpy_eval.comparing import Difference, compare
    from simpy_eval.evaluating import Plan, evaluate
    from simpy_eval.models import EvaluatedModel
    from simpy_eval.nats import nats_of
    from simpy_eval.sandbox import Outcome, RunLimits, run_tests
    from simpy_eval.statistics import pass_at_k

__all__ = ["Difference", "EvaluatedModel", "Outcome", "Plan", "RunLimits", "compare", "evaluate", "nats_of", "pass_at_k", "run_tests"]

_WHERE = {
    "Difference": "simpy_eval.comparing",
    "EvaluatedModel": "simpy_eval.models",
    "Outcome": "simpy_eval.sandbox",
    "Plan": "simpy_eval.evaluating",
    "RunLimits": "simpy_eval.sandbox",
    "compare": "simpy_eval.comparing",
    "evaluate": "simpy_eval.evaluating",
    "nats_of": "simpy_eval.nats",
    "pass_at_k": "simpy_eval.statistics",
    "run_tests": "simpy_eval.sandbox",
}

__getattr__ = import_later(__name__, _WHERE)

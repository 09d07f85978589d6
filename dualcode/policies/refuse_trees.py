"""An estimator of whether the person will keep an answer: boosted trees, as a file of JSON that is data and runs nothing.

Training is in ``refuse_training``; here is what a request needs, and no library.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, isfinite
from pathlib import Path
from typing import Any

from dualcode.policies.drift import Distribution
from dualcode.policies.refuse_features import FEATURES
from simpy_grammar.errors import SimPyError, os_reason

FORMAT = "simpy-refuse-1"
SCORE = "estimate"
"""The name of the estimate among the numbers whose distribution is known."""
_LARGEST = 32 << 20  # bytes of a file
_HINT = "make it with `simpy policy train`"
_Node = tuple[int, float, int, int]


@dataclass(frozen=True)
class Estimator:
    """Boosted trees: the sum of what their leaves say is the logarithm of the odds that an answer is kept.

    Attributes:
        trees: nodes of each tree, the first one first: number of the feature, threshold, nodes for features up to the threshold and above
            it. In a leaf the feature is -1, and the threshold what the leaf says.
        base: what is added to the sum.
        threshold: refuse where the estimate is below.
        known: how estimate and features were distributed in training, by name.
        figures: what was measured on held-out requests.

    >>> one = Estimator((((0, 1.5, 1, 2), (-1, -2.0, 0, 0), (-1, 2.0, 0, 0)),), 0.0, 0.5, {}, {})
    >>> round(one.estimate([1.0]), 3), round(one.estimate([2.0]), 3)
    (0.119, 0.881)
    """

    trees: tuple[tuple[_Node, ...], ...]
    base: float
    threshold: float
    known: Mapping[str, Distribution]
    figures: Mapping[str, Any]

    def estimate(self, features: Sequence[float]) -> float:
        """The probability that an answer is kept."""
        total = self.base
        for nodes in self.trees:
            feature, value, below, above = nodes[0]
            while feature >= 0:
                feature, value, below, above = nodes[below if features[feature] <= value else above]
            total += value
        return 1 / (1 + exp(-max(-500.0, min(500.0, total))))

    @property
    def used(self) -> tuple[str, ...]:
        """The names of the features that the trees look at."""
        numbers = {node[0] for nodes in self.trees for node in nodes if node[0] >= 0}
        return tuple(FEATURES[number] for number in sorted(numbers))

    def save(self, path: str | Path) -> None:
        """Write the file.

        Raises:
            OSError: it cannot be written.
        """
        content = {
            "format": FORMAT,
            "threshold": self.threshold,
            "figures": self.figures,
            "features": FEATURES,
            "base": self.base,
            "trees": self.trees,
            "known": {name: {"edges": one.edges, "shares": one.shares} for name, one in self.known.items()},
        }
        temporary = f"{os.fspath(path)}.{os.getpid()}.new"
        Path(temporary).write_text(json.dumps(content, separators=(",", ":")) + "\n", encoding="utf-8")
        os.replace(temporary, path)

    @classmethod
    def load(cls, path: str | Path) -> Estimator:
        """Read a file that ``save`` wrote; nothing of it is taken on trust.

        Raises:
            SimPyError: the file is missing, or is not such a file.
        """
        shown = os.fspath(path)
        try:
            if os.path.getsize(path) > _LARGEST:
                raise SimPyError("the file is too large for an estimator", path=shown)
            content = json.loads(Path(path).read_text(encoding="utf-8"))
        except OSError as error:
            raise SimPyError(f"the estimator cannot be read: {os_reason(error)}", path=shown, hint=_HINT) from None
        except (ValueError, RecursionError):
            raise SimPyError("this is not an estimator", path=shown, hint=_HINT) from None
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise SimPyError("this is not an estimator", path=shown, hint=_HINT)
        if content.get("features") != list(FEATURES):
            raise SimPyError("the estimator was made for other features than this version has", path=shown, hint="train it anew")
        try:
            return _checked(content)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise SimPyError("the estimator is damaged", path=shown, hint=_HINT) from None


def _checked(content: Mapping[str, Any]) -> Estimator:
    """The estimator of a file.

    Raises:
        ValueError: something is not as it must be; other errors where a type is wrong.
    """
    trees = tuple(tuple(map(_node, nodes)) for nodes in content["trees"])
    for nodes in trees:
        if not nodes:
            raise ValueError("an empty tree")
        for place, (feature, _, below, above) in enumerate(nodes):
            # Both ways lead further down the list, so that every walk ends.
            if feature >= 0 and not (place < below < len(nodes) and place < above < len(nodes)):
                raise ValueError("a node that leads nowhere")
    known = {}
    for name, one in content["known"].items():
        edges, shares = tuple(map(_number, one["edges"])), tuple(map(_number, one["shares"]))
        if len(shares) != len(edges) + 1 or list(edges) != sorted(edges):
            raise ValueError("bins that do not fit")
        known[name] = Distribution(edges, shares)
    if set(known) - {SCORE, *FEATURES} or not isinstance(content["figures"], dict):
        raise ValueError("something else")
    return Estimator(trees, _number(content["base"]), _number(content["threshold"]), known, content["figures"])


def _node(node: Sequence[Any]) -> _Node:
    feature, value, below, above = node
    if not (type(feature) is type(below) is type(above) is int and -1 <= feature < len(FEATURES)):
        raise ValueError("not a node")
    return feature, _number(value), below, above


def _number(value: object) -> float:
    if type(value) not in (int, float) or not isfinite(value):  # type: ignore[arg-type]  # it is a number by now
        raise ValueError("not a number")
    return float(value)  # type: ignore[arg-type]  # as above

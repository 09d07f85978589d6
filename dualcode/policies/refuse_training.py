"""Trains the estimator of ``refuse`` on records of a ledger, chooses its threshold, and measures it on requests that were held out.

All requests of one file are on the same side of each split. A quarter of the files is held out for the figures. On the others, the number
of trees and the threshold are chosen by cross-validation: each request is estimated by trees that saw no request of its file.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from dualcode.policies.drift import Distribution, Drift
from dualcode.policies.intervals import wilson
from dualcode.policies.protocol import Question
from dualcode.policies.refuse_features import FEATURES, features
from dualcode.policies.refuse_trees import SCORE, Estimator
from simpy_grammar.errors import SimPyError

FEWEST, FEWEST_OF_EACH, FEWEST_GROUPS = 200, 20, 8
MOST_REFUSED = 0.5
"""A threshold that is chosen by precision refuses no larger share than this: where nearly nothing is kept, it would refuse everything."""
_HELD_OUT = 4  # one file in so many
_FOLDS = 4
_TREES = (20, 40, 80, 120, 160)
_SETTINGS: dict[str, Any] = {"learning_rate": 0.08, "max_depth": 3, "subsample": 0.7, "min_samples_leaf": 10, "random_state": 0}
_BEGINNING = 200  # characters by which requests of one file are known, where the ledger does not say the file


@dataclass(frozen=True)
class Sample:
    """A request, and what became of its answer.

    Attributes:
        features: of the question.
        kept: whether the person kept the answer.
        group: the file that the request is of.
    """

    features: tuple[float, ...]
    kept: bool
    group: str


def question_of(record: Mapping[str, Any]) -> Question | None:
    """The question of a record; ``None`` if it is a chat or was never answered, or the record is damaged.

    >>> question_of({"task": "complete", "prefix": "x = "}).prefix, question_of({"task": "chat"})
    ('x = ', None)
    """
    prefix, suffix, until = record.get("prefix"), record.get("suffix") or "", record.get("until")
    if record.get("task") not in ("complete", "infill") or record.get("stopped") == "refused":
        return None
    if not isinstance(prefix, str) or not isinstance(suffix, str) or not prefix:
        return None
    return Question(record["task"], prefix, suffix, until=until if isinstance(until, str) else None)


def samples(records: Iterable[Mapping[str, Any]]) -> list[Sample]:
    """The records of which it is known whether the answer was kept."""
    found = []
    for record in records:
        question, kept = question_of(record), record.get("kept")
        if question is not None and isinstance(kept, bool):
            group = record.get("group") or hashlib.sha256(question.prefix[:_BEGINNING].encode("utf-8", "replace")).hexdigest()
            found.append(Sample(tuple(map(float, features(question))), kept, str(group)))
    return found


def train(data: Sequence[Sample], *, precision: float | None = None, share: float | None = None) -> Estimator:
    """An estimator with its threshold and its figures.

    Args:
        data: what it learns from.
        precision: refuse as many requests as possible, half of them at most, while this share of them would not have been kept.
        share: refuse this share instead.

    Raises:
        SimPyError: the data is not enough, or no threshold is so precise.
        ValueError: neither or both are given.
    """
    if (precision is None) == (share is None):
        raise ValueError("give precision or share")
    held = held_out(data)
    rest = [sample for sample in data if sample.group not in held]
    tested = [sample for sample in data if sample.group in held]
    _check(rest, tested)
    trees, estimates = cross_validated(rest)
    kept = [sample.kept for sample in rest]
    threshold = by_share(estimates, share) if share is not None else by_precision(estimates, kept, precision or 0.0)
    untested = Estimator(*_exported(_fitted(rest, trees)), threshold, {}, {})
    seen = [untested.estimate(sample.features) for sample in tested]  # estimates of what it has learned from would be too sure
    known = {SCORE: Distribution.of(seen)}
    known |= {name: Distribution.of([sample.features[number] for sample in rest]) for number, name in enumerate(FEATURES)}
    figures = {
        "chosen_by": {"precision": precision} if share is None else {"share": share},
        "trees": trees,
        "trained_on": {"requests": len(rest), "kept": sum(kept), "files": len({sample.group for sample in rest})},
        "cross_validated": measured(estimates, kept, threshold),
        "held_out": {
            "files": len(held),
            **measured(seen, [sample.kept for sample in tested], threshold),
        },
    }
    return Estimator(untested.trees, untested.base, threshold, known, figures)


def held_out(data: Iterable[Sample]) -> set[str]:
    """The files that nothing is learned from: one in four, by their names."""
    return {group for group in {sample.group for sample in data} if _number(group) % _HELD_OUT == 0}


def by_share(estimates: Sequence[float], share: float) -> float:
    """The threshold below which this share of the estimates lies, or a little less where several are equal.

    >>> by_share([0.1, 0.2, 0.3, 0.4, 0.5], 0.4)
    0.25
    """
    ordered = sorted(estimates)
    for number in range(round(share * len(ordered)), 0, -1):
        if number == len(ordered):
            return 1.0
        if ordered[number - 1] < ordered[number]:
            return (ordered[number - 1] + ordered[number]) / 2
    return 0.0


def by_precision(estimates: Sequence[float], kept: Sequence[bool], precision: float) -> float:
    """The highest threshold at which this share of what is refused would not have been kept.

    Raises:
        SimPyError: no such threshold refuses twenty requests.

    >>> by_precision([number / 100 for number in range(100)], [number >= 30 for number in range(100)], 0.9)
    0.325
    """
    ordered = sorted(zip(estimates, kept, strict=True))
    found, best, wrong = None, 0.0, 0
    for number, (estimate, was_kept) in enumerate(ordered[: round(MOST_REFUSED * len(ordered))], 1):
        wrong += was_kept
        if number < FEWEST_OF_EACH or estimate == ordered[number][0]:
            continue
        reached = 1 - wrong / number
        best = max(best, reached)
        if reached >= precision:
            found = (estimate + ordered[number][0]) / 2
    if found is None:
        raise SimPyError(
            f"no threshold refuses with a precision of {precision:g}: the best that there is has {best:.3f}",
            hint="ask for a lower --precision, or for a --share",
        )
    return found


def measured(estimates: Sequence[float], kept: Sequence[bool], threshold: float) -> dict[str, Any]:
    """What a threshold does: shares with intervals of 95 %, and how well the estimates tell both kinds apart."""
    refused = [was_kept for estimate, was_kept in zip(estimates, kept, strict=True) if estimate < threshold]
    total, good = len(kept), sum(kept)
    return {
        "requests": total,
        "kept": good,
        "refused": len(refused),
        "refused_share": _share(len(refused), total),
        "precision": _share(len(refused) - sum(refused), len(refused)),
        "not_kept_of_all": _share(total - good, total),
        "kept_that_are_refused": _share(sum(refused), good),
        "area_under_curve": round(area_under_curve(estimates, kept), 4),
    }


def area_under_curve(estimates: Sequence[float], kept: Sequence[bool]) -> float:
    """The chance that an answer that was kept has a higher estimate than one that was not; a draw counts half.

    >>> area_under_curve([0.1, 0.4, 0.4, 0.9], [False, False, True, True])
    0.875
    """
    ordered = sorted(zip(estimates, kept, strict=True))
    good = sum(kept)
    bad = len(kept) - good
    if not good or not bad:
        return 0.5
    won, below, place = 0.0, 0, 0
    while place < len(ordered):
        end = place
        while end < len(ordered) and ordered[end][0] == ordered[place][0]:
            end += 1
        equal_good = sum(was_kept for _, was_kept in ordered[place:end])
        equal_bad = end - place - equal_good
        won += equal_good * (below + equal_bad / 2)
        below += equal_bad
        place = end
    return won / (good * bad)


def drift_of(estimator: Estimator, records: Iterable[Mapping[str, Any]]) -> tuple[int, dict[str, float]]:
    """How many records are requests to complete or fill in, and the population stability index of the estimate and of each feature."""
    used = set(estimator.used)
    known = {name: one for name, one in estimator.known.items() if name == SCORE or name in used}
    counted, total = Drift(known, forget=False), 0
    for record in records:
        question = question_of(record)
        if question is None:
            continue
        found = features(question)
        values = dict(zip(FEATURES, found, strict=True)) | {SCORE: estimator.estimate(found)}
        counted.add([values[name] for name in known])
        total += 1
    return total, counted.indexes()


def _check(rest: Sequence[Sample], tested: Sequence[Sample]) -> None:
    kept = sum(sample.kept for sample in rest)
    groups = len({sample.group for sample in rest})
    if len(rest) < FEWEST or min(kept, len(rest) - kept) < FEWEST_OF_EACH or groups < FEWEST_GROUPS or not tested:
        raise SimPyError(
            f"this is not enough to learn from: {len(rest)} requests of {groups} files, of which {kept} answers were kept, and "
            f"{len(tested)} requests to measure with",
            hint=f"it takes {FEWEST} requests of {FEWEST_GROUPS} files, {FEWEST_OF_EACH} kept and as many not; "
            "`simpy policy kept` says of an answer whether it was kept",
        )


def _number(group: str) -> int:
    return int.from_bytes(hashlib.sha256(group.encode("utf-8", "replace")).digest()[:8], "big")


def cross_validated(data: Sequence[Sample]) -> tuple[int, list[float]]:
    """The number of trees with the least loss, and the estimate of each request by trees that saw nothing of its file."""
    from sklearn.model_selection import GroupKFold

    numbers = [sample.features for sample in data]
    kept = [sample.kept for sample in data]
    found: dict[int, list[float]] = {trees: [0.0] * len(data) for trees in _TREES}
    for learned, asked in GroupKFold(_FOLDS).split(numbers, kept, [sample.group for sample in data]):
        model = _fitted([data[number] for number in learned], max(_TREES))
        for trees, estimates in enumerate(model.staged_predict_proba([numbers[number] for number in asked]), 1):
            if trees in found:
                for number, estimate in zip(asked, estimates[:, 1].tolist(), strict=True):
                    found[trees][number] = estimate
    best = min(_TREES, key=lambda trees: _loss(found[trees], kept))
    return best, found[best]


def _loss(estimates: Sequence[float], kept: Sequence[bool]) -> float:
    least = 1e-6
    return -sum(log(max(least, estimate if was_kept else 1 - estimate)) for estimate, was_kept in zip(estimates, kept, strict=True))


def _fitted(data: Sequence[Sample], trees: int) -> Any:
    from sklearn.ensemble import GradientBoostingClassifier

    model = GradientBoostingClassifier(n_estimators=trees, **_SETTINGS)
    return model.fit([sample.features for sample in data], [sample.kept for sample in data])


def _exported(model: Any) -> tuple[tuple[tuple[tuple[int, float, int, int], ...], ...], float]:
    """The trees of a model of scikit-learn as ``Estimator`` has them, and what is added to their sum."""
    trees = []
    for one in model.estimators_[:, 0]:
        tree = one.tree_
        leaves = (tree.value[:, 0, 0] * model.learning_rate).tolist()
        rows = (tree.feature.tolist(), tree.threshold.tolist(), tree.children_left.tolist(), tree.children_right.tolist(), leaves)
        trees.append(
            tuple(
                (feature, limit, below, above) if feature >= 0 else (-1, leaf, 0, 0)
                for feature, limit, below, above, leaf in zip(*rows, strict=True)
            )
        )
    share = float(model.init_.class_prior_[1])
    return tuple(trees), log(share / (1 - share))


def _share(found: int, total: int) -> list[float]:
    """A share, 0 of none, with its interval of 95 %."""
    return [round(value, 4) for value in (found / total if total else 0.0, *wilson(found, total))]

"""The estimate of token counts: pieces, weights, and what is said about errors."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import estimates
from simpy_grammar.dialect import Dialect
from tests.small_tokenizers import real
from tokenizer_ext.estimation import Estimator, estimate, explained, priced_pieces, saved_within, within
from tokenizer_ext.estimation_weights import ERRORS, WEIGHTS
from tokenizer_ext.piece_costs import FIRSTS, LONGEST, PIECE, SHAPES, SIGNS

RESULT = json.loads((Path(estimates.__file__).parent / "results" / "estimates.json").read_text(encoding="utf-8"))


@given(st.text() | st.text(alphabet="aZ_ .=(\"'\t\r\n1é汉↔\ud800"))
def test_every_character_is_in_one_piece(text: str) -> None:
    found = priced_pieces(text)
    assert "".join([text[start:end] for start, end, _ in found]) == text
    assert all(0.9 < cost <= 4 * (end - start) for start, end, cost in found)
    assert estimate(text) == round(sum([cost for _, _, cost in found]))


def test_pieces_are_those_of_the_vocabulary() -> None:
    """A text has as many tokens as its pieces have one by one."""
    tokenizer = real("cl100k_base")
    for path in sorted(Path(estimates.__file__).parent.parent.glob("transpiler/*.py"))[:12]:
        text = path.read_text(encoding="utf-8")
        pieces = [match[0] for match in PIECE.finditer(text)]
        alone = sum(len(one.ids) for one in tokenizer.encode_batch(pieces, add_special_tokens=False))
        assert abs(alone - len(tokenizer.encode(text, add_special_tokens=False).ids)) <= alone / 1000


def test_every_class_has_a_weight() -> None:
    assert set(WEIGHTS.words) == {*FIRSTS, "?"} and set(WEIGHTS.shapes) == set(SHAPES) and set(WEIGHTS.signs) == set(SIGNS)
    assert {len(row) for row in (*WEIGHTS.words.values(), *WEIGHTS.signs.values())} == {LONGEST}


def test_longer_words_cost_more_past_the_table() -> None:
    costs = [WEIGHTS.price("q" * length, True) for length in (LONGEST, 2 * LONGEST, 8 * LONGEST)]
    assert costs == sorted(set(costs))
    assert WEIGHTS.price("=" * 500, False) == WEIGHTS.price("=" * LONGEST, False)


def test_grammar_tokens_are_one_each() -> None:
    for name in ("classic", "dense", "dense-newline"):
        dialect = Dialect.load(name)
        for token in dialect.special_tokens:
            assert [cost for _, _, cost in Estimator(dialect).spans(token)] == [1.0]


def test_errors_fall_with_size() -> None:
    sizes = [1, *(row[0] for row in ERRORS[:-1]), 10**9]
    for error in (within, saved_within):
        found = [error(size) for size in sizes]
        assert found == sorted(found, reverse=True) and found[-1] > 0
    assert ERRORS[-1][0] == math.inf
    assert explained(1) == f"estimated for cl100k_base, within {ERRORS[0][1]:g} %"


def test_the_code_and_the_page_hold_the_latest_result() -> None:
    assert estimates.CODE.read_text(encoding="utf-8") == estimates.written(RESULT)
    assert estimates.page(RESULT) in (Path(estimates.__file__).parent.parent / "docs" / "dualcode.md").read_text(encoding="utf-8")


def test_sums_of_each_dialect_are_exact_where_it_was_fitted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a class the pieces of one dialect cost more, and the weights make up for it."""
    monkeypatch.setattr(estimates, "_EXACT", 0)
    monkeypatch.setattr(estimates, "_FEW", 1)
    spoken = [(" ab", 1, (900, 100)), (" cd", 2, (100, 900)), ("ef", 1, (500, 300)), ("gh", 3, (300, 500))]
    spoken += [("é", 1, (1, 1)), ("éé", 2, (1, 1))]
    signs = [("((", 1, (100, 700)), (")]", 2, (600, 100)), ("↔", 1, (1, 1)), ("↔↔", 2, (1, 1))]
    found = [
        estimates.Piece(text, is_word, (*times, 0, 0, 0), 5, tokens)
        for is_word, rows in ((True, spoken), (False, signs))
        for text, tokens, times in rows
    ]
    weights = estimates.fit(found)
    for i in (0, 1):
        true = sum(piece.times[i] * piece.tokens for piece in found)
        about = sum(piece.times[i] * weights.price(piece.text, piece.is_word) for piece in found)
        assert about == pytest.approx(true, rel=0.01)

"""What is written is what was asked for: wrong writers are refused. And the parts that edits are made of."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from simpy_grammar.errors import RoundTripError
from tests.edited_source import SOURCE
from transpiler import merge
from transpiler.edits import proving, three_way
from transpiler.edits.alignment import common, pair_tokens
from transpiler.edits.merging import Splice, splices
from transpiler.edits.pieces import read_pieces
from transpiler.edits.printer import file_style, laid_out
from transpiler.edits.rows import Row
from transpiler.edits.structure import items_of
from transpiler.edits.tokens import Tokens

WRITERS: dict[str, tuple[str, str, Callable[[str], str]]] = {
    "a parenthesis is lost before an attribute": ("x = (a + b).c\n", "x = (a + d).c\n", lambda text: text.replace("(a + d)", "a + d")),
    "a docstring is dedented": (
        'def f():\n    """a\n      b"""\n    return 1\n',
        'def f():\n    """a\n      b"""\n    return 2\n',
        lambda text: text.replace("      b", "  b"),
    ),
    "a statement leaves two blocks": (
        "if a:\n    if b:\n        c\n        d\n",
        "if a:\n    if b:\n        c\n        e\n",
        lambda text: text.replace("        e", "e"),
    ),
    "a comment is lost": ("x = 1  # c\n", "x = 2  # c\n", lambda text: text.replace("  # c", "")),
    "a number is spelled as another one": ("x = 1\n", "x = 2\n", lambda text: text.replace("2", "3")),
}


@pytest.mark.parametrize("name", WRITERS)
def test_the_proof_refuses_a_wrong_writer(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The tree that is asked for comes from the new program, never from what was written."""
    source, new, wrong = WRITERS[name]
    assert merge(source, new).text == new

    def broken(source: Tokens, target: Tokens, style: object, *, fine: bool = True) -> list[Splice]:
        text = laid_out(target.text, width=None)
        assert wrong(text) != text
        return [Splice(0, len(source.text), wrong(text))]

    monkeypatch.setattr(proving, "splices", broken)
    monkeypatch.setattr(three_way, "changed_parts", lambda a, b, c, d, best: (three_way.whole(a), three_way.whole(c)))
    with pytest.raises(RoundTripError):
        merge(source, new)


def test_bytes_outside_the_ranges_are_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(proving, "_outside_is_same", lambda file, edit: False)
    with pytest.raises(RoundTripError):
        merge("x = 1\n", "x = 2\n")


# ------------------------------------------------------------------------------------------------------------ the parts

PIECES = {
    "b) + c": [["NAME b", ")", "+", "NAME c"]],
    "        return 1\n    x = 2\n": [["^return", "NUMBER 1", "DEDENT", "NAME x", "=", "NUMBER 2"]],
    "else:": [["^else"]],
    "case 1:": [["^case", "NUMBER 1"]],
    "f(a,\n  b": [["NAME f", "call (", "NAME a", ",", "NAME b"]],
    "def f(a):\n    '''doc'''": [["^def", "NAME f", "call (", "NAME a", "call )", "INDENT", "STRING '''doc'''"]],
    "# c\n": [["COMMENT # c"]],
    "))": [[")", ")"]],
}


@pytest.mark.parametrize("text", PIECES)
def test_pieces_are_read_with_both_sides_open(text: str) -> None:
    found = [piece.tokens.words[piece.start : piece.end] for piece in read_pieces(text)]
    assert found[: len(PIECES[text])] == PIECES[text]


def test_tokens_know_where_they_stand() -> None:
    tokens = Tokens(SOURCE)
    between = [SOURCE[end:start] for end, start in zip([0, *tokens.ends], [*tokens.starts, len(SOURCE)], strict=True)]
    assert not "".join(between).translate(str.maketrans("", "", " \n:;,"))  # what only a layout has
    assert tokens.starts == sorted(tokens.starts)


def test_items_cover_all_tokens() -> None:
    tokens = Tokens(SOURCE)
    assert [item.head for item in items_of(tokens)] == ["STRING", "^import", "^def", "^class"]
    (first, *_, last) = items_of(tokens)[2].clauses[0].items
    assert (first.head, last.head) == ("STRING", "^return")


def test_common_finds_long_runs_without_comparing_all_pairs() -> None:
    a = [str(i % 7) for i in range(4000)]
    b = [*a[:1500], "x", *a[1500:3000], "y", *a[3001:]]
    pairs = common(a, b)
    assert len(pairs) >= 3900
    assert all(a[i] == b[j] for i, j in pairs)
    assert pairs == sorted(pairs)


def test_brackets_have_pairs_together() -> None:
    a, b = Tokens("f(a, (b))"), Tokens("f(a, b)")
    pairs = dict(pair_tokens(a, 0, len(a), b, 0, len(b)))
    assert [a.words[i] for i in pairs] == ["NAME f", "call (", "NAME a", ",", "NAME b", "call )"]


def test_a_row_keeps_what_stands_between_its_tokens() -> None:
    source, target = Tokens("x = f( a ,b)"), Tokens(laid_out("x = f(a, c, d)", width=None))
    assert Row(source, 0, len(source), target, 0, len(target), _printer(source, target)).text() == "x = f( a ,c, d)"


def _printer(source: Tokens, target: Tokens) -> object:
    from transpiler.edits.printer import Printer

    return Printer(file_style(source), target.text)


def test_changes_do_not_overlap() -> None:
    source = Tokens(SOURCE)
    target = Tokens(laid_out(SOURCE.replace("-a", "+a").replace("done()", "did()").replace("2,", "3,"), width=None))
    found = splices(source, target, file_style(source))
    assert len(found) == 3
    assert all(one.end <= other.start for one, other in zip(found, found[1:], strict=False))


@pytest.mark.parametrize(
    "expression",
    ["(lambda a, b: c,)", "lambda a=1, b=2: c,", "x[lambda a, b: c,]", "lambda a=b in c, d=e: f,", "lambda: g(lambda a, b: c,),"],
)
def test_commas_of_a_lambda_do_not_make_the_last_one_of_a_tuple_redundant(expression: str) -> None:
    tokens = Tokens(f"x = {expression}\n")
    proving.check_tokens(tokens, None)
    assert tokens.keys[-1] == "," or tokens.keys[-2] == ","


def test_tokens_that_are_not_the_program_are_refused() -> None:
    tokens = Tokens("x = (a,)\n")
    at = tokens.keys.index(",")
    del tokens.keys[at], tokens.words[at], tokens.starts[at], tokens.ends[at]
    with pytest.raises(RoundTripError, match="tokens"):
        proving.check_tokens(tokens, None)


def test_tokens_with_blanks_inside() -> None:
    text = "try:\n    a\nexcept \\\n * b:\n    c is \\\n not d(\n)\n    e not  in f\n"
    tokens = Tokens(text)
    proving.check_tokens(tokens, None)
    assert [text[start:end] for start, end in zip(tokens.starts, tokens.ends, strict=True) if " " in text[start:end]] == [
        "except \\\n *",
        "is \\\n not",
        "not  in",
    ]

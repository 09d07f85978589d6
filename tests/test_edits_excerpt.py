"""Long files of which only some statements are read: the same edits, and the statements that are read."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from simpy_grammar.errors import PlaceError, SimPyError
from tests.edited_source import same_program
from tests.random_edits import RandomEdit, random_edits
from transpiler import replace
from transpiler.edits import Edit, replacement
from transpiler.edits.excerpt import excerpt

ROOT = Path(__file__).resolve().parent.parent
FILLER = "".join(
    f"def filler_{number}(a, b):\n    '''Doc.\n\n    The_name is in it.'''\n    return a + b - {number}\n\n\n" for number in range(300)
)
CLASS = (
    "@decorate\nclass C(\n    Base,\n):\n    '''Doc.'''\n\n    # the first\n"
    + "".join(f"    def m_{number}(self):\n        return {number}\n\n" for number in range(40))
    + "    def last(self): return the_name  # why\n    # at the end\n"
)


def test_only_statements_that_may_hold_the_piece_are_read() -> None:
    text = f"import os\n\n\n{FILLER}{CLASS}\n\n{FILLER}# end\n"
    found = excerpt(text, "return the_name")
    assert found is not None
    assert len(found.split("\n")) == len(text.split("\n"))
    kept = [(line, old) for line, old in zip(found.split("\n"), text.split("\n"), strict=True) if line]
    assert all(line == old for line, old in kept)
    lines = [line for line, _ in kept]
    assert [line for line in lines if "filler" in line] == ["def filler_299(a, b):", "def filler_0(a, b):"]
    assert [line for line in lines if line.startswith("    def")] == ["    def m_39(self):", "    def last(self): return the_name  # why"]
    assert lines[-1] == "# end"
    edit = replace(text, "return the_name", "return other")
    assert edit.text == text.replace("return the_name", "return other")
    assert edit.ranges[0].line == text[: text.index("the_name  #")].count("\n") + 1
    with pytest.raises(PlaceError) as caught:
        replace(text, "def filler_7(a, b):", "def g():")
    assert [candidate.line for candidate in caught.value.candidates] == [
        text[:at].count("\n") + 1 for at in (text.index("def filler_7("), text.rindex("def filler_7("))
    ]


@pytest.mark.parametrize("piece", ["1 + 2", "'''", "a b", "no_such_name", "# the first", "a"])
def test_what_is_read_as_a_whole(piece: str) -> None:
    """Pieces without a name, broken ones, and names that are nowhere or nearly everywhere."""
    assert excerpt(FILLER, piece) is None
    assert excerpt(f"{FILLER}x = = 1\n", "filler_7") is None
    assert excerpt("the_name\n", "the_name") is None


def _result(source: str, edit: RandomEdit) -> Edit | tuple[str, int | None]:
    try:
        return replace(source, edit.old, edit.new)
    except SimPyError as error:
        return str(error), error.line


@pytest.mark.parametrize("name", ["transpiler/pep8.py", "transpiler/edits/finding.py"])
def test_an_excerpt_gives_what_the_whole_file_gives(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = (ROOT / name).read_text(encoding="utf-8")
    edits = list(random_edits(source, random.Random(3), 50))
    monkeypatch.setattr("transpiler.edits.excerpt._SHORT", 0)
    used = sum(excerpt(source, edit.old) is not None for edit in edits)
    assert used > 10
    some = [_result(source, edit) for edit in edits]
    monkeypatch.setattr(replacement, "excerpt", lambda text, piece: None)
    assert some == [_result(source, edit) for edit in edits]


def test_headers_that_share_a_line_with_their_block() -> None:
    body = "".join(f"    x_{number} = {number}\n" for number in range(60))
    for header in (
        "def f(a=lambda: (1,\n  2)): the_name; y = 1\n",
        f"class C:\n    z = (1,\n 2); the_name = 3\n{body}",
        f"class C: the_name = 1\n{FILLER}",
    ):
        text = f"{FILLER}{header}{FILLER}"
        assert excerpt(text, "the_name") is not None
        assert same_program(replace(text, "the_name", "other").text, text.replace("the_name", "other"))

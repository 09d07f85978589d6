"""Views of a piece of a file, rewritten and merged into the file: where the piece stands, and what it did not show."""

from __future__ import annotations

import pytest

from simpy_grammar.candidates import Candidate
from simpy_grammar.errors import EditError, PlaceError
from transpiler import merge, view

SOURCE = """\
class C:
    def m(self):  # m
        # why
        return x

    # about n
    def n(self, a: int = 1):
        '''Doc.

        More.'''
        for i in a:
            if i:
                pass  # skip
        return x


def n(self):
    for i in a: print(i)
    y: int = 1
    z: str
    w = 2
"""


@pytest.mark.parametrize("name", ["C.m", "C.n"])
@pytest.mark.parametrize("views", [[], ["no-comments"], ["no-comments", "no-docstrings", "no-annotations"], ["signatures"]])
@pytest.mark.parametrize("dialect", ["python", "compact", "classic"])
def test_one_symbol(name: str, views: list[str], dialect: str) -> None:
    shown = view(SOURCE, [f"symbol={name}", *views], dialect=dialect)
    new = shown.program.replace("self", "me", 1)
    found = merge(SOURCE, new, seen=shown.program, dialect=dialect)
    header = f"def {name[-1]}(self"
    assert found.text == SOURCE.replace(header, header.replace("self", "me"), 1)
    assert found == merge(SOURCE, new, seen=shown.program, lines=shown.lines, dialect=dialect)
    assert merge(SOURCE, shown.program, seen=shown.program, dialect=dialect).ranges == ()


@pytest.mark.parametrize(("first", "last"), [(11, 13), (12, 12), (13, 13), (14, 14), (2, 4), (4, 4), (18, 20), (18, 21)])
def test_some_lines(first: int, last: int) -> None:
    shown = view(SOURCE, [f"lines={first}-{last}", "no-comments"], dialect="python")
    found = merge(SOURCE, f"{shown.program}\nadded = 1\n", seen=shown.program, lines=shown.lines).text
    above, added, below = found.partition("added = 1\n")
    assert added
    assert [line for line in f"{above}\n{below}".split("\n") if line.strip()] == [line for line in SOURCE.split("\n") if line.strip()]
    assert above.rstrip() == "\n".join(SOURCE.split("\n")[: shown.lines[1]])


def test_fields_that_were_not_seen_stay_where_they_are() -> None:
    shown = view(SOURCE, ["lines=19-21", "no-annotations"], dialect="python")
    assert shown.program == "y = 1\nw = 2\n"
    assert merge(SOURCE, "y = 3\nw = 2\n", seen=shown.program).text == SOURCE.replace("= 1\n    z", "= 3\n    z")


def test_a_piece_may_be_indented_as_in_its_file() -> None:
    found = merge(SOURCE, "    def m(self):\n        return y\n", seen="    def m(self):\n        return x\n")
    assert found.text == SOURCE.replace("return x", "return y", 1)
    windows = [text.replace("\n", "\r\n") for text in (SOURCE, "    y: int = 3\n    z: str\n", "    y: int = 1\n    z: str\n")]
    assert merge(*windows[:2], seen=windows[2]).text == windows[0].replace("y: int = 1", "y: int = 3")


def test_lines_say_where_what_was_seen_stands() -> None:
    with pytest.raises(ValueError, match="seen= stands"):
        merge(SOURCE, "return y\n", lines=(14, 14))


def test_several_places() -> None:
    with pytest.raises(PlaceError) as caught:
        merge(SOURCE, "return y\n", seen="return x\n")
    assert caught.value.candidates == (Candidate.at(4, "C.m"), Candidate.at(14, "C.n"))
    second = SOURCE.replace("return x\n\n\n", "return y\n\n\n")
    assert merge(SOURCE, "return y\n", seen="return x\n", lines=(14, 14)).text == second
    for line in (5, 16, 99):
        with pytest.raises(PlaceError, match=f"no statement in lines {line}-{line}"):
            merge(SOURCE, "a\n", seen="b\n", lines=(line, line))
    imported = "from a import (\n    b,\n)\nc\n"
    assert merge(imported, "d\n", seen="from a import b\n", lines=(3, 3)).text == "d\nc\n"


def test_a_piece_in_a_block_is_not_taken_for_one_at_the_top() -> None:
    source = "x = 1\nif a:\n    x = 1\n"
    with pytest.raises(PlaceError):
        merge(source, "x = 2\n", seen="x = 1\n")
    assert merge(source, "x = 2\n", seen="x = 1\n", lines=(1, 1)).text == "x = 2\nif a:\n    x = 1\n"
    assert merge(source, "x = 2\n", seen="x = 1\n", lines=(3, 3)).text == "x = 1\nif a:\n    x = 2\n"


def test_cases_are_not_statements() -> None:
    source = "match a:\n    case 1:\n        b\n    case 2:\n        c\n"
    assert merge(source, "d\n", seen="c\n").text == source.replace("c\n", "d\n")
    assert merge(source, "d\n", seen="c\n", lines=(5, 5)).text == source.replace("c\n", "d\n")
    whole = view(source, ["lines=3-5"], dialect="python")
    assert merge(source, whole.program.replace("b", "d"), seen=whole.program, lines=whole.lines).text == source.replace("b\n", "d\n")


def test_a_piece_that_is_deleted() -> None:
    shown = view(SOURCE, ["symbol=C.m"], dialect="python")
    assert merge(SOURCE, "", seen=shown.program).text == "class C:\n\n" + SOURCE[SOURCE.index("    # about n") :]
    with pytest.raises(EditError, match="not be Python"):
        merge("class C:\n    def m(self): pass\n\n\nx = 1\n", "", seen="def m(self): pass\n")

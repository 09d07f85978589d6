"""Pieces in the fields of strings, and strings whose lines begin with other blanks than in the file."""

from __future__ import annotations

import ast
import configparser
import tempfile
import textwrap
import zipfile
from pathlib import Path

import pytest

from simpy_grammar.errors import EditError, PlaceError
from transpiler import replace

METHOD = 'class C:\n    def f(self):\n        """Doc.\n\n          - one\n        """\n        return 1\n'


@pytest.mark.parametrize(
    ("source", "old", "new", "expected"),
    [
        ("x = f'{a+1} {b}'\n", "b", "c", "x = f'{a+1} {c}'\n"),
        ("x = f'{a+1} {b}'\n", "b", "c+2", "x = f'{a+1} {c + 2}'\n"),
        ("x = 'b' f'{b!r:>{w}}'  # b\n", "w", "v", "x = 'b' f'{b!r:>{v}}'  # b\n"),
        ("x = ('b'\n     f'{b}')\n", "b", "c", "x = ('b'\n     f'{c}')\n"),
        ("x = f'{b * c}'\n", "b", "d + 1", "x = f'{(d + 1) * c}'\n"),
        ("x = f'{f(a, b)}'\n", "f(a,b)", "{1: 2}", "x = f'{ {1: 2}}'\n"),
        ("x = f'{f()}'\n", "f()", "lambda: 1", "x = f'{(lambda: 1)}'\n"),
        ("x = f'{b}'\nb\n", "b\n", "c\n", "x = f'{b}'\nc\n"),
    ],
)
def test_a_piece_in_a_field_is_replaced(source: str, old: str, new: str, expected: str) -> None:
    assert replace(source, old, new).text == expected


@pytest.mark.parametrize(
    ("source", "old"), [("print(f'{a}', a)\n", "a"), ("x = f'{a}'\ny = f'{a}'\n", "a"), ("x = f'{a + 1} {a+1}'\n", "a + 1")]
)
def test_a_field_is_a_place_beside_others(source: str, old: str) -> None:
    with pytest.raises(PlaceError) as caught:
        replace(source, old, "z")
    assert len(caught.value.candidates) == 2


def test_a_line_or_a_definition_chooses_between_fields() -> None:
    source = "def f():\n    return f'{a}'\n\n\ndef g():\n    return a\n"
    assert replace(source, "a", "b", within="f").text == source.replace("{a}", "{b}")
    assert replace(source, "a", "b", near=2).text == source.replace("{a}", "{b}")
    assert replace(source, "a", "b", near=6).text == source.replace("return a", "return b")


def test_everywhere_is_in_fields_too() -> None:
    source = "def f(b):\n    print(f'{b:>{w}} b {b!r}', b)  # b\n\n\nb = rf'''{b}\nb'''\n"
    expected = "def f(c):\n    print(f'{c:>{w}} b {c!r}', c)  # b\n\n\nc = rf'''{c}\nb'''\n"
    assert replace(source, "b", "c", everywhere=True).text == expected
    assert replace("x = f'{b}'\n", "b", "c", everywhere=True).text == "x = f'{c}'\n"


@pytest.mark.parametrize(
    ("source", "old", "new"),
    [
        ("x = f'{a * b + c}'\n", "b + c", "d"),  # not an operand of its own
        ("x = f'{a=}'\n", "a", "b"),  # the string says the name, too
        ("x = f'{f(a, b)}'\n", "a, b", "c"),
        ("x = f'{a}'\n", "a", "b}{c"),
    ],
)
def test_what_a_field_cannot_hold_is_refused(source: str, old: str, new: str) -> None:
    with pytest.raises((EditError, PlaceError)):
        replace(source, old, new)


def test_a_comment_is_replaced_beside_strings_with_fields() -> None:
    source = "x = f'{a}'\n# b\ny = 1\n"
    assert replace(source, "# b", "# d").text == source.replace("# b", "# d")


def test_strings_become_what_others_were() -> None:
    quoted = textwrap.dedent(METHOD.partition("\n")[2])
    nested = textwrap.indent(quoted, "    ").replace("def f", "def g")
    edit = replace(METHOD, quoted, quoted.replace("    return 1\n", nested + "    return g\n"))
    inner = next(node for node in ast.walk(ast.parse(edit.text)) if isinstance(node, ast.FunctionDef) and node.name == "g")
    assert edit.text.startswith(METHOD.partition("        return")[0])
    assert inner.body[0].value.value == "Doc.\n\n              - one\n            "  # type: ignore[attr-defined]


def test_a_method_may_be_quoted_dedented() -> None:
    quoted = textwrap.dedent(METHOD.partition("\n")[2])
    assert replace(METHOD, quoted, quoted.replace("return 1", "return 2")).text == METHOD.replace("return 1", "return 2")
    changed = quoted.replace("- one", "- two\n      - three")
    assert replace(METHOD, quoted, changed).text == METHOD.replace("- one", "- two\n          - three")
    both = changed.replace("return 1", "return 2")
    assert replace(METHOD, quoted, both).text == METHOD.replace("- one", "- two\n          - three").replace("return 1", "return 2")


def test_a_method_may_be_quoted_further_in() -> None:
    quoted = textwrap.indent(METHOD, "  ")
    assert replace(METHOD, quoted, quoted.replace("one", "two").replace("1", "2")).text == METHOD.replace("one", "two").replace("1", "2")


def test_the_string_as_quoted_comes_first() -> None:
    source = "a = '''x\n  y'''\nb = '''x\n    y'''\n"
    assert replace(source, "'''x\n    y'''", "1").text == "a = '''x\n  y'''\nb = 1\n"
    with pytest.raises(PlaceError) as caught:
        replace(source, "'''x\n      y'''", "1")
    assert len(caught.value.candidates) == 2


def test_a_new_string_that_cannot_be_moved_alike_is_refused() -> None:
    source = "def f():\n    a = '''x\n   y\n     z'''\n"
    assert replace(source, "a = '''x\n  y\n z'''", "b = '''x\n  y\n z'''").text == source.replace("a =", "b =")
    with pytest.raises(EditError, match="begin with"):
        replace(source, "a = '''x\n  y\n z'''", "a = '''x\n  y\n q'''")


def test_dedented_methods_of_real_files() -> None:
    done = 0
    for module in (configparser, tempfile, zipfile):
        source = Path(module.__file__).read_text(encoding="utf-8")
        lines = source.splitlines(keepends=True)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.col_offset and "\n" in (ast.get_docstring(node, clean=False) or ""):
                first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
                whole = "".join(lines[first - 1 : node.end_lineno])
                quoted = textwrap.dedent(whole)
                header, other = f"def {node.name}(", f"def {'n' * len(node.name)}("
                found = replace(source, quoted, quoted.replace(header, other, 1))
                assert found.text == source.replace(whole, whole.replace(header, other, 1))
                done += 1
    assert done > 10

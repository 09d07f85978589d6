"""Tool calls in a conversation: what was edited before, several files, several states of one."""

from __future__ import annotations

import json

import pytest

from dualcode.conversion.outcomes import Shortened
from dualcode.conversion.tool_calls import GiveBack, ToolCall
from tests import agent_tools
from tests.shown_file import SOURCE, asked, shortened
from transpiler import encode

PATH = agent_tools.PATH


@pytest.mark.quick
def test_calls_of_one_answer_come_one_after_the_other() -> None:
    give = GiveBack([shortened()])
    python = SOURCE
    for old, new in (("RATE=0.2", "RATE=0.3"), ("RATE=0.3", "RATE=0.4"), ("self.names.append(name)", "pass")):
        python = agent_tools.apply_claude_edit(python, asked(give, "Edit", file_path=PATH, old_string=old, new_string=new))
    assert python == SOURCE.replace("RATE = 0.2", "RATE = 0.4").replace("self.names.append( name )", "pass")


@pytest.mark.quick
@pytest.mark.parametrize("kind", ["pair", "patch", "whole"])
def test_what_was_edited_before_is_known(kind: str) -> None:
    after = SOURCE.replace("self.names.append( name )", "self.names  +=  [name]")
    calls = {
        "pair": ToolCall(
            "Edit", json.dumps({"file_path": PATH, "old_string": "self.names.append( name )", "new_string": "self.names  +=  [name]"})
        ),
        "patch": ToolCall(
            "apply_patch",
            json.dumps(
                {
                    "input": f"*** Begin Patch\n*** Update File: {PATH}\n@@\n"
                    "     def add(self, name):\n-        self.names.append( name )\n"
                    "+        self.names  +=  [name]\n*** End Patch"
                }
            ),
        ),
        "whole": ToolCall("Write", json.dumps({"file_path": PATH, "content": after})),
    }
    for pieces in ([shortened()], [shortened(), shortened(after)]):  # shown before the edit, and again after it
        give = GiveBack(pieces, [calls[kind]])
        found = asked(give, "Edit", file_path=PATH, old_string="self.names+=[name]", new_string="self.names+=[name,name]")
        assert agent_tools.apply_claude_edit(after, found).count("[name,name]") + agent_tools.apply_claude_edit(after, found).count(
            "[name, name]"
        )


@pytest.mark.quick
def test_an_edit_that_was_refused_after_all() -> None:
    denied = ToolCall("Edit", json.dumps({"file_path": PATH, "old_string": "RATE = 0.2  # of", "new_string": "TAX = 0.2  # of"}))
    give = GiveBack([shortened()], [denied])
    found = asked(give, "Edit", file_path=PATH, old_string="RATE=0.2# of", new_string="RATE=0.3# of")
    assert agent_tools.apply_claude_edit(SOURCE, found) == SOURCE.replace("RATE = 0.2", "RATE = 0.3")


@pytest.mark.quick
def test_two_files_with_the_same_code_are_ambiguous_unless_the_bytes_agree() -> None:
    one, other = "def f():\n    return g( 1 )\n\n\nA = 1\nB = 2\n", "import os\nimport re\n\n\ndef h():\n    return g(1 )\n"
    give = GiveBack([shortened(one), shortened(other)])
    arguments = json.dumps({"file_path": "a.py", "old_string": "return g(1)", "new_string": "return g(2)"})
    assert give("Edit", arguments) == arguments
    assert give.counts.ambiguous == 1
    same = GiveBack([shortened(one), shortened(one.replace("A = 1", "A = 3"))])
    assert asked(same, "Edit", **json.loads(arguments))["old_string"] == "    return g( 1 )"


@pytest.mark.quick
def test_other_dialects() -> None:
    python = "def f(a, b):\n    return g(a,  # first\n             b)\n"
    give = GiveBack([Shortened(python, encode(python, dialect="classic"))], dialect="classic")
    found = asked(give, "Edit", file_path="a.py", old_string="<def_stmt>f a b<block_start>", new_string="<def_stmt>f a b c<block_start>")
    assert agent_tools.apply_claude_edit(python, found) == python.replace("(a, b):", "(a, b, c):")


TWINS = "def f(a):\n    b = [ 1 ]\n    return b\n\n\ndef g(a):\n    c = 1\n    return b\n"


@pytest.mark.quick
def test_a_pair_of_a_part_stands_once_in_the_whole_file() -> None:
    part = TWINS[TWINS.index("def g") :]
    pieces = [shortened(TWINS), shortened(part)]
    call = ToolCall("Edit", json.dumps({"file_path": PATH, "old_string": "def f(a):", "new_string": "def f(a, z):"}))
    found = asked(GiveBack(pieces, [call]), "Edit", file_path=PATH, old_string="c=1;return b", new_string="c=1;return c")
    after = TWINS.replace("def f(a)", "def f(a, z)")
    assert agent_tools.apply_claude_edit(after, found) == after.removesuffix("return b\n") + "return c\n"


@pytest.mark.quick
def test_a_quote_that_a_docstring_has_to_the_letter_is_not_taken_for_code() -> None:
    source = 'def f():\n    """Do.\n\n    a=1\n    """\n    b = 1\n    a=1; c = [ 2 ]\n'
    call = ToolCall("Edit", json.dumps({"file_path": PATH, "old_string": "b = 1", "new_string": "b = 2"}))
    give = GiveBack([shortened(source)], [call])
    arguments = json.dumps({"file_path": PATH, "old_string": "    a=1", "new_string": "    a=2"})
    assert give("Edit", arguments) == arguments
    assert (give.counts.ambiguous, len(give.notes)) == (1, 1)


@pytest.mark.quick
def test_the_file_that_has_the_quote_to_the_letter_is_meant() -> None:
    one = 'def f():\n    """Do.\n\n    more\n    """\n    return  1\n\n\nx = 1\n'
    other = "class C:\n" + "".join(f"    {line}\n" if line else "\n" for line in one.split("\n")[:6]) + "\n\nx = 1\n"
    old = '"""Do.\n\n    more\n    """'
    for pieces in ([one, other], [other, one]):
        give = GiveBack([shortened(python) for python in pieces])
        found = asked(give, "Edit", file_path="one.py", old_string=old, new_string=old.replace("more", "less"))
        if give.counts.given_back + give.counts.stays:
            assert agent_tools.apply_claude_edit(one, found) == one.replace("more", "less")
        else:
            assert (found["old_string"], give.counts.ambiguous) == (old, 1)


@pytest.mark.quick
def test_an_edit_tells_the_name_of_its_file() -> None:
    one, other = "x  =  1\ny  =  2\nz = [ 1 ]\n", "p = 3\ny  =  2\nq = 4\n"
    calls = [
        ToolCall("Edit", json.dumps({"file_path": name, "old_string": old, "new_string": new}))
        for name, old, new in [("one.py", "x  =  1", "x  =  5"), ("other.py", "y  =  2", "y  =  6")]
    ]
    found = asked(GiveBack([shortened(one), shortened(other)], calls), "Edit", file_path="one.py", old_string="y=2", new_string="y=7")
    assert agent_tools.apply_claude_edit(one.replace("1\ny", "5\ny"), found) == "x  =  5\ny  =  7\nz = [ 1 ]\n"


@pytest.mark.quick
def test_a_file_that_was_read_after_it_was_written() -> None:
    call = ToolCall("Write", json.dumps({"file_path": PATH, "content": "x = 1\n"}))
    found = asked(GiveBack([shortened("x = 1\ny  =  f( 2 )\n")], [call]), "Edit", file_path=PATH, old_string="y=f(2)", new_string="y=f(3)")
    assert found["old_string"] == "y  =  f( 2 )"

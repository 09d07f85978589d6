"""Tool calls that quote shortened code: each agent's tool finds the person's own bytes, and makes the edit that was asked for."""

from __future__ import annotations

import ast
import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dualcode.conversion.outcomes import Shortened
from dualcode.conversion.tool_calls import TOOLS, GiveBack, read_tools, tools_of
from dualcode.conversion.tool_calls.enclosures import enclosure_of
from dualcode.conversion.tool_calls.hunks import hunks_of
from simpy_grammar.errors import EditError
from tests import agent_tools
from tests.random_edits import random_edits
from tests.shown_file import SOURCE, asked, shortened
from transpiler import view
from transpiler.proof import same_tree

ROOT = Path(__file__).resolve().parent.parent
PATH = agent_tools.PATH


# -------------------------------------------------------------------------------------------------------- each agent's tool


def changed(python: str) -> str:
    """The compact text in which the model has made two changes."""
    return (
        shortened(python).sent.replace("gross=net+net*rate", "gross=net*(1+rate)").replace("self.names.remove(name)", "self.names.clear()")
    )


WANTED = SOURCE.replace("(net\n                 + net * rate)", "net * (1 + rate)").replace(
    "self.names.remove( name )", "self.names.clear()"
)
FORMS = {
    "Edit": (agent_tools.claude_edit, agent_tools.apply_claude_edit, False),
    "MultiEdit": (agent_tools.claude_multi_edit, agent_tools.apply_claude_multi_edit, True),
    "Write": (agent_tools.claude_write, agent_tools.apply_claude_write, True),
    "apply_patch": (agent_tools.codex_patch, agent_tools.apply_codex_patch, True),
    "edit": (agent_tools.opencode_edit, agent_tools.apply_opencode_edit, False),
    "replace_in_file": (agent_tools.cline_diff, agent_tools.apply_cline_diff, True),
}


@pytest.mark.quick
@pytest.mark.parametrize("name", FORMS)
@pytest.mark.parametrize("shown", ["compact", "numbers"])
def test_the_tool_makes_the_edit_that_was_asked_for(name: str, shown: str) -> None:
    call, apply, at_once = FORMS[name]
    piece = shortened() if shown == "compact" else Shortened(SOURCE, view(SOURCE, [], dialect="compact").text)
    give = GiveBack([piece])
    new = changed(SOURCE)
    hunks = hunks_of(shortened().sent, new, 1)
    python = SOURCE
    for part in [tuple(hunks)] if at_once else [(hunk,) for hunk in hunks]:
        python = apply(python, json.loads(give(name, json.dumps(call(part, new)))))
    assert ast.dump(ast.parse(python)) == ast.dump(ast.parse(WANTED))
    assert not give.notes
    assert give.counts.given_back == give.counts.asked > 0
    kept = [line for line in SOURCE.split("\n") if "gross" not in line and "rate)" not in line and "remove" not in line]
    assert [line for line in kept if line not in python.split("\n")] == []


@pytest.mark.quick
@pytest.mark.parametrize(
    ("name", "arguments", "old", "new"),
    [
        ("str_replace_editor", {"command": "str_replace", "path": PATH}, "old_str", "new_str"),
        ("str_replace_based_edit_tool", {"command": "str_replace", "path": PATH}, "old_str", "new_str"),
        ("replace", {"file_path": PATH, "expected_replacements": 1}, "old_string", "new_string"),
        ("replace_string_in_file", {"filePath": PATH, "explanation": "why"}, "oldString", "newString"),
        ("edit_file", {"path": PATH}, "old_string", "new_string"),
        ("mcp__files__Edit", {"file_path": PATH}, "old_string", "new_string"),
    ],
)
def test_other_tools_that_take_a_pair(name: str, arguments: dict[str, Any], old: str, new: str) -> None:
    found = asked(GiveBack([shortened()]), name, **arguments, **{old: "gross=net+net*rate", new: "gross=net"})
    assert agent_tools.replaced_once(SOURCE, found[old], found[new]) == SOURCE.replace("(net\n                 + net * rate)", "net")
    assert {key: value for key, value in found.items() if key not in (old, new)} == arguments


@pytest.mark.quick
def test_a_patch_in_a_command_of_a_shell() -> None:
    patch = f"*** Begin Patch\n*** Update File: {PATH}\n@@\n-RATE=0.2# of the net price\n+RATE=0.3# of the net price\n*** End Patch"
    command = ["bash", "-lc", f"apply_patch <<'EOF'\n{patch}\nEOF\n"]
    found = asked(GiveBack([shortened()]), "shell", command=command, workdir="/")["command"]
    assert found[:2] == command[:2]
    assert found[2].startswith("apply_patch <<'EOF'\n*** Begin Patch\n")
    assert "-RATE = 0.2  # of the net price\n+RATE = 0.3  # of the net price\n" in found[2]
    expanded = ["bash", "-lc", f"apply_patch <<EOF\n{patch}\nEOF\n"]
    assert asked(GiveBack([shortened()]), "shell", command=expanded)["command"] == expanded


@pytest.mark.quick
def test_a_patch_of_several_files_keeps_what_it_makes_and_deletes() -> None:
    other = "y  =  1\n"
    patch = (
        f"*** Begin Patch\n*** Add File: new.py\n+z = 1\n*** Update File: {PATH}\n@@\n"
        "-RATE=0.2# of the net price\n+RATE=0.3# of the net price\n"
        "*** Update File: b.py\n@@\n-y=1\n+y=2\n*** Delete File: c.py\n*** End Patch"
    )
    found = asked(GiveBack([shortened(), shortened(other)]), "apply_patch", input=patch)["input"]
    assert found.startswith("*** Begin Patch\n*** Add File: new.py\n+z = 1\n")
    assert found.endswith("*** Delete File: c.py\n*** End Patch")
    assert "*** Update File: b.py\n@@\n-y  =  1\n+y  =  2\n" in found


@pytest.mark.quick
def test_roo_and_aider_markers_stay() -> None:
    block = "<<<<<<< SEARCH\n:start_line:9\n-------\n  return gross\n=======\n  return round(gross)\n>>>>>>> REPLACE\n"
    found = asked(GiveBack([shortened()]), "apply_diff", path=PATH, diff=block)["diff"]
    assert found.startswith("<<<<<<< SEARCH\n:start_line:15\n-------\n")
    assert "        return gross\n" in found and "        return round(gross)\n" in found
    assert found.endswith(">>>>>>> REPLACE\n")


@pytest.mark.quick
def test_code_with_parts_left_out() -> None:
    code = "class Shop:\n # ... existing code ...\n def drop(self,name):\n  self.names.clear()\n  return self\n"
    found = asked(GiveBack([shortened()]), "insert_edit_into_file", filePath=PATH, explanation="why", code=code)["code"]
    assert "        self.names.clear()\n" in found
    assert "# ... existing code ..." in found


@pytest.mark.quick
def test_a_new_file_is_laid_out_for_people() -> None:
    give = GiveBack([shortened()])
    found = asked(give, "Write", file_path="other.py", content="def f(x):\n if x:return 1\n return 2\n")["content"]
    assert found == "def f(x):\n    if x:\n        return 1\n    return 2\n"


# ------------------------------------------------------------------------------------------------------------ what is found


@pytest.mark.quick
def test_what_stands_there_as_it_is_stays() -> None:
    give = GiveBack([shortened()])
    arguments = json.dumps({"file_path": PATH, "old_string": "    return 0", "new_string": "    return None"}, indent=2)
    assert give("Edit", arguments) == arguments
    assert (give.counts.asked, give.counts.stays, give.notes) == (1, 1, [])


@pytest.mark.quick
def test_an_anchor_in_a_docstring_is_not_taken_for_code() -> None:
    source = 'def f():\n    """Sets\n    x = 1\n    """\n    x=1\n'
    give = GiveBack([shortened(source)])
    found = asked(give, "Edit", file_path="a.py", old_string="x = 1", new_string="x = 2")
    assert source.replace(found["old_string"], found["new_string"]) == source.replace("x = 1", "x = 2")


@pytest.mark.quick
def test_new_lines_that_are_indented_as_the_quote_is() -> None:
    give = GiveBack([shortened()])
    found = asked(give, "Edit", file_path=PATH, old_string="return gross", new_string="if gross:\n    return gross")
    assert agent_tools.apply_claude_edit(SOURCE, found) == SOURCE.replace("return gross", "if gross:\n            return gross")


@pytest.mark.quick
def test_the_anchor_is_made_longer_until_it_stands_once() -> None:
    give = GiveBack([shortened()])
    found = asked(
        give, "Edit", file_path=PATH, old_string="  self.names.remove(name)\n  return self", new_string="  self.names.remove(name)"
    )
    after = agent_tools.apply_claude_edit(SOURCE, found)
    assert after == SOURCE.removesuffix("        return self\n")


@pytest.mark.quick
@pytest.mark.parametrize(
    ("old", "counted"),
    [("return self", "ambiguous"), ("self.names.sort()", "not_found"), ("if net>0:# sold\n  gross=", "given_back")],
)
def test_never_a_guess(old: str, counted: str) -> None:
    give = GiveBack([shortened()])
    arguments = json.dumps({"file_path": PATH, "old_string": old, "new_string": old.replace("return", "yield").replace("0", "1")})
    handed_on = give("Edit", arguments)
    assert getattr(give.counts, counted) == give.counts.asked == 1
    if counted != "given_back":
        assert handed_on == arguments
        assert [note.where for note in give.notes] == ["a call of Edit"]


@pytest.mark.quick
def test_each_place() -> None:
    give = GiveBack([shortened()])
    found = asked(give, "Edit", file_path=PATH, old_string="return self", new_string="return None", replace_all=True)
    assert agent_tools.apply_claude_edit(SOURCE, found) == SOURCE.replace("return self", "return None")
    source = "a = f( x )\nb = f( x )\n"
    found = asked(GiveBack([shortened(source)]), "Edit", file_path="a.py", old_string="f(x)", new_string="g(x)", replace_all=True)
    assert agent_tools.apply_claude_edit(source, found) == "a = g( x )\nb = g( x )\n"
    mixed = GiveBack([shortened("a = f( x )\nb = f(x )\n")])
    arguments = json.dumps({"file_path": "a.py", "old_string": "f(x)", "new_string": "g(x)", "replace_all": True})
    assert mixed("Edit", arguments) == arguments
    assert mixed.counts.untouched == 1


@pytest.mark.quick
def test_a_range_of_lines_in_its_indentation() -> None:
    lines = SOURCE.split("\n")[11:24]
    fragment = "\n".join(lines)
    give = GiveBack([Shortened(fragment, fragment.replace("( name )", "(name)").replace("    ", " "))])
    found = asked(give, "Edit", file_path=PATH, old_string="self.names.append(name)", new_string="self.names.insert(0,name)")
    assert (
        agent_tools.apply_claude_edit(SOURCE, found) == SOURCE.replace("append( name )", "insert( 0,name )")
        or "insert(" in found["new_string"]
    )
    assert ast.parse(agent_tools.apply_claude_edit(SOURCE, found))


@pytest.mark.quick
@pytest.mark.parametrize(
    "text", ["x = 1\n", "    def f(self):\n        pass\n", "        return 1\n    else:\n        return 2\n", "    x = f(\n"]
)
def test_enclosures(text: str) -> None:
    enclosure = enclosure_of(text)
    if text.endswith("(\n"):
        assert enclosure is None
        return
    assert enclosure is not None
    assert ast.parse(enclosure.program)
    assert enclosure.without_enclosure(enclosure.program) == text


@pytest.mark.quick
def test_a_file_with_a_mark() -> None:
    found = asked(GiveBack([Shortened("\ufeffx  =  1\n", "x=1\n")]), "Edit", file_path="a.py", old_string="x=1", new_string="x=2")
    assert agent_tools.apply_claude_edit("\ufeffx  =  1\n", found) == "\ufeffx  =  2\n"


@pytest.mark.quick
def test_crlf_and_a_last_line_without_a_break() -> None:
    source = "def f( x ):\r\n    y = ( x )\r\n    return  y"
    give = GiveBack([shortened(source)])
    found = asked(give, "Edit", file_path="a.py", old_string=" y=x\n return y", new_string=" y=x\n x=2\n return y")
    after = agent_tools.apply_claude_edit(source, found)
    assert "\n" not in after.replace("\r\n", "")
    assert ast.dump(ast.parse(after)) == ast.dump(ast.parse("def f(x):\n    y = x\n    x = 2\n    return y\n"))


# --------------------------------------------------------------------------------------------------------- hostile arguments


@pytest.mark.quick
@pytest.mark.parametrize(
    "arguments",
    [
        "",
        "not JSON",
        "[]",
        "null",
        '"text"',
        "{",
        "[" * 100_000,
        '{"file_path": 1, "old_string": null, "new_string": []}',
        '{"old_string": "RATE=0.2"}',
        '{"file_path": "a.py", "old_string": "", "new_string": "x"}',
        '{"file_path": "a.py", "old_string": "\\ud800", "new_string": "\\udfff"}',
        '{"file_path": "a.py", "old_string": "' + "(" * 20_000 + '", "new_string": "x"}',
        '{"file_path": "a.js", "old_string": "RATE=0.2", "new_string": "x"}',
        '{"file_path": "a.py", "old_string": "RATE=0.2", "new_string": "x", "replace_all": "yes", "more": NaN',
    ],
)
def test_hostile_arguments_pass_as_received(arguments: str) -> None:
    for name in ("Edit", "MultiEdit", "Write", "apply_patch", "replace_in_file", "edit_file", "unknown", ""):
        assert GiveBack([shortened()])(name, arguments) == arguments


@pytest.mark.quick
@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("MultiEdit", {"file_path": PATH, "edits": "x"}),
        ("MultiEdit", {"file_path": PATH, "edits": [1]}),
        ("MultiEdit", {"file_path": PATH, "edits": [{"old_string": "RATE=0.2", "new_string": "RATE=1"}, {"old_string": 1}]}),
        ("apply_patch", {"input": ["*** Begin Patch", {"x": 1}]}),
        ("apply_patch", {"input": "*** Begin Patch\n*** Update File: a.py\nnonsense\n*** End Patch"}),
        ("replace_in_file", {"path": PATH, "diff": "------- SEARCH\nRATE=0.2\n"}),
        ("Write", {"file_path": PATH, "content": "def f(:\n"}),
        ("edit_file", {"target_file": PATH, "code_edit": "# ... existing code ...\ndef f(:\n"}),
    ],
)
def test_calls_that_cannot_be_read_pass_as_received(name: str, arguments: dict[str, Any]) -> None:
    text = json.dumps(arguments)
    assert GiveBack([shortened()])(name, text) == text


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["RATE=0.2", "x", "", PATH, "str_replace", "*** Begin Patch"]),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=4,
)
_KEYS = sorted(
    {
        role
        for tool in TOOLS
        for role in (tool.path, tool.old, tool.new, tool.everywhere, tool.edits, tool.patch, tool.whole, tool.sketch)
        if role
    }
)


@settings(max_examples=60)
@given(
    name=st.sampled_from(sorted({name for tool in TOOLS for name in tool.names})),
    arguments=st.dictionaries(st.sampled_from(_KEYS), _JSON, max_size=5),
)
def test_any_arguments_are_json_afterwards(name: str, arguments: dict[str, Any]) -> None:
    small = Shortened("RATE  =  0.2\n", "RATE=0.2\n")
    found = json.loads(GiveBack([small])(name, json.dumps(arguments)))
    assert found.keys() == arguments.keys()


# ------------------------------------------------------------------------------------------------------------- random edits


@pytest.mark.parametrize("file", ["examples/two_sum.py", "simpy_mcp/own_edits.py", "transpiler/edits/writer.py"])
def test_random_edits_reach_the_file_or_stay_with_a_note(file: str) -> None:
    source = (ROOT / file).read_text(encoding="utf-8")
    piece = shortened(source)
    reached = 0
    for wanted in random_edits(source, random.Random(11), 25):
        give = GiveBack([piece])
        found = asked(give, "Edit", file_path=PATH, old_string=wanted.old, new_string=wanted.new)
        if give.notes:
            assert (found["old_string"], found["new_string"]) == (wanted.old, wanted.new)
            continue
        if give.counts.stays and not wanted.unique:
            continue  # these very characters stand there once
        assert same_tree(ast.parse(agent_tools.apply_claude_edit(source, found)), wanted.tree), (wanted.old, wanted.new)
        reached += 1
    assert reached >= 8


# ------------------------------------------------------------------------------------------------------------------ the table


@pytest.mark.quick
def test_a_tool_of_the_user(tmp_path: Path) -> None:
    table = tmp_path / "tools.toml"
    table.write_text('[[tool]]\nagent = "mine"\nnames = ["change"]\npath = "file"\nold = "before"\nnew = "after"\n', encoding="utf-8")
    give = GiveBack([shortened()], tools=(*read_tools(table), *TOOLS))
    assert asked(give, "change", file=PATH, before="RATE=0.2", after="RATE=1")["before"] == "RATE = 0.2  # of the net price"


@pytest.mark.quick
@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("x", "a list of tables"),
        ([{"names": ["a"], "before": "x"}], "'before' is not a role"),
        ([{"old": "x", "new": "y"}], "expected names"),
        ([{"names": ["a"], "old": "x"}], "expected old and new"),
        ([{"names": ["a"], "whole": 1}], "whole to be a string"),
        ([{"names": ["a"], "whole": "x", "when": "y"}], "when"),
    ],
)
def test_a_wrong_row_says_what_is_wrong(rows: object, message: str) -> None:
    with pytest.raises(EditError, match=message):
        tools_of(rows)

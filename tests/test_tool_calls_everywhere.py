"""Edits of every place at once, and commands of a shell: what reaches the file is what the model asked for, or nothing is changed."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualcode.conversion.outcomes import Shortened
from dualcode.conversion.tool_calls import GiveBack
from tests import agent_tools
from tests.helpers import dump
from tests.shown_file import shortened
from transpiler import encode
from transpiler.patches import apply_patch, read_patch

STATEMENTS = (
    "f( x )",
    "a = f(x)",
    "a  =  f( x )  # f(x)",
    "if a :\n    f( x )",
    "for x in f( x ):\n    a = [ f(x), x ]\n    f( x )",
    "s = 'f(x)'",
    "s = f'{f( x )} f(x)'",
    'def g(x):\n    """f(x)"""\n    return f( x )',
    "b = (f\n     (x))",
    "f( x, y = f( x ) )",
    "xf( x )",
)
OLD = ("f(x)", "a=f(x)", "x", "a", "f", "(x)", "return f(x)", "[f(x),x]", "f(x)\n", "f(x,y=f(x))")
NEW = ("g(x)", "h( x, 1 )", "y", "", "a  =  g(x)", "(y)", "None", "f(x)#n", "f(x)\n f(y)")


@given(st.lists(st.sampled_from(STATEMENTS), min_size=1, max_size=5), st.sampled_from(OLD), st.sampled_from(NEW), st.booleans())
def test_an_edit_of_every_place_is_what_the_model_asked_for(statements: list[str], old: str, new: str, everywhere: bool) -> None:
    python = "\n".join(statements) + "\n"
    sent = encode(python, dialect="compact") + "\n"
    give = GiveBack([Shortened(python, sent)])
    arguments = {"file_path": "a.py", "old_string": old, "new_string": new, "replace_all": everywhere}
    found = json.loads(give("Edit", json.dumps(arguments)))
    if not (give.counts.given_back or give.counts.stays):
        assert found == arguments and len(give.notes) == 1
        return
    after = agent_tools.apply_claude_edit(python, found)
    expected = dump(sent.replace(old, new))
    if old in sent and expected is not None and (everywhere or sent.count(old) == 1):
        assert dump(after) == expected


COMMANDS = (
    "cat > a.py <<'EOF'\ndef total(net,*,rate=RATE):\n return net\nEOF\npython a.py",
    "cat <<EOF >> a.py\nRATE=0.3# of the net price\nEOF",
    "tee a.py <<-'PY'\n\tdef f():return 0\n\tPY",
    "python - <<'EOF'\nfrom pathlib import Path\nPath('a.py').write_text('RATE=0.2# of the net price')\nEOF",
    "sed -i 's/RATE=0.2/RATE=0.3/' a.py",
    "python -c 'RATE=0.2;print(RATE)'",
    "git apply <<'EOF'\n--- a/a.py\n+++ b/a.py\n@@ -4 +4 @@\n-RATE=0.2# of the net price\n+RATE=0.3\nEOF",
)


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("tool", "key"), [("Bash", "command"), ("shell", "command"), ("exec_command", "cmd"), ("execute_command", "command")]
)
def test_commands_of_a_shell_pass_as_received(tool: str, key: str, command: str) -> None:
    give = GiveBack([shortened()])
    for value in (command, ["bash", "-lc", command]):
        arguments = json.dumps({key: value, "workdir": "/repo"}, indent=1)
        assert give(tool, arguments) == arguments
    assert (give.notes, give.counts.asked) == ([], 0)


# ------------------------------------------------------------------------------------------------------------ sketches

LEFT_OUT = "# ... existing code ...\n"
DEFINITIONS = (
    "def f( a,\n       b ):\n    x  =  [ a, b ]\n    return x\n",
    "def g(a):  # why\n    if a :\n        return ( a )\n    return 0\n",
    "@cached\ndef h(self, *, a = 1):\n    '''x=1'''\n    return self.a\n",
    "class A( B ):\n    y  =  1\n\n    def f(self):\n        return self . y\n",
    "LIMIT  =  10  # of all\n",
    "import os , sys\n",
    "for i in range( 3 ):\n    print( i )\n",
)
CHANGES = (("return x", "return x+1"), ("return 0", "raise E(a)"), ("return self.a", "return self.a,a"), ("return self.y", "yield self.y"))


@given(st.lists(st.sampled_from(DEFINITIONS), min_size=1, max_size=4, unique=True), st.data())
def test_a_sketch_changes_what_it_says_and_nothing_else(parts: list[str], data: st.DataObject) -> None:
    """Code with parts left out, written by a model that saw compact code: the tool's file is the one that was meant, or nothing changes."""
    python = "\n\n".join(parts)
    at = data.draw(st.integers(0, len(parts) - 1))
    shown = encode(parts[at], dialect="compact") + "\n"
    old, new = data.draw(st.sampled_from(CHANGES))
    code = LEFT_OUT * (at > 0) + shown.replace(old, new) + LEFT_OUT * (at < len(parts) - 1)
    give = GiveBack([shortened(python)])
    arguments = {"target_file": "a.py", "instructions": "i", "code_edit": code}
    found = json.loads(give("edit_file", json.dumps(arguments)))
    if not give.counts.given_back:
        assert found == arguments and len(give.notes) == 1
        return
    patch = read_patch(found["code_edit"], "rewritten")
    (edit,) = apply_patch(patch, {"a.py": python.encode()}, path="a.py")
    expected = "\n\n".join([*parts[:at], shown.replace(old, new), *parts[at + 1 :]])
    assert edit.new is not None and dump(edit.new.decode()) == dump(expected)
    kept = [part for part in parts if part is not parts[at]]
    assert all(part in edit.new.decode() for part in kept), "what the sketch leaves out keeps its bytes"

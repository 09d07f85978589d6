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
NEW = ("g(x)", "h( x, 1 )", "y", "", "a  =  g(x)", "(y)", "None", "f(x)#n", "f(x)\n\tf(y)")


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
    "cat > a.py <<'EOF'\ndef total(net,*,rate=RATE):\n\treturn net\nEOF\npython a.py",
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

"""Patches in every form, written from an old and a new text: what a model would send, for tests and benchmarks.

``WRITERS[name](path, hunks_of(old, new))`` is the patch as text. Some forms cannot say that a file ends without a line
break; ``WHOLE_LINES`` names them.
"""

from __future__ import annotations

import difflib
import json
import random
import re
from collections.abc import Callable, Iterator

from dualcode.conversion.tool_calls.hunks import Hunk
from transpiler.source import split_lines

_MARKERS = re.compile(
    r"\\*(?:<{5,9} (?:SEARCH|ORIGINAL)|-{7}$|-{5,9} SEARCH|={5,9}$|[>+]{5,9} (?:REPLACE|UPDATED)|:start_line:|:end_line:)"
)
CONTEXT = 3  # lines of context around a change
ELISION = "# ... existing code ..."


def hunks_of(old: str, new: str, context: int = CONTEXT) -> list[Hunk]:
    """The hunks of the difference of two texts, with lines of context."""
    before, after = split_lines(old), split_lines(new)
    found = []
    for group in difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(context):
        lines: list[str] = []
        for tag, first, last, other, end in group:
            if tag == "equal":
                lines += [" " + line for line in before[first:last]]
            else:
                lines += ["-" + line for line in before[first:last]] + ["+" + line for line in after[other:end]]
        found.append(Hunk(group[0][1] + 1, group[0][3] + 1, tuple(lines)))
    return found


# ------------------------------------------------------------------------------------------------------------- the forms


def _escaped(text: str) -> str:
    return "".join("\\" + line if _MARKERS.match(line.rstrip("\r\n")) else line for line in split_lines(text))


def aider(path: str, hunks: list[Hunk]) -> str:
    """SEARCH/REPLACE blocks, the file name above each fence."""
    return "\n".join(
        f"{path}\n```python\n<<<<<<< SEARCH\n{_escaped(hunk.old)}=======\n{_escaped(hunk.new)}>>>>>>> REPLACE\n```\n" for hunk in hunks
    )


def cline(path: str, hunks: list[Hunk]) -> str:
    """Cline's blocks, the file name in XML before all of them."""
    blocks = "".join(f"------- SEARCH\n{_escaped(hunk.old)}=======\n{_escaped(hunk.new)}+++++++ REPLACE\n" for hunk in hunks)
    return f"<replace_in_file>\n<path>{path}</path>\n<diff>\n{blocks}</diff>\n</replace_in_file>\n"


def roo(path: str, hunks: list[Hunk]) -> str:
    """Roo's blocks, with line numbers."""
    return f"<path>{path}</path>\n<diff>\n" + "\n".join(
        f"<<<<<<< SEARCH\n:start_line:{hunk.line}\n-------\n{_escaped(hunk.old)}=======\n{_escaped(hunk.new)}>>>>>>> REPLACE\n"
        for hunk in hunks
    )


def _signed(hunk: Hunk) -> str:
    return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in hunk.lines)


def git_diff(path: str, hunks: list[Hunk]) -> str:
    """A unified diff as git writes it."""
    text = f"diff --git a/{path} b/{path}\nindex 0123456..789abcd 100644\n--- a/{path}\n+++ b/{path}\n"
    for hunk in hunks:
        old, new = (sum(line[0] != sign for line in hunk.lines) for sign in "+-")
        text += f"@@ -{hunk.line if old else hunk.line - 1},{old} +{hunk.new_line if new else hunk.new_line - 1},{new} @@\n{_signed(hunk)}"
    return text


def diff_without_numbers(path: str, hunks: list[Hunk]) -> str:
    """A unified diff as models write it: no line numbers."""
    return f"--- {path}\n+++ {path}\n" + "".join(f"@@ ... @@\n{_signed(hunk)}" for hunk in hunks)


def diff_with_wrong_numbers(path: str, hunks: list[Hunk]) -> str:
    """A unified diff as models write it: wrong line numbers and counts, and blank lines of context without their sign."""
    wrong = random.Random(len(hunks))
    text = f"```diff\n--- a/{path}\n+++ b/{path}\n"
    for hunk in hunks:
        start, old, new = (wrong.randrange(1, 400) for _ in range(3))
        last = len(hunk.lines) - 1  # at the end of a hunk a blank line without its sign does not count
        lines = tuple(
            line[1:] if line in (" \n", " \r\n") and 0 < at < last and _stays(hunk.lines, at) else line
            for at, line in enumerate(hunk.lines)
        )
        text += f"@@ -{start},{old} +{start},{new} @@ def unrelated():\n{_signed(hunk._replace(lines=lines))}"
    return text + "```\n"


def _stays(lines: tuple[str, ...], at: int) -> bool:
    """Whether something with a sign follows, so that a line without one lies inside of its hunk."""
    return any(line.strip() and line not in (" \n", " \r\n") for line in lines[at + 1 :])


def apply_patch(path: str, hunks: list[Hunk]) -> str:
    """OpenAI's ``apply_patch``."""
    body = "".join(f"@@\n{''.join(hunk.lines)}" for hunk in hunks)
    return f"*** Begin Patch\n*** Update File: {path}\n{body}*** End Patch\n"


def edit_calls(path: str, hunks: list[Hunk]) -> str:
    """A list of calls of a tool that takes an old and a new string."""
    return json.dumps([{"file_path": path, "old_string": hunk.old, "new_string": hunk.new} for hunk in hunks])


def multi_edit(path: str, hunks: list[Hunk]) -> str:
    """One call with a list of edits."""
    return json.dumps(
        {"name": "MultiEdit", "input": {"file_path": path, "edits": [{"old_string": h.old, "new_string": h.new} for h in hunks]}}
    )


WRITERS: dict[str, Callable[[str, list[Hunk]], str]] = {
    "aider": aider,
    "cline": cline,
    "roo": roo,
    "git_diff": git_diff,
    "diff_without_numbers": diff_without_numbers,
    "diff_with_wrong_numbers": diff_with_wrong_numbers,
    "apply_patch": apply_patch,
    "edit_calls": edit_calls,
    "multi_edit": multi_edit,
}
"""Name -> what writes hunks of a file as a patch."""
WHOLE_LINES = {"aider", "cline", "roo", "apply_patch"}
"""Writers whose form has no way to say that a file ends without a line break."""


def rewritten_with_elisions(old: str, new: str, context: int = CONTEXT) -> tuple[str, list[str]]:
    """The new text with a comment in place of each long unchanged run, and the runs that were left out, in order."""
    before, after = split_lines(old), split_lines(new)
    written, left_out = "", []
    for tag, _, _, first, last in difflib.SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        lines = after[first:last]
        if tag != "equal" or last - first <= 2 * context + 1:
            written += "".join(lines)
            continue
        head = 0 if first == 0 else context
        tail = len(lines) - (0 if last == len(after) else context)
        run = lines[head:tail]
        indent = re.match(r"[ \t]*", next((line for line in run if line.strip()), ""))
        written += "".join(lines[:head]) + (indent[0] if indent else "") + ELISION + "\n" + "".join(lines[tail:])
        left_out.append("".join(run))
    return written, left_out


def patches(path: str, old: str, new: str) -> Iterator[tuple[str, str]]:
    """The name and the text of a patch in each form that can hold the difference of two texts."""
    hunks = hunks_of(old, new)
    whole = all(line.endswith("\n") for hunk in hunks for line in hunk.lines)
    for name, write in WRITERS.items():
        if whole or name not in WHOLE_LINES:
            yield name, write(path, hunks)

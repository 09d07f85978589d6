"""Conversations of agents replayed: a file is shown shortened, a real change is asked for in the form of the agent's tool.

    python benchmarks/release_pairs.py FOLDER                                 fetch the pairs of releases
    python benchmarks/agents.py --pairs FOLDER --json benchmarks/results/agents.json
    python benchmarks/agents.py --render [--check]                            put the last figures into docs/tool-calls.md, or look

Each change between two releases is cut into edits of the compact text, as a model would quote them. The proxy gives the call back;
then the edit is made as the agent's own tool makes it, by plain comparison of characters or lines, on the person's file. An edit
has *reached the file as asked* if the file then has the tree and the comments that the edit of the compact text has. One that
passes as received with a note must change nothing, or exactly what was asked. Everything else is *wrong*, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks import pages  # noqa: E402  # the path must be set first
from benchmarks.edits import comments  # noqa: E402  # as above
from benchmarks.release_pairs import changed_files_below  # noqa: E402  # as above
from dualcode.conversion.outcomes import Shortened  # noqa: E402  # as above
from dualcode.conversion.tool_calls import GiveBack  # noqa: E402  # as above
from dualcode.conversion.tool_calls.hunks import Hunk, hunks_of  # noqa: E402  # as above
from simpy_grammar.errors import SimPyError  # noqa: E402  # as above
from tests import agent_tools  # noqa: E402  # as above
from tests.edited_source import same_program  # noqa: E402  # as above
from transpiler import encode, view  # noqa: E402  # as above
from transpiler.source import read_source, split_lines  # noqa: E402  # as above

RESULTS = Path(__file__).resolve().parent / "results" / "agents.json"
PATH = "package/module.py"
_RANGE = 80  # lines of a range of a file that is shown


class Asked(NamedTuple):
    """An edit of the compact text: the hunks that it makes at once, and the compact text before and after it."""

    hunks: tuple[Hunk, ...]
    before: str
    after: str


class Form(NamedTuple):
    """How an agent asks for edits.

    Attributes:
        tool: its name.
        call: the arguments that ask for some hunks.
        apply: what the tool makes of a file; ``ToolError`` if it refuses.
        at_once: all changes of a file are one call.
    """

    tool: str
    call: Callable[[tuple[Hunk, ...], str], dict[str, Any]]
    apply: Callable[[str, dict[str, Any]], str]
    at_once: bool


FORMS: dict[str, Form] = {
    "Claude Code, Edit": Form("Edit", agent_tools.claude_edit, agent_tools.apply_claude_edit, False),
    "Claude Code, MultiEdit": Form("MultiEdit", agent_tools.claude_multi_edit, agent_tools.apply_claude_multi_edit, True),
    "Claude Code, Write": Form("Write", agent_tools.claude_write, agent_tools.apply_claude_write, True),
    "Codex, apply_patch": Form("apply_patch", agent_tools.codex_patch, agent_tools.apply_codex_patch, True),
    "OpenCode, edit": Form("edit", agent_tools.opencode_edit, agent_tools.apply_opencode_edit, False),
    "Cline, replace_in_file": Form("replace_in_file", agent_tools.cline_diff, agent_tools.apply_cline_diff, True),
}


def shown_whole(old: str, sent: str) -> Shortened:
    """The whole file in `compact`."""
    return Shortened(old, sent)


def shown_numbered(old: str, sent: str) -> Shortened:
    """The whole file in `compact`, with the line numbers of its definitions."""
    return Shortened(old, view(old, [], dialect="compact").text)


VIEWS: dict[str, Callable[[str, str], Shortened]] = {"compact": shown_whole, "compact, numbers at definitions": shown_numbered}


def quoted(hunk: Hunk, sent: str, shown: str) -> Hunk:
    """A hunk as it is quoted from what was shown: kept and removed lines with the numbers that they have there."""
    plain, marked = split_lines(sent), split_lines(shown)
    if plain == marked or len(plain) != len(marked):
        return hunk
    lines, at = [], hunk.line - 1
    for line in hunk.lines:
        lines.append(line if line[0] == "+" else line[0] + marked[at].rstrip("\n") + line[len(line.rstrip("\n")) :])
        at += line[0] != "+"
    return hunk._replace(lines=tuple(lines))


def edits_of(old: str, new: str, *, at_once: bool) -> Iterator[Asked]:
    """The edits that make one compact text of another, each quoted so that it stands there once."""
    hunks = hunks_of(old, new, 1)
    if not hunks:  # the file has changed in its layout only
        return
    if at_once:
        yield Asked(tuple(hunks), old, new)
        return
    text = old
    for hunk in hunks:
        after = text.replace(hunk.old, hunk.new, 1)
        if text.count(hunk.old) == 1:
            yield Asked((hunk,), text, after)
            text = after


def says_the_same(one: str, other: str) -> bool:
    """Whether two programs have the same tree and the same comments in order."""
    try:
        return same_program(one, other) and comments(one) == comments(other)
    except SyntaxError:
        return False


def replay(old: str, new: str, form: Form, shown: Callable[[str, str], Shortened]) -> Counter[str]:
    """One conversation: the file is shown, each edit is asked for, given back and made."""
    counts: Counter[str] = Counter()
    sent, wanted = (encode(text, dialect="compact", verify=False) + "\n" for text in (old, new))
    piece = shown(old, sent)
    give = GiveBack([piece])
    python, state = old, sent
    for asked in edits_of(sent, wanted, at_once=form.at_once):
        if asked.before != state and form.at_once:
            break
        hunks = tuple(quoted(hunk, sent, piece.sent) for hunk in asked.hunks) if form.at_once else asked.hunks
        if sum(state.count(hunk.old) for hunk in asked.hunks) != len(asked.hunks):
            counts["not asked"] += 1  # an edit before it that was refused
            continue
        expected = state
        for hunk in asked.hunks:
            expected = expected.replace(hunk.old, hunk.new, 1)
        arguments = json.dumps(form.call(hunks, wanted))
        notes = len(give.notes)
        handed_on = json.loads(give(form.tool, arguments))
        noted = len(give.notes) > notes
        try:
            made = form.apply(python, handed_on)
        except agent_tools.ToolError as error:
            counts["untouched, with a note" if noted else f"refused by the tool: {error}"] += 1
            if noted:
                counts[f"note: {give.notes[-1].reason}"] += 1
            continue
        if not says_the_same(made, expected):
            counts["wrong"] += 1
            continue
        counts["as asked"] += 1
        python, state = made, expected
    return counts


def measure(files: list[tuple[str, str, str]]) -> dict[str, Any]:
    """Every file in every view and form."""
    found: dict[str, Any] = {}
    for view_name, shown in VIEWS.items():
        for name, form in FORMS.items():
            counts: Counter[str] = Counter()
            for _, old, new in files:
                try:
                    result = replay(old, new, form, shown)
                except SimPyError as error:
                    result = Counter({f"not shown: {type(error).__name__}": 1})
                counts += result
                if result["wrong"] or any(key.startswith("refused") for key in result):
                    print(view_name, name, _, dict(result), file=sys.stderr)
            found[f"{name} | {view_name}"] = dict(counts)
    return found


def tables(results: dict[str, Any]) -> str:
    """The Markdown table."""
    lines = [
        f"{results['files']} files, one of {results['every']}, that differ between two releases of {results['packages']} packages "
        f"(`benchmarks/agents.py`, Python {results['python']}).",
        "",
        "| tool | shown in | edits | as asked | untouched, with a note | wrong |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for name, row in results["agents"].items():
        tool, _, shown = name.partition(" | ")
        right, noted = row.get("as asked", 0), row.get("untouched, with a note", 0)
        wrong = row.get("wrong", 0) + sum(count for key, count in row.items() if key.startswith("refused"))
        total = right + noted + wrong
        lines.append(f"| {tool} | {shown} | {total:,} | {100 * right / max(total, 1):.2f} % | {noted} | {wrong} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Measure, or put the last figures into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=Path, metavar="FOLDER", help="what benchmarks/release_pairs.py has fetched")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="only every Nth file")
    parser.add_argument("--first", type=int, default=0, metavar="N", help="the first file that is taken")
    parser.add_argument("--json", type=Path, metavar="FILE", help="keep the figures")
    parser.add_argument("--render", action="store_true", help=f"put the figures of {RESULTS.name} into docs/tool-calls.md")
    parser.add_argument("--check", action="store_true", help="with --render: only say whether the page is stale")
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # warnings about the sources do not matter here
    if options.render:
        results = json.loads(RESULTS.read_text(encoding="utf-8"))
        return pages.put("tool-calls.md", "figures", tables(results), "python benchmarks/agents.py --render", options.check)
    if options.pairs is None:
        parser.error("say with --pairs where the pairs of releases are")
    found = [(name, read_source(file.old), read_source(file.new)) for name, file in changed_files_below(options.pairs)]
    found = found[options.first :: options.every]
    agents = measure(found)
    results = {
        "python": platform.python_version(),
        "files": len(found),
        "every": options.every,
        "packages": len({name for name, _, _ in found}),
        "agents": agents,
    }
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    print(tables(results), end="")
    for name, row in agents.items():
        print(name, row, file=sys.stderr)
    return int(any(row.get("wrong", 0) or any(key.startswith("refused") for key in row) for row in agents.values()))


if __name__ == "__main__":
    sys.exit(main())

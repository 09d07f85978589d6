"""Write docs/language.md, the language reference, from the grammar, the dialects, the terminal table and the golden cases, and the
table of rules in docs/rules.md.

    python docs/generate.py            write them
    python docs/generate.py --check    write nothing; exit 1 if one is stale

Nothing about the language is said here that those files do not say.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from benchmarks import pages  # noqa: E402  # the path must be set first
from simpy_grammar.dialect import BUILT_IN, GRAMMAR_FOLDER, Dialect  # noqa: E402  # the path must be set first
from simpy_grammar.terminals import ID, LAYOUT, TERMINALS  # noqa: E402  # as above
from tests.golden import Case, cases  # noqa: E402  # as above
from tests.rule_cases import BAR, REFUSED, SIMPY_REFUSED  # noqa: E402  # as above
from transpiler.rules import RULES  # noqa: E402  # as above

PAGE = ROOT / "docs" / "language.md"
DIALECTS = {name: Dialect.load(name) for name in BUILT_IN if not Dialect.load(name).is_open}  # these spell as others do
_SECTION = re.compile(r"^// -{5,} ?([a-z, ]+)$", re.MULTILINE)
_GROUP = re.compile(r"^// ([A-Z][A-Za-z ]+)$")

_INTRODUCTION = """\
# The SimPy language

Written by `python docs/generate.py` from `grammars/`, `simpy_grammar/terminals.py` and `tests/cases/`; change those, not this page.

SimPy is Python with the same tokens in the same order, spelled for language models. This page has the [spellings](#spellings) of
every terminal, the [grammar](#grammar) that says where each may stand, and [examples](#examples).
The dialects `python` and `compact` are layouts of Python: the same grammar reads them, and their spelling is Python's own.
`dense-open` spells every terminal as `dense` does, but leaves out closing brackets at the ends of statements.
"""

_SPELLINGS = """\
## Spellings

A *terminal* is a Python token in its context: `ARGUMENT_SEP` is the comma between arguments, `FOR_IN` the `in` of a `for` statement.
Its *role* says what a writer must know of it; *since* is the first Python that reads it, where that is not every Python 3.
*Python* is the spelling in the layout `python`, blanks included. A terminal that is written *as* another one is a special case
of it: it exists because a dialect spells it differently.

Each dialect spells each terminal as one text. *implied* means that it writes nothing, because the neighbours say it. A terminal with two
spellings takes the second between a closing and an opening bracket or quote. *not used* means that the dialect has no such terminal.
Names, numbers, strings and comments are data: they stand in SimPy as they stand in Python.
"""


def page() -> str:
    """The whole reference."""
    return "\n".join([_INTRODUCTION, _SPELLINGS, *_special_tokens(), *_spellings(), *_grammar(), *_examples()])


def _special_tokens() -> Iterator[str]:
    yield "### Special tokens\n"
    yield "What a tokenizer should hold as one id each, in the order in which `Dialect.special_tokens` gives them.\n"
    for name, dialect in DIALECTS.items():
        tokens = dialect.special_tokens
        yield f"`{name}`, {len(tokens)} tokens: {' '.join(f'`{token}`' for token in tokens)}\n"


def _spellings() -> Iterator[str]:
    for group, terminals in _groups().items():
        yield f"### {group}\n"
        yield f"| terminal | role | since | Python | {' | '.join(f'`{name}`' for name in DIALECTS)} |"
        yield f"| --- | --- | --- | --- |{' --- |' * len(DIALECTS)}"
        for terminal in terminals:
            shown = (_shown(dialect.spellings.get(terminal)) for dialect in DIALECTS.values())
            yield f"| `{terminal}` | {_facts(terminal)} | {' | '.join(shown)} |"
        yield ""


def _groups() -> dict[str, list[str]]:
    """The terminals under the headings that the dialect files put them under."""
    found: dict[str, list[str]] = {}
    for name in BUILT_IN:
        group = ""
        for line in (Path(GRAMMAR_FOLDER) / f"{name}.lark").read_text(encoding="utf-8").splitlines():
            heading = _GROUP.match(line)
            if heading:
                group = heading[1]
            elif ":" in line and not line.startswith("//"):
                terminals = found.setdefault(group, [])
                terminal = line.split(":")[0]
                if terminal not in terminals:
                    terminals.append(terminal)
    return found


def _shown(texts: tuple[str, ...] | None) -> str:
    if texts is None:
        return "not used"
    if texts == ("",):
        return "implied"
    return " or ".join(map(_code, texts))


def _facts(name: str) -> str:
    """What the table of terminals says of one."""
    terminal = TERMINALS[ID[name]]
    if terminal.general != name:
        python = f"as `{terminal.general}`"
    elif terminal.role == LAYOUT:
        python = "lines and indents"
    else:
        python = _code(terminal.python) if terminal.python else "nothing"
    since = ".".join(map(str, terminal.since)) if terminal.since else ""
    return f"{terminal.role} | {since} | {python}"


def _code(text: str) -> str:
    """A text as a code span; one that starts or ends with a blank is quoted."""
    shown = text.replace("\n", "\\n").replace("|", "\\|")
    return f'`"{shown}"`' if shown != shown.strip() else f"`{shown}`"


def _grammar() -> Iterator[str]:
    """The grammar file, section by section; the comment that opens a section is its text."""
    text = (Path(GRAMMAR_FOLDER) / "simpy.lark").read_text(encoding="utf-8")
    head, *rest = _SECTION.split(text)
    yield "## Grammar\n"
    yield "The file `grammars/simpy.lark`, whole. How it is put together with a dialect is told in [architecture.md](architecture.md).\n"
    yield _fenced("lark", head)
    for name, body in zip(rest[::2], rest[1::2], strict=True):
        yield f"### {name.strip().capitalize()}\n"
        lines = body.strip("\n").split("\n")
        said = [line.removeprefix("//").strip() for line in _leading_comment(lines)]
        if said:
            yield " ".join(said) + "\n"
        yield _fenced("lark", "\n".join(lines[len(said) :]))


def _leading_comment(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith("//"):
            return
        yield line


def _examples() -> Iterator[str]:
    yield "## Examples\n"
    yield "The golden cases of the tests: a program, and how it is spelled.\n"
    for case in cases():
        if any(char in case.python for char in "\r\f\0"):  # no page can show these
            continue
        yield f"### {case.path.stem.replace('_', ' ').capitalize()}\n"
        if case.since > (3, 8):
            yield f"Python {'.'.join(map(str, case.since))} and later.\n"
        yield from _example(case)


def _example(case: Case) -> Iterator[str]:
    yield _fenced("python", case.python)
    for name in DIALECTS:
        if name in case.sections:
            yield _fenced(f"simpy {name}", case.sections[name])


def _fenced(language: str, text: str) -> str:
    marks = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, marks + 1)
    body = text.strip("\n") if language == "lark" else text
    return f"{fence}{language}\n{body}{'' if body.endswith(chr(10)) or not body else chr(10)}{fence}\n"


def _rules() -> str:
    """The table of rules, each with its first case."""
    lines = ["| rule | words of CPython | refused by | versions | example |", "| --- | --- | --- | --- | --- |"]
    for name, rule in RULES.items():
        shown = [case.replace("\n", "⏎").replace(BAR, "▮").rstrip("⏎") for case in (*REFUSED[name], *SIMPY_REFUSED.get(name, ()))[:1]]
        example = _code(shown[0]) if shown else ""
        lines.append(f"| {name} | {_code(rule.message.replace('{}', '…'))} | `{_STAGES[rule.stage]}` | {rule.note} | {example} |")
    return "\n".join(lines) + "\n"


_STAGES = {"parse": "ast.parse", "compile": "compile"}


def main() -> int:
    """Write the pages, or say whether one is stale."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a page is stale")
    options = parser.parse_args()
    text = page().encode()
    stale = pages.put("rules.md", "rules", _rules(), "python docs/generate.py", options.check)
    if not options.check:
        PAGE.write_bytes(text)
        return stale
    if not PAGE.exists() or PAGE.read_bytes() != text:
        print(f"{PAGE.relative_to(ROOT)} is stale: run python docs/generate.py", file=sys.stderr)
        return 1
    return stale


if __name__ == "__main__":
    sys.exit(main())

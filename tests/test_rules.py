"""The rules of valid Python: each against CPython, never wrong about a valid program, and what is left through compiles."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import transpiler
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.python_reader import PythonReader
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from simpy_grammar.stream import Stream
from simpy_grammar.terminals import DATA, ID, TERMINALS, ids
from tests.golden import cases
from tests.mutated_programs import mutated
from tests.random_ast import Programs
from tests.rule_cases import BAR, REFUSED, SIMPY_REFUSED, VALID, VALID_MATCH
from tests.sampled_programs import Walk
from transpiler.conversion import located_stream, read_stream, write_stream
from transpiler.rules import RULES, RuleError, Rules, refused
from transpiler.rules.handlers import HANDLERS
from transpiler.rules.names import Names, contains
from transpiler.rules.table import COMPILE, PARSE
from transpiler.versions import RUNNING, needed_version

CASES = [(rule, program) for rule, programs in REFUSED.items() for program in programs]
# What ``needed_version`` cannot see: the first Python of some rules.
SINCE = {name: (3, int(found[1])) for name, rule in RULES.items() if (found := re.match(r"since 3\.(\d+)", rule.note))}
# Words that CPython has had since this version; before it, only that it refuses is compared.
WORDS_SINCE = (3, 11)
_DATA = ids(DATA)
_LAYOUT = ": \n"  # a block starts after them, in the text


def refusal(program: str) -> tuple[str, str] | None:
    """Where CPython refuses a program, and its words."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            ast.parse(program)
        except (SyntaxError, ValueError) as error:
            return PARSE, str(getattr(error, "msg", error))
        try:
            compile(program, "<test>", "exec", dont_inherit=True)
        except SyntaxError as error:
            return COMPILE, str(error.msg)
    return None


def python_stream(program: str) -> Stream:
    """The lexemes of a Python program with their offsets."""
    return located_stream(program, Dialect.load(PYTHON))


def is_for_this_python(rule: str, stream: Stream) -> bool:
    """Whether the running Python has the syntax of a program."""
    return max(needed_version(stream), SINCE.get(rule, (3, 0))) <= RUNNING


@pytest.mark.quick
def test_every_rule_has_a_case() -> None:
    assert set(REFUSED) == set(RULES)
    assert {rule for rule, programs in REFUSED.items() if not programs} == {*SIMPY_REFUSED, "comment", "version"}


@pytest.mark.quick
@pytest.mark.parametrize(("rule", "marked"), CASES, ids=[f"{rule}: {program}" for rule, program in CASES])
def test_a_rule_refuses_the_lexeme_at_which_it_is_known(rule: str, marked: str) -> None:
    program = marked.replace(BAR, "")
    stream = python_stream(program)
    error = refused(stream)
    assert error is not None
    assert error.rule.name == rule
    offset = error.offset if error.offset >= 0 else len(program)
    assert program[offset:].lstrip(_LAYOUT) == marked.partition(BAR)[2].lstrip(_LAYOUT)
    if is_for_this_python(rule, stream):
        found = refusal(program)
        assert found is not None, "CPython takes it"
        stage, words = found
        note = RULES[rule].note
        if RUNNING >= WORDS_SINCE and (not note or note.startswith("since")):
            assert stage == RULES[rule].stage
            assert error.message.startswith("invalid syntax: ") or error.message in words


@pytest.mark.quick
@pytest.mark.parametrize("program", [*VALID, *(VALID_MATCH if sys.version_info >= (3, 10) else ())])
def test_a_valid_program_breaks_no_rule(program: str) -> None:
    stream = python_stream(program)
    for version in (None, RUNNING):
        error = refused(stream, version=version)
        assert error is None, error
    assert refusal(program) is None or RUNNING < (3, 9)


@pytest.mark.parametrize("dialect", ["classic", "dense", PYTHON])
def test_programs_of_the_tests_break_no_rule(dialect: str) -> None:
    chosen = Dialect.load(dialect)
    programs = [case.python for case in cases() if case.is_readable]
    programs += [Programs(Random(seed)).program() for seed in range(150)]
    checked = 0
    for program in programs:
        if refusal(program) is None:
            text = program if chosen.is_python else transpiler.encode(program, dialect=dialect, verify=False)
            error = refused(read_stream(text, chosen), version=RUNNING)
            assert error is None, (error, program)
            checked += 1
    assert checked > 100


@pytest.mark.parametrize("dialect", ["classic", "dense", PYTHON])
def test_sampled_programs_compile(dialect: str) -> None:
    """Programs drawn from the tables with the rules beside them: no walk comes to a dead end, and CPython takes them."""
    chosen, python = Dialect.load(dialect), Dialect.load(PYTHON)
    parsed, slips, ended = 0, [], 0
    for seed in range(120):
        random = Random(seed)
        walk = Walk(chosen, random, version=RUNNING)
        stream = walk.program(random.randint(3, 50))
        if stream is None:
            assert walk.step(ending=True) is not None, (seed, walk.reader.stream.texts)
            continue
        ended += 1
        found = refusal(write_stream(stream, python))
        parsed += found is None or found[0] == COMPILE
        slips += [] if found is None else [found[1]]
    assert ended > 100
    assert parsed == ended, slips
    assert len(slips) <= 0.02 * ended, slips


def test_no_program_that_compiles_is_refused() -> None:
    """Short programs drawn from the tables alone, many of which break rules."""
    python, compiled, broken = Dialect.load(PYTHON), 0, 0
    for seed in range(400):
        random = Random(seed)
        walk = Walk(Dialect.load("classic"), random, ruled=False)
        stream = walk.program(random.randint(1, 7))
        if stream is None or ID["INNER_COMMENT"] in stream.terminals or needed_version(stream) > RUNNING:
            continue
        program = write_stream(stream, python)
        if refusal(program) is None:
            compiled += 1
            for version in (None, RUNNING):
                error = refused(stream, version=version)
                assert error is None, (error, program)
        else:
            broken += 1
            assert refused(stream, version=RUNNING) is not None, program
    assert compiled > 100 and broken > 50


def test_mutated_programs_are_refused_only_where_cpython_refuses() -> None:
    random = Random(0)
    sources = [case.python for case in cases() if case.is_readable and case.since <= (3, 8) and case.python.strip()]
    kept = caught = 0
    for _ in range(1_500):
        program = mutated(random.choice(sources), random)
        reader = PythonReader(Dialect.load(PYTHON))
        try:
            reader.read_all(program)
        except (StuckError, LexError):  # the reader refuses it: there is nothing to judge
            continue
        if needed_version(reader.stream) > RUNNING:
            continue
        error, found = refused(reader.stream, version=RUNNING), refusal(program)
        kept += error is None
        if error is not None:
            caught += 1
            assert found is not None, (error, program)
        else:
            assert found is None, (found, program)
    assert kept > 300 and caught > 20


@pytest.mark.quick
def test_rules_are_a_value() -> None:
    start = Rules()
    name = start.push(ID["NAME"], "a")
    called = name.push(ID["("], "(")
    keyword = called.push(ID["NAME"], "b").push(ID["KEYWORD_ASSIGN"], "=").push(ID["NUMBER"], "1").push(ID["ARGUMENT_SEP"], ",")
    assert keyword.refuses(ID["NUMBER"]) and not called.refuses(ID["NUMBER"])
    assert not start.refuses(ID["FUTURE_IMPORT"]) and name.refuses(ID["FUTURE_IMPORT"])
    assert name.may_end() and start.may_end()
    with pytest.raises(RuleError, match="positional argument follows keyword argument"):
        keyword.push(ID["STRING"], "'c'")
    assert not keyword.refuses(ID["NAME"])  # the failed step has changed nothing


def test_refuses_is_push_with_any_text() -> None:
    asked = 0
    for seed in range(25):
        walk = Walk(Dialect.load("classic"), Random(seed))
        for _ in range(40):
            for key in walk.reader.expected():
                name = walk.terminal_of(key)
                if name in ID and walk.reader.step(key)[0][2] is None:  # type: ignore[index]  # it is accepted
                    asked += 1
                    says = walk.rules.refuses(ID[name])
                    try:
                        walk.rules.push(ID[name], "")
                    except RuleError:
                        assert says or ID[name] in _DATA, name
                    else:
                        assert not says, name
            if walk.step(ending=False) is None:
                break
    assert asked > 10_000


@pytest.mark.quick
@pytest.mark.parametrize(("rule", "marked"), [(rule, text) for rule, texts in SIMPY_REFUSED.items() for text in texts])
def test_what_only_simpy_can_spell(rule: str, marked: str) -> None:
    classic = Dialect.load("classic")
    text = marked.replace(BAR, "")
    stream = located_stream(text, classic)
    error = refused(stream)
    assert error is not None and error.rule.name == rule
    assert text[error.offset :] == marked.partition(BAR)[2]
    assert refusal(write_stream(stream, Dialect.load(PYTHON))) is not None


@pytest.mark.quick
def test_comments_stand_in_brackets_only() -> None:
    operator = Rules().push(ID["NAME"], "a").push(ID["PLUS"], "+")
    in_lambda = Rules().push(ID["LAMBDA"]).push(ID["LAMBDA_COLON"])
    assert operator.refuses(ID["INNER_COMMENT"]) and in_lambda.refuses(ID["INNER_COMMENT"])
    assert not operator.push(ID["("]).refuses(ID["INNER_COMMENT"])
    for text in ("(a+<comment># b\nc)", "f(<comment># a\nb)", "<def_stmt>f a <comment># b\nc<block_start><pass><block_end>"):
        assert refused(read_stream(text, Dialect.load("classic"))) is None


@pytest.mark.quick
@pytest.mark.parametrize(
    ("program", "since"),
    [
        ("type A = int", (3, 12)),
        ("def f[A](): pass", (3, 12)),
        ("match a:\n    case 1: pass", (3, 10)),
        ("a[*b]", (3, 11)),
        ("try: pass\nexcept* A: pass", (3, 11)),
        ("f'{f'{a}'}'", (3, 12)),
        ("f'{b\"\\n\"}'", (3, 12)),
        ("t'{a}'", (3, 14)),
        ("try: pass\nexcept A, B: pass", (3, 14)),
        ("[*a for a in b]", (3, 15)),
        ("lazy import a", (3, 15)),
    ],
)
def test_a_version_refuses_newer_syntax(program: str, since: tuple[int, int]) -> None:
    stream = python_stream(program)
    assert refused(stream) is None
    assert refused(stream, version=since) is None
    error = refused(stream, version=(since[0], since[1] - 1))
    assert error is not None and error.rule.name == "version"
    assert needed_version(stream) == since


def test_the_table_names_terminals_that_exist() -> None:
    assert set(HANDLERS) <= {terminal.name for terminal in TERMINALS}


def test_sources_of_this_project_break_no_rule() -> None:
    for path in sorted((Path(__file__).parent.parent / "transpiler").glob("*.py")):
        assert refused(python_stream(path.read_text(encoding="utf-8")), version=RUNNING) is None, path


@given(st.lists(st.text("abc", max_size=3), max_size=80), st.text("abc", max_size=3))
def test_names_are_values(words: list[str], other: str) -> None:
    """Each of the names that grow out of one another holds what it held when it was made."""
    grown: list[Names | None] = [None]
    for word in words:
        grown.append(Names(word, grown[-1]))
    for count, names in enumerate(grown):
        assert list(names or ()) == words[:count][::-1]
        assert all(contains(names, word) == (word in words[:count]) for word in (*words, other))

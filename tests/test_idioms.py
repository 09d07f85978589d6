"""The study of idioms: what an idiom may stand for, and how it is written."""

from __future__ import annotations

import ast
import keyword
import re
import zlib
from pathlib import Path

import pytest

from benchmarks.aliases import by_gain
from benchmarks.idiom_mining import (
    ALIAS_HOLE,
    ANY_HOLE,
    END,
    Program,
    best_places,
    choose_idioms,
    frequent_idioms,
    instances,
    is_whole,
    parts_apart,
    rewritten,
    trie_of,
    with_ends,
)
from benchmarks.idioms import verdict
from simpy_grammar.aliases import ALIAS
from simpy_grammar.dialect import Dialect
from simpy_grammar.name_boundaries import name_parts
from simpy_grammar.terminals import BINARY, TERMINALS
from tokenizer_ext.costs import CostTable
from tokenizer_ext.learning.pieces import simpy_splitter

DENSE = Dialect.load("dense-aliases-64")
F_START = re.compile(r"(?:[fFtT][rR]?|[rR][fFtT])(\"\"\"|\'\'\'|\"|\')")
BRACKETS = {"(": ")", "[": "]", "{": "}"}
WORDS = frozenset("self len append".split())
SET = ("self", ".", "□1", "=", "□1", ";")
LEN = ("len", "(", "□1", ")")
CALL = (".", "◇1", "(")


def write(source: str, *idioms: tuple[str, ...]) -> str:
    """A program with some idioms, which are worth the more the earlier they are named."""
    program = Program(DENSE, source, WORDS)
    worth = {idiom: float(len(idioms) - i) for i, idiom in enumerate(idioms)}
    places = best_places([(instance, 1) for instance in instances(program, trie_of(idioms))], worth)
    tokens = {idiom: f"<i{i}>" for i, idiom in enumerate(idioms)}
    return "".join(text for _, text in rewritten(program, places, tokens))


@pytest.mark.parametrize(
    ("source", "idioms", "expected"),
    [
        ("self.x = x\nself.y = y\nz", [SET], "<i0>x<i0>y z"),
        ("self.x = y\nz", [SET], "self.x=y;z"),
        ("a = len(b)", [LEN], "a=<i0>b"),
        ("a = len(b.c(d)[e] + f)", [LEN], "a=<i0>b.c(d)[e]+f"),
        ("a = len(b) - 1", [LEN], "a=len(b)-1"),
        ("a = len(b)[0]", [LEN], "a=len(b)[0]"),
        ("a = len(len(b))", [LEN], "a=<i0><i0>b"),
        ("f(len(b), c)", [LEN], "f(<i0>b c)"),
        ("f(len('b'), 'c')", [("(", *LEN, ",", "□2", ")")], "f(len('b'),'c')"),
        ("mylen(b)", [LEN], "mylen(b)"),
        ("a.b(c)", [CALL], "a.b(c)"),
        ("a.long_name(c, a.long_name(d), long_name)", [CALL], "a.long_name<n0>(c a<i0><n0>d) <n0>)"),
        ("self.long_name = long_name\nlong_name(long_name)", [SET], "<i0>long_name<n0><n0>(<n0>)"),
        ("x if a else len(b)", [("□1", " if ")], "x if a else len(b)"),
    ],
)
def test_written(source: str, idioms: list[tuple[str, ...]], expected: str) -> None:
    assert write(source, *idioms) == expected


def test_an_idiom_that_is_worth_more_goes_first() -> None:
    assert write("self.x = len(y)", LEN, ("=", "len", "(")) == "self.x=<i0>y"
    assert write("self.x = len(y)", ("=", "len", "("), LEN) == "self.x<i0>y)"


def test_mining_finds_what_every_package_says() -> None:
    text = "class A:\n    def __init__(self, {0}, {1}):\n        self.{0} = {0}\n        self.{1} = {1}\n"
    sources = [text.format(*names) for names in ("pq", "rs", "tu", "vw")]
    programs = [(Program(DENSE, source, WORDS), group) for group, source in enumerate(sources)]
    idioms = frequent_idioms(programs, 3)
    assert {SET[:-1], SET} <= idioms.keys()
    found = [[(instance, len(instance.idiom)) for instance in instances(program, trie_of(idioms))] for program, _ in programs]
    assert all(map(is_whole, choose_idioms(programs, found, 2)))
    assert parts_apart(SET) == ([["self", "."], ["="], [";"]], 1)


def test_numbering_by_gain() -> None:
    splitter = by_gain(simpy_splitter(DENSE), CostTable(lambda texts: [len(text) for text in texts]), 64)
    texts = [text for _, text in splitter("first_name = second_name(first_name, first_name)\nsecond_name(second_name, second_name)")]
    assert "".join(texts) == "first_name<n1>=second_name<n0>(<n1> <n1>);<n0>(<n0> <n0>)"


class Reader:
    """Reads pieces with idioms back. A hole is the longest operand; where it is said to end is only compared."""

    goes_on = {".", "(", "[", " if "} | {text for row in TERMINALS if row.role == BINARY for text in DENSE.spellings.get(row.name, ())}
    before = {"-", "+", "~", "not ", "<await>", " else "}

    def __init__(self, pieces: list[tuple[str, str]], idioms: dict[str, tuple[str, ...]]) -> None:
        self.pieces, self.idioms, self.at = pieces, idioms, 0

    def all(self) -> list[str]:
        """All texts without idioms."""
        texts: list[str] = []
        while self.at < len(self.pieces):
            texts += self.one()
        return texts

    def one(self) -> list[str]:
        """The texts that the next piece stands for."""
        text = self.pieces[self.at][1]
        self.at += 1
        if text not in self.idioms:
            return [text]
        texts: list[str] = []
        holes: dict[str, list[str]] = {}
        for part in self.idioms[text]:
            if part[0] not in (ANY_HOLE, ALIAS_HOLE):
                texts.append(part)
            elif part in holes:
                texts += [re.sub(rf"\w+({ALIAS})", r"\1", "".join(holes[part]))]
            else:
                holes[part] = self.operand()
                texts += holes[part]
                assert self.pieces[self.at][1] == END
                self.at += 1
        return texts

    @staticmethod
    def outside(texts: list[str]) -> list[str]:
        """The texts outside brackets and f-strings, and "(" if one of them has not ended."""
        ends: list[str] = []
        found: list[str] = []
        for text in texts:
            start = F_START.fullmatch(text)
            if ends and text == ends[-1]:
                ends.pop()
            elif start or text in BRACKETS:
                ends.append(start[1] if start else BRACKETS[text])
            if not ends:
                found.append(text)
        return found + ["("] * bool(ends)

    def operand(self) -> list[str]:
        """The texts of the longest operand that begins here."""
        texts: list[str] = []
        while True:
            texts += self.one()
            outside = self.outside(texts)
            if outside[-1] in self.before | self.goes_on:
                continue
            follows = next((i for i in range(self.at, len(self.pieces)) if self.pieces[i][1] != END), None)
            after = self.pieces[follows][1] if follows is not None else ""
            text = self.idioms.get(after, (after,))[0]
            is_name = re.fullmatch(r"\w+", texts[-1]) and after not in self.idioms and re.fullmatch(rf"\w+|{ALIAS}", text)
            is_conditional = outside.count(" if ") > outside.count(" else ")
            if text in self.goes_on or (is_conditional and text == " else ") or (is_name and follows == self.at):
                continue
            return texts


@pytest.mark.parametrize("path", sorted(Path(__file__).parent.parent.glob("transpiler/*.py"))[:12], ids=lambda path: path.stem)
def test_what_is_written_can_be_read(path: Path) -> None:
    source = ast.unparse(ast.parse(path.read_text(encoding="utf-8")))
    program = Program(DENSE, source, frozenset(name_parts(" ".join(keyword.kwlist)) + ["self", "str", "len", "isinstance"]))
    idioms = frequent_idioms([(program, 0)], 3)
    tokens = {idiom: f"<i{i}>" for i, idiom in enumerate(idioms)}
    found = [(one, 1) for one in instances(program, trie_of(idioms))]
    places = best_places(found, {idiom: float(zlib.crc32("".join(idiom).encode())) for idiom in idioms})
    pieces = with_ends(program, places, tokens)
    assert len(places.saved) > 5
    assert "".join(Reader(pieces, {token: idiom for idiom, token in tokens.items()}).all()) == "".join(program.texts)


@pytest.mark.parametrize(("tokens", "says"), [(880, "is met"), (899, "is not met")])
def test_the_verdict_follows_the_figures(tokens: int, says: str) -> None:
    row = {"runs": 9, "tokens": 900, "splits": [{"tokens": tokens, "idioms": 4}, {"tokens": 905, "idioms": 8}]}
    data = {"arms": {"starcoder:dense": {"python": 1000, "budgets": {"1024": row}}}}
    assert says in "\n".join(verdict(data))
    assert f"{(900 - tokens) / 10:.1f} points on starcoder (bar: 1.5)" in verdict(data)[0]

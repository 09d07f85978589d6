"""Ways round what tree-sitter-python misreads although CPython reads it.

Nothing here runs on a source that tree-sitter reads. A repair is of two kinds. More blanks before lines inside brackets
mean the same program, so the encoder reads that text instead. A disguise changes bytes for the parser only, one for one,
while the encoder takes names and literals from the text; what a changed byte really is, is told as offset -> terminal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise
from keyword import kwlist

from tree_sitter import Node, Tree

# Strings, comments and backslashes with what follows them are skipped; the rest is what the repairs look at. The bytes of a
# string never matter to the parse.
_STRING = (
    rb'"""(?:[^"\\]|\\[\s\S]|"(?!""))*"""|'
    rb"'''(?:[^'\\]|\\[\s\S]|'(?!''))*'''|"
    rb'"(?:[^"\\\n]|\\[\s\S])*"|'
    rb"'(?:[^'\\\n]|\\[\s\S])*'"
)
_TOKEN = re.compile(
    rb"(?P<skip>" + _STRING + rb"|#[^\n]*|\\[\s\S])|(?P<open>[(\[{])|(?P<close>[)\]}])|(?P<line>\n)|(?P<equal>(?<![=!<>:+*/%@&|^-])=(?!=))"
    rb"|(?P<at>^[ \t]*@)|(?P<def>^[ \t]*(?:async[ \t]+)?def\b)|(?P<arrow>->)|(?P<colon>:(?=[ \t]*[^\s#]))|(?P<quote>[\"'])",
    re.MULTILINE,
)
_TYPE_PARAMETERS = re.compile(rb"\b(?:class|def|type)[ \t]+[^\W\d]\w*[ \t]*\[")
_STAR = re.compile(rb"\s*\*")
# A star that is no operator, before what tree-sitter does not take for its operand: a sign, await or a constant.
_STAR_BEFORE_SIGN = re.compile(
    rb"(?:(?<=[=,(\[{:;\n])|\breturn|\byield|\A)[ \t]*\*(?=(?:[\s\\]|#[^\n]*\n)*(?:[-+~]|(?:await|True|False|None)\b))"
)
# A name that is subscripted at the start of an annotation, which tree-sitter takes for a type that no operator may follow.
_ANNOTATION = re.compile(rb"(?:->|:)[ \t]*(?P<name>[A-Za-z_\x80-\xff][\w\x80-\xff]*)(?=[ \t]*\[)")
_KEYWORDS = frozenset(word.encode("ascii") for word in kwlist)
_FUTURE_STAR = re.compile(rb"\bfrom[ \t]+__future__[ \t]+import[ \t]*\*")


_WIDEST = 128  # columns that a line inside brackets is indented deeper at most: one wide line must not widen a whole file
_ASSIGNMENTS = ("assignment", "augmented_assignment")


class MisreadError(Exception):
    """tree-sitter has read a statement that starts with ``type`` or ``match`` as another one, or two statements as one."""


def repair(data: bytes, tree: Tree) -> tuple[bytes, bytes, dict[int, str]]:
    """The bytes to encode, the bytes to parse in their place, and the terminals that the changed ones stand for."""
    if not tree.root_node.has_error:
        return data, data, {}
    data = _respace(data)
    disguised = bytearray(data)
    replaced = dict(_defaults(disguised))
    for match in _STAR_BEFORE_SIGN.finditer(data):
        disguised[match.end() - 1] = ord("~")
        replaced[match.end() - 1] = "SPLAT"
    for match in _ANNOTATION.finditer(data):
        if match["name"] not in _KEYWORDS:
            disguised[match.start("name") : match.end("name")] = b"1" * len(match["name"])
    for match in _FUTURE_STAR.finditer(data):
        at = match.start() + match[0].index(b"__future__")
        disguised[at + 2 : at + 8] = b"FUTURE"
    return data, bytes(disguised), replaced


def _defaults(data: bytearray) -> Iterator[tuple[int, str]]:
    """Write ``[T = int]`` as ``[T | int]`` and the star of a default as a sign (PEP 696)."""
    before = bytes(data)
    starts = [match.end() for match in _TYPE_PARAMETERS.finditer(before)]
    known = frozenset(starts)
    done = 0
    for start in starts:
        if start <= done:
            continue  # inside brackets that have been read already
        depth = [True]  # for each open bracket, whether it holds type parameters
        for token in _TOKEN.finditer(before, start):
            done = token.end()
            if token["open"]:
                depth.append(done in known)
            elif token["close"]:
                depth.pop()
                if not depth:
                    break
            elif token["equal"] and depth[-1]:
                data[token.start()] = ord("|")
                yield token.start(), "TYPE_DEFAULT"
                star = _STAR.match(before, token.end())
                if star:
                    data[star.end() - 1] = ord("~")
                    yield star.end() - 1, "SPLAT"


def _respace(data: bytes) -> bytes:
    """Change the layout where the parser gets lost in it; the program stays the same.

    Lines inside brackets are indented deeper than any block, and a suite on the line of a header that has a return type
    gets a line of its own (``def f() -> None: a[0] = 1``). A comment between a decorator and its definition is indented
    as they are. Between the quotes of an f-string whose fields have several lines nothing is changed.
    """
    indents = (line[: len(line) - len(line.lstrip())] for line in data.split(b"\n"))
    blanks = b" " * min(max(len(indent) + 7 * indent.count(b"\t") for indent in indents), _WIDEST)
    out: list[bytes] = []
    depth = at = 0
    header: bytes | None = None  # the beginning of a function header, up to its colon
    typed = False
    decorator = b""  # the indent of a decorator whose definition is yet to come
    quoted = False
    for token in _TOKEN.finditer(data):
        if token["open"]:
            depth += 1
        elif token["close"]:
            depth = max(0, depth - 1)
        elif token["at"] and not depth:
            decorator = token["at"][:-1]
        elif token["skip"]:
            if decorator and not depth and token["skip"][:1] == b"#":
                line = data[data.rfind(b"\n", 0, token.start()) + 1 : token.start()]
                if not line.strip() and len(line) < len(decorator):
                    out += (data[at : token.start()], decorator[len(line) :])
                    at = token.start()
        elif token["quote"]:
            quoted = not quoted
        elif token["line"] and depth and not quoted:
            out += (data[at : token.end()], blanks)
            at = token.end()
        elif token["line"]:
            header, typed = None, False
        elif token["def"] and not depth:
            header, decorator = token["def"], b""
        elif token["arrow"] and header is not None and not depth:
            typed = True
        elif token["colon"] and header is not None and typed and not depth:
            out += (data[at : token.end()], b"\n", header[: len(header) - len(header.lstrip())], b" ")
            at = token.end()
            header, typed = None, False
    return b"".join((*out, data[at:]))


def reread(data: bytes, tree: Tree, replaced: dict[int, str]) -> bytes:
    """What to parse in place of a text with statements that were misread; the same text if no way round is known.

    ``type`` is renamed where it starts a statement that is no type alias, such as ``type(x).y = z``. Where two lines were
    read as one, as in ``a,`` before ``b = c``, a semicolon takes the place of the comma; ``replaced`` takes up the commas
    that it stands for. The subject of a match statement that has been read as an annotated subscript is written as a set,
    which cannot be one.
    """
    changed = bytearray(data)
    todo = [tree.root_node]
    while todo:
        node = todo.pop()
        if node.type == "type_alias_statement" and misread_alias(node):
            changed[node.start_byte : node.start_byte + 4] = b"tipe"
        elif node.type in _ASSIGNMENTS and node.children and node.children[0].type == "pattern_list":
            for comma, is_only in commas_of_lines(node.children[0]):
                changed[comma.start_byte] = ord(";")
                if is_only:
                    replaced[comma.start_byte] = "COMMA"
        elif node.type == "expression_statement":
            subscript = misread_match(node)
            for bracket in subscript.children if subscript is not None else ():
                if bracket.type in ("[", "]"):
                    replaced[bracket.start_byte] = bracket.type
                    changed[bracket.start_byte] = ord("{" if bracket.type == "[" else "}")
        todo.extend(node.children)
    return bytes(changed)


def commas_of_lines(targets: Node) -> list[tuple[Node, bool]]:
    """The commas that end a line, and whether each is the only one there: what follows belongs to another statement."""
    found = []
    commas: list[Node] = []  # of the line so far
    for before, after in pairwise(targets.children):
        if before.type == ",":
            commas.append(before)
        if commas and before.end_point[0] != after.start_point[0]:
            found.append((commas[-1], len(commas) == 1))
            commas = []
    return found


def misread_alias(node: Node) -> bool:
    """Whether a type alias statement is none: what it defines is no name."""
    children = node.children
    if len(children) < 2 or not children[1].children:
        return True
    left = children[1].children[0]
    while left.type == "generic_type" and left.children:
        left = left.children[0]
    return left.type != "identifier" or len(children[1].children) != 1


def misread_match(node: Node) -> Node | None:
    """The list that is the subject of a match statement, if that was read as an annotation, as in ``match [a]:``.

    An annotation stands on the line of its colon; the first case does not.
    """
    children = node.children[0].children
    colon = next((i for i, child in enumerate(children) if child.type == ":"), None)
    if colon is None:
        return None
    after = next(child for child in children[colon + 1 :] if child.type != "comment")
    if after.type == "line_continuation" or after.start_point[0] == children[colon].start_point[0]:
        return None
    left = children[0]
    while left.children and left.children[0].type != "identifier":
        left = left.children[0]
    return left if left.type == "subscript" else None


def first_error(tree: Tree) -> int:
    """Byte offset of the first node in document order that tree-sitter could not read."""
    node = tree.root_node
    while True:
        if node.is_error or node.is_missing:
            return node.start_byte
        below = next((child for child in node.children if child.has_error or child.is_missing), None)
        if below is None:
            return node.start_byte
        node = below

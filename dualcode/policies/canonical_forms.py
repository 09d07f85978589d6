"""The canonical form of a beginning of Python: two texts share it only if the same words go on with both in the same way.

Whole statements are said by CPython's tree. The statement in which the text breaks off is said by its tokens: blanks, line breaks,
spelling of literals, trailing commas and parentheses that change nothing do not matter. How the text ends does: inside a word, a
string or a comment, after a blank, in which block. A text that is not read as Python is its own form.
"""

from __future__ import annotations

import _ast
import keyword
import sys
from dataclasses import dataclass
from functools import cache, cached_property

from dualcode.policies.python_lines import COMPOUND, LACKS, LAYOUT, Line, NotPythonError, PythonLines, Token, tokens_of
from simpy_grammar.errors import SimPyError
from transpiler import completion, encode_beginning
from transpiler.proof import parse_tree

_PLACEHOLDER = "simpy_cut"
_OUTER = "if 1:\n"
_WORDS = frozenset(keyword.kwlist) - {"None", "True", "False"}
_SOFT = frozenset(("match", "case", "type", "print"))
_FIRST = COMPOUND | {"match", "case"}  # what begins statements that may not stand after a semicolon
_SETTLED = frozenset("([{,;~)]}")
_MOST_PARENTHESES = 24
_BEFORE = {
    **dict.fromkeys(("elif", "else"), "if 1: pass\n"),
    **dict.fromkeys(("except", "finally"), "try: pass\n"),
    "case": "match 1:\n ",
}  # what a clause stands after


@dataclass(frozen=True)
class Canonical:
    """A beginning of Python, canonically.

    Attributes:
        form: the text that stands for it.
        lines: how it was read; ``None`` if it was not.
        offset: where the text begins in ``lines.text``, which has a header before text that is indented as a whole.
    """

    form: str
    lines: PythonLines | None = None
    offset: int = 0

    @cached_property
    def ends_blank(self) -> bool:
        """Whether it ends with a blank or a line break."""
        return self.lines is not None and self.lines.text[-1:] in (" ", "\t", "\n")


def canonical(text: str, *, comments: bool = True, whole: bool = False) -> Canonical:
    """The canonical form of a beginning of Python, or of a whole program.

    Args:
        text: it, cut off anywhere.
        comments: whether comments matter.
        whole: nothing goes on with it, so that it does not matter which blocks its last line is in.

    >>> canonical("x = (a,\\n  'b')\\ny = f(").form == canonical('x=a,"b"\\ny = f( ').form
    True
    >>> canonical("ret").form == canonical("ret ").form
    False
    """
    eol = "\r\n" if "\r\n" in text else "\n"
    try:
        lines, outer = read_lines(text)
        said = _Form(lines, comments, whole).said()
    except (NotPythonError, SimPyError, SyntaxError, RecursionError, ValueError):
        return Canonical(repr(("text", text)))
    return Canonical(repr(("python", sys.version_info[:2], eol, outer, *said)), lines, len(outer))


def read_lines(text: str) -> tuple[PythonLines, str]:
    """The lines of a text, and the header that they have before it where it is indented as a whole.

    Raises:
        NotPythonError: it is not read.
    """
    if _PLACEHOLDER in text or LACKS in text or ("\r\n" in text and text.count("\n") != text.count("\r\n")):
        raise NotPythonError
    plain = text.replace("\r\n", "\n")
    first = next((line for line in plain.split("\n") if line.strip() and not line.lstrip().startswith("#")), "")
    outer = _OUTER if first[:1] in (" ", "\t") else ""
    return PythonLines(outer + plain), outer


def suffix_form(text: str) -> str:
    """What comes after a gap, canonically but for its blocks: the tokens of it; the text itself if they cannot be told.

    >>> suffix_form("  b)\\n  c = 'd'\\n") == suffix_form(" b)\\n    c=\\"d\\"\\n")
    True
    """
    try:
        tokens = list(tokens_of(text))
        if any(token.kind in ("bad", "open") for token in tokens):
            return repr(("text", text))
        glued = bool(tokens) and tokens[0].kind in ("name", "number", "string")
        return repr((glued, _words([token for token in tokens if token.kind not in LAYOUT], ends=False)))
    except (SyntaxError, ValueError):
        return repr(("text", text))


class _Form:
    """Makes the canonical form of lines."""

    def __init__(self, lines: PythonLines, comments: bool, is_whole: bool) -> None:
        self._lines = lines
        self._comments = comments
        self._is_whole = is_whole

    def said(self) -> tuple[object, ...]:
        """What the lines say.

        Raises:
            NotPythonError, SyntaxError, RecursionError, ValueError: they are not the beginning of a program.
        """
        lines = self._lines
        if lines.is_open:
            line = lines.lines[-1]
            at, tail = line.start, line.code
            blocks, depth, joined = lines.before, line.depth, False
            cut = _last_separator(line)
            if cut is not None:
                at, tail, blocks, joined = tail[cut].start + 1, tail[cut + 1 :], lines.blocks, True
            whole = lines.text[:at] + ("\n" if joined else "")
            end: tuple[object, ...] = self._end_of_code(line, tail, joined)
            words = self._tail(tail, glued=not _is_apart(line))
        else:
            whole, blocks = lines.text[: len(lines.text) - len(lines.rest)], lines.blocks
            words = []
            depth, end = self._end_between_lines()
        tree = parse_tree(whole + blocks.closed())
        if tree is None:
            raise NotPythonError
        if self._is_whole and end == ("line", False):
            return dumped(tree), "", 0, end, words, self._said_comments()
        ambiguous = not lines.is_open or len(words) < 2 or words[0] in ("else", "elif")
        chains = _chains(tree, whole, depth if not ambiguous else sys.maxsize)
        return dumped(tree), chains, depth, end, words, self._said_comments()

    def _end_of_code(self, line: Line, tail: list[Token], joined: bool) -> tuple[object, ...]:
        """How a line ends that breaks off."""
        apart = _is_apart(line)
        first = tail[0].text if tail else ""
        grows = len(tail) == 1 and not apart and tail[0].kind == "name"  # the first word may become another one
        named = len(tail) > 1 and first in _SOFT and tail[1].text == "="
        starts_anything = not tail or (first in _FIRST and not named) or (grows and any(word.startswith(first) for word in _FIRST))
        last = line.tokens[-1]
        comment = last.text if last.kind == "comment" else None
        glued = not apart and bool(tail) and tail[-1].text not in _SETTLED and tail[-1].kind not in ("string", "open")
        return ("code", joined and starts_anything, glued, comment)

    def _end_between_lines(self) -> tuple[int, tuple[object, ...]]:
        """How a text ends where no statement has begun: in how many blocks, and how."""
        lines = self._lines
        blocks, indent = lines.blocks, lines.begun_indent
        if lines.is_comment:
            return len(blocks.indents), ("comment", lines.rest, bool(blocks.awaits))
        if indent is None:
            return len(blocks.indents), ("line", bool(blocks.awaits))
        return blocks.level(indent), ("indent",)

    def _said_comments(self) -> list[tuple[int, int, str]]:
        lines = self._lines
        if not self._comments:
            return []
        found = [(comment.atoms, comment.depth, comment.text) for comment in lines.comments]
        ended = "\n" in lines.text[lines.comments[-1].start :] if found else True
        return found if ended else found[:-1]  # of one that has not ended, its raw text is said

    def _tail(self, tail: list[Token], glued: bool) -> list[str]:
        """The words of a statement that breaks off."""
        if not tail:
            return []
        begun = _BEFORE.get(tail[0].text, "") + self._lines.text[tail[0].start :]
        if encode_beginning(begun).error is not None:
            raise NotPythonError
        tail = _without_commas(tail)
        if sys.version_info >= (3, 12) and any(token.kind in ("string", "open") and _has_fields(token.text) for token in tail):
            return [repr((token.kind, token.text)) for token in tail]  # the ends of such strings need a grammar
        return _words(_without_parentheses(tail), ends=glued)


def _is_apart(line: Line) -> bool:
    return line.tokens[-1].kind in ("space", "break", "joint", "comment")


def _last_separator(line: Line) -> int | None:
    """The index in ``line.code`` of the last semicolon between simple statements that stand in no block of the line itself."""
    if line.word in COMPOUND:
        return None
    depth, found = 0, None
    for index, token in enumerate(line.code):
        if token.kind != "sign":
            continue
        depth += (token.text in "([{") - (token.text in ")]}")
        if token.text == ";" and not depth:
            found = index
    return found


def _words(tokens: list[Token], ends: bool) -> list[str]:
    """Tokens, literals by their value; with ``ends`` the last one may become longer."""
    words: list[str] = []
    index = 0
    while index < len(tokens):
        kind, text, _ = tokens[index]
        last = index == len(tokens) - 1
        run = index + 1
        if kind == "string":
            while run < len(tokens) and tokens[run].kind == "string":
                run += 1
            end = tokens[run - 1].text
            if run == len(tokens) and ends and end[-2:] in ("''", '""') and not end.endswith(("'''", '"""')):
                words.append(repr([token.text for token in tokens[index:run]]))  # it may become one over several lines
            else:
                words.append(_value(" ".join(token.text for token in tokens[index:run])))
        elif kind == "number" and not (last and ends):
            words.append(_value(text))
        elif kind in ("open", "number"):
            words.append(repr((kind, text)))
        else:
            words.append(text)
        index = run
    return words


def _value(literal: str) -> str:
    tree = parse_tree(f"({literal})")
    if tree is None:
        raise NotPythonError
    return dumped(tree)


def dumped(tree: _ast.AST) -> str:
    """The whole of a tree but the places in the text, as a text.

    >>> import ast
    >>> dumped(ast.parse("u'a'")) == dumped(ast.parse('("a")')), dumped(ast.parse("1")) == dumped(ast.parse("1.0"))
    (True, False)
    """
    out: list[str] = []
    _dump(tree, out)
    return "".join(out)


def _dump(node: _ast.AST, out: list[str]) -> None:
    """What ``ast.dump`` does, several times faster: it says the class, then each field and a comma."""
    kind = type(node)
    out.append(kind.__name__ + "(")
    for name in _said_fields(kind._fields):
        value = getattr(node, name, None)
        if isinstance(value, _ast.AST):
            _dump(value, out)
        elif isinstance(value, list):
            out.append("[")
            for item in value:
                if isinstance(item, _ast.AST):
                    _dump(item, out)
                else:
                    out.append(repr(item))
                out.append(",")
            out.append("]")
        else:
            out.append(repr(value))
        out.append(",")
    out.append(")")


@cache
def _said_fields(fields: tuple[str, ...]) -> tuple[str, ...]:
    """The fields of a node but how a string was spelled, and whether a name is read or written, which its place says."""
    return tuple(name for name in fields if name not in ("kind", "ctx"))


def _chains(tree: _ast.AST, text: str, depth: int) -> str:
    """For each ``if`` at the end of a program that is in fewer blocks: whether its ``else`` is an ``elif``, which the tree does not say."""
    found, level = "", 0
    rows = text.split("\n")
    node: _ast.AST = tree
    while level < depth:
        block = next((part for part in _blocks(node) if part), None)
        if not block:
            break
        node = block[-1]
        if isinstance(node, _ast.If) and len(node.orelse) == 1 and isinstance(node.orelse[0], _ast.If):
            inner = node.orelse[0]
            row = rows[inner.lineno - 1] if inner.lineno <= len(rows) else ""
            is_elif = row.encode()[inner.col_offset : inner.col_offset + 4] == b"elif"
            found += "e" if is_elif else "i"
            level -= is_elif
        level += 1
    return found


def _blocks(node: _ast.AST) -> list[list[_ast.AST]]:
    """The blocks of a statement, the last one first."""
    handlers = getattr(node, "handlers", None) or getattr(node, "cases", None)
    return [
        getattr(node, "finalbody", None) or [],
        getattr(node, "orelse", None) or [] if not isinstance(node, _ast.IfExp) else [],
        list(handlers[-1].body) if handlers else [],
        getattr(node, "body", None) or [] if isinstance(getattr(node, "body", None), list) else [],
    ]


def _has_fields(text: str) -> bool:
    prefix = text[: min((text.find(quote) for quote in "'\"" if quote in text), default=0)].lower()
    return ("f" in prefix or "t" in prefix) and "{" in text


def _is_call(tokens: list[Token], index: int) -> bool:
    """Whether a bracket belongs to what stands before it: it calls, indexes or declares."""
    if not index:
        return False
    kind, text, _ = tokens[index - 1]
    if kind == "name":
        return text not in _WORDS and not (index == 1 and text in _SOFT)
    return kind in ("string", "number") or text in (")", "]", "}")


def _without_commas(tokens: list[Token]) -> list[Token]:
    """Tokens without the commas before closing brackets that change nothing."""
    dropped: set[int] = set()
    stack: list[tuple[int, int]] = []  # where a bracket opens, and how many commas it holds
    lambdas = [0]  # in each bracket, how many lambdas wait for their colon
    for index, token in enumerate(tokens):
        lambdas[-1] += token.text == "lambda"
        if token.kind != "sign":
            continue
        if token.text == ":" and lambdas[-1]:
            lambdas[-1] -= 1
            if tokens[index - 1].text == ",":
                dropped.add(index - 1)
        if token.text in ("(", "[", "{"):
            lambdas.append(0)
        elif token.text in (")", "]", "}"):
            lambdas.pop()
        if token.text in ("(", "[", "{"):
            stack.append((index, 0))
        elif token.text == "," and stack:
            stack[-1] = stack[-1][0], stack[-1][1] + 1
        elif token.text in (")", "]", "}"):
            start, commas = stack.pop()
            sign, called = tokens[start].text, _is_call(tokens, start)
            makes_tuple = commas == 1 and (called and tokens[start + 1].text != "*" if sign == "[" else sign == "(" and not called)
            if tokens[index - 1].text == "," and tokens[index - 1].kind == "sign" and not makes_tuple:
                dropped.add(index - 1)
    return [token for index, token in enumerate(tokens) if index not in dropped]


def _without_parentheses(tokens: list[Token]) -> list[Token]:
    """Tokens without the pairs of parentheses that change nothing whatever follows: something of the statement stands after them."""
    pairs, stack = [], []
    for index, token in enumerate(tokens):
        if token.kind == "sign" and token.text in ("(", "[", "{"):
            stack.append(index)
        elif token.kind == "sign" and token.text in (")", "]", "}"):
            start = stack.pop()
            if token.text == ")" and not _is_call(tokens, start) and index < len(tokens) - 1:
                pairs.append((start, index))
    if not pairs or len(pairs) > _MOST_PARENTHESES:
        return tokens
    said = _completed(tokens)
    dropped: set[int] = set()
    if said is None:
        return tokens
    for pair in pairs:
        tried = dropped | set(pair)
        if _completed([token for index, token in enumerate(tokens) if index not in tried]) == said:
            dropped = tried
    return [token for index, token in enumerate(tokens) if index not in dropped]


def _completed(tokens: list[Token]) -> str | None:
    """The tree of a statement that begins with some tokens, and adds as little as possible."""
    text = _BEFORE.get(tokens[0].text, "") + " ".join(token.text for token in tokens) if tokens else ""
    try:
        tree = parse_tree(text + completion(text + " ") + "\n")
        return None if tree is None else dumped(tree)
    except (SyntaxError, SimPyError, RecursionError, ValueError):
        return None

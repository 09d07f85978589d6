"""Python to SimPy: one walk over the tree-sitter tree, in the order of the text, driven by the context table.

The walk knows the shape of no construct; ``transpiler.contexts`` does. What is here is what a table cannot say: where
statements need a separator, how blocks open and close, which commas are redundant, and where comments go.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Any

import tree_sitter_python
from tree_sitter import Language, Node, Parser, Tree

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError, UnsupportedSyntaxError, locate
from transpiler.contexts import CHILDREN, DROP, ROWS, TEXT, Entry, Hook, Row
from transpiler.repair import MisreadError, misread_alias

LANGUAGE = Language(tree_sitter_python.language())
_KINDS = [LANGUAGE.node_kind_for_id(i) or "" for i in range(LANGUAGE.node_kind_count)]
_COMMA, _COMMENT = (LANGUAGE.id_for_node_kind(kind, named) for kind, named in ((",", False), ("comment", True)))
_ERROR = 65535
# Names that a token and a node share: an entry of a row that is a terminal means the token, any other the node.
_TOKENS_AND_NODES = frozenset(("lambda", "await", "yield", "type"))

_CLOSING = frozenset(")]}'\"")
_OPENING = frozenset("([{'\"")


class Separator:
    """A separator of two spellings: the second stands between a closing and an opening bracket or quote."""

    __slots__ = ("apart", "tight")

    def __init__(self, apart: str, tight: str) -> None:
        self.apart = apart
        self.tight = tight


# An entry of a compiled row: text to append, a row to walk with, None to drop, True for source text, or a hook.
Compiled = Any
Children = Iterable[Node]
Entered = Any  # tuple[Children, Row, Callable[[], None] | None] | None: what to walk, with which row, and what to do after


def parse(source: bytes) -> Tree:
    """The tree-sitter tree of some UTF-8 text."""
    return Parser(LANGUAGE).parse(source)


class Rows(dict[str, "_Row"]):
    """The context table with the spellings of a dialect in it; rows and their entries are made when first asked for.

    With ``limited`` every entry is a hook that stops the walk at the encoder's limit.
    """

    def __init__(self, spell: dict[str, Any], limited: bool) -> None:
        self.spell = spell
        self.limited = limited

    def __missing__(self, name: str) -> _Row:
        row = ROWS.get(name.removeprefix("one "), {})
        if name.startswith("one "):  # a sequence of one element and a comma: that comma stays
            row = {**row, ",": "COMMA"}
        made = self[name] = _Row(self, row)
        return made

    def entry(self, row: dict[str, Entry], i: int) -> Compiled:
        """The compiled entry of a child with a kind id, in a row of the table."""
        if i == _ERROR:
            return Encoder.error
        kind = _KINDS[i]
        value: Entry | None = row.get(kind)
        if value is None or (kind in _TOKENS_AND_NODES and isinstance(value, str) == LANGUAGE.node_kind_is_named(i)):
            value = CHILDREN.get(kind)
        if value is None:
            return self[kind] if LANGUAGE.node_kind_is_named(i) else Encoder.error
        if isinstance(value, Row):
            return self[value.name]
        if isinstance(value, Hook):
            hook = getattr(Encoder, value.name)
            # A block may begin with the limit: whether it is open there depends on the colon before it.
            return _until_limit(hook) if self.limited and not value.name.endswith("block") else hook
        if value == TEXT:
            return Encoder.limited_text if self.limited else True
        if value == DROP:
            return None
        return _limited_token(self.spell[value]) if self.limited else self.spell[value]


class _Row(dict[int, Compiled]):
    """Kind id of a child -> what to do with it."""

    def __init__(self, rows: Rows, row: dict[str, Entry]) -> None:
        self.rows = rows
        self.row = row

    def __missing__(self, i: int) -> Compiled:
        made = self[i] = self.rows.entry(self.row, i)
        return made


@lru_cache(maxsize=64)
def _rows(digest: str, limited: bool) -> Rows:
    return Rows(_spellings(_dialects[digest]), limited)


def _until_limit(hook: Callable[[Encoder, Node], Entered]) -> Callable[[Encoder, Node], Entered]:
    def limited(encoder: Encoder, node: Node) -> Entered:
        if node.start_byte >= encoder.limit:
            raise LimitReachedError
        return hook(encoder, node)

    return limited


def _limited_token(spelling: Any) -> Callable[[Encoder, Node], Entered]:
    def limited(encoder: Encoder, node: Node) -> Entered:
        encoder.out.append(spelling)
        return None

    return _until_limit(limited)


class LimitReachedError(Exception):
    """The walk has come to the end of what was to be encoded."""


_dialects: dict[str, Dialect] = {}


def _spellings(dialect: Dialect) -> dict[str, Any]:
    spell: dict[str, Any] = {text: text for text in "()[]{}*/"}
    for name, texts in dialect.spellings.items():
        spell[name] = texts[0] if len(texts) == 1 else Separator(*texts)
    spell["NUMBER_DOT"] = " ."
    return spell


class _End:
    """A block end at the tail of the output: what a comment that belongs before it must know."""

    __slots__ = ("column", "only_pass", "start", "was_open")

    def __init__(self, column: int, was_open: bool, only_pass: bool, start: str) -> None:
        self.column = column
        self.was_open = was_open
        self.only_pass = only_pass
        self.start = start


class Encoder:
    """One walk over one tree.

    Args:
        source: UTF-8 text that the tree was made of, seen as Latin-1, so that byte offsets are character offsets.
        dialect: how to spell what is found.
        replaced: byte offset -> terminal, for the tokens that a repair has disguised.
        limit: stop before what starts at this byte offset, and leave the blocks that are open there open.
    """

    def __init__(self, source: str, dialect: Dialect, replaced: dict[int, str] | None = None, limit: int | None = None) -> None:
        self.source = source
        self.dialect = dialect
        self.replaced = replaced or {}
        self.limit = sys.maxsize if limit is None else limit
        _dialects[dialect.digest] = dialect
        self.rows = _rows(dialect.digest, limit is not None)
        self.spell = self.rows.spell
        self.out: list[Any] = []
        self.open = False  # the last statement is simple: an expression statement after it needs a separator
        self.ends: list[_End] = []  # block ends at the tail of the output
        self.ends_length = -1  # length of the output when that tail was complete
        self.start_at = -1  # index of a block start whose spelling the first statement of the block decides
        self.start_kind = "header"
        self.pass_at = -1  # index of a pass that may be the only statement of its block
        self.first_comments: list[str] = []  # whole-line comments between a header and the first statement of its block
        self.held: list[str] = []  # comments inside brackets that wait for a place
        self.frames: list[list[Any]] = []  # [iterator, children, row, exit] of each node being walked

    # -------------------------------------------------------------------------------------------------------- walk

    def encode(self, root: Node) -> str:
        """Encode a whole module."""
        self.walk(_drain(root.children), self.rows["module"])
        self._finish_ends()
        return "".join(self._spaced())

    def walk(self, children: Children, row: _Row, exit_: Callable[[], None] | None = None) -> None:
        """Walk some nodes and all below them."""
        append = self.out.append
        source = self.source
        replaced = self.replaced
        frames = self.frames
        base = len(frames)
        iterator = iter(children)
        frames.append([iterator, children, row, exit_])
        while True:
            for node in iterator:
                entry = row[node.kind_id]
                kind = entry.__class__
                if kind is str:
                    if replaced and node.start_byte in replaced:
                        append(self.spell[replaced[node.start_byte]])
                    else:
                        append(entry)
                elif entry is True:
                    append(source[node.start_byte : node.end_byte])
                elif entry is None:
                    pass
                elif kind is _Row:
                    children = node.children
                    iterator = iter(children)
                    row = entry
                    frames.append([iterator, children, row, None])
                    break
                elif kind is Separator:
                    append(entry)
                else:
                    entered = entry(self, node)
                    if entered is not None:
                        children, row, exit_ = entered
                        iterator = iter(children)
                        frames.append([iterator, children, row, exit_])
                        break
            else:
                done = frames.pop()[3]
                if done is not None:
                    done()
                if len(frames) == base:
                    return
                iterator, children, row, _ = frames[-1]

    def encode_open(self, root: Node) -> str:
        """Encode a module up to the limit, without the ends of the blocks that are open there."""
        try:
            self.walk(root.children, self.rows["module"])
        except LimitReachedError:
            pass
        if self.ends_length == len(self.out):
            del self.out[len(self.out) - len(self.ends) :]
        if self.start_at >= 0 and self.start_at == len(self.out) - 1:
            self._begin_open()
        return "".join(self._spaced())

    def _begin_open(self) -> None:
        """A block whose first statement is yet to come: its start is written if that statement cannot change it."""
        if self.first_comments:
            self._begin("comment")
        else:
            starts = {self.spell[name] for name in ("BLOCK_START", "KEYWORD_BLOCK_START")}
            self.out[-1] = starts.pop() if len(starts) == 1 else ""

    def limited_text(self, node: Node) -> Entered:
        """A leaf of data, up to the limit."""
        self._data(node.start_byte, node.end_byte)
        return None

    def _data(self, start: int, end: int) -> None:
        """Write source text, up to the limit."""
        if start < self.limit:
            self.out.append(self.source[start : min(end, self.limit)])
        if end > self.limit or start >= self.limit:
            raise LimitReachedError

    def _spaced(self) -> list[str]:
        """The output with the separators of two spellings decided by their neighbours."""
        out = self.out
        for i, piece in enumerate(out):
            if piece.__class__ is Separator:
                before = out[i - 1][-1:]
                after = out[i + 1] if i + 1 < len(out) else ""
                tight = before in _CLOSING and after.__class__ is str and after[:1] in _OPENING
                out[i] = piece.tight if tight else piece.apart
        return out

    def text(self, node: Node) -> str:
        """The source text of a node."""
        return self.source[node.start_byte : node.end_byte]

    def error(self, node: Node) -> Entered:
        """A node that the grammar has no rule for."""
        raise self._error_at(node, UnsupportedSyntaxError, f"{_KINDS[node.kind_id]!r} is unknown to the grammar")

    def python2(self, node: Node) -> Entered:
        """A statement of Python 2; ``print >> f`` alone is an expression of Python 3, too."""
        children = node.children
        if _KINDS[node.kind_id] == "print_statement" and _KINDS[children[1].kind_id] == "chevron":
            return self.expression_statement(node)
        raise self._error_at(node, PythonSyntaxError, "a statement of Python 2")

    def _error_at(self, node: Node, kind: type[SimPyError], message: str) -> SimPyError:
        before = self.source[: node.start_byte].encode("latin-1").decode("utf-8", "replace")
        text = self.source.encode("latin-1").decode("utf-8", "replace")
        line, column, source_line = locate(text, len(before))
        return kind(message, line=line, column=column, source_line=source_line)

    # -------------------------------------------------------------------------------------------------- statements

    def _begin(self, what: str) -> None:
        """Stand where a statement begins: open the block it is first in, or separate it from the one before."""
        if self.start_at == len(self.out) - 1 and self.start_at >= 0:
            self._open_block("comment" if self.first_comments else what)
            for comment in self.first_comments:
                self.out.append(comment)
            self.first_comments = []
        elif self.open and what != "keyword":
            self.out.append(self.spell["LINE_SEP"])
        self.open = False

    def _open_block(self, first: str) -> None:
        kind = self.start_kind
        if kind == "header":
            name = "KEYWORD_BLOCK_START" if first == "keyword" else "BLOCK_START"
        elif kind == "bare":
            name = "EXPLICIT_BLOCK_START" if first == "comment" else "BARE_BLOCK_START"
        elif kind == "except":
            name = "EXPLICIT_BLOCK_START"
        else:
            name = "BLOCK_START" if first == "comment" else "MATCH_BLOCK_START"
        self.out[self.start_at] = self.spell[name]
        self.start_at = -1

    def simple_statement(self, node: Node) -> Entered:
        """A statement that starts with a keyword."""
        alone = self.start_at == len(self.out) - 1 and self.start_at >= 0 and not self.first_comments
        self._begin("keyword")
        if alone and _KINDS[node.kind_id] == "pass_statement":
            self.pass_at = len(self.out)
        self.open = True
        kind = _KINDS[node.kind_id]
        if kind in ("import_from_statement", "future_import_statement"):
            return self._imports(node, kind)
        if kind == "type_alias_statement":
            return self._type_alias(node)
        return node.children, self.rows[kind], None

    def _imports(self, node: Node, kind: str) -> Entered:
        children = node.children
        commented = "#" in self.text(node)
        kept = []
        for i, child in enumerate(children):
            type_ = _KINDS[child.kind_id]
            if type_ in "()" and not commented:
                continue
            if type_ == "," and all(_KINDS[c.kind_id] in (")", "comment") for c in children[i + 1 :]):
                continue
            kept.append(child)
        return kept, self.rows[kind], None

    def _type_alias(self, node: Node) -> Entered:
        if misread_alias(node):
            raise MisreadError
        self.out.append(self.spell["TYPE_ALIAS"])
        keyword, left, *rest = node.children
        self.walk(left.children, self.rows["type_alias_left"])
        return rest, self.rows["type_alias_statement"], None

    def type_alias_part(self, node: Node) -> Entered:
        """A type of a type alias: the keyword is written already, the right side is an ordinary type."""
        return (node.children, self.rows["type"], None) if node.is_named else None

    def expression_statement(self, node: Node) -> Entered:
        """A statement that starts with an expression."""
        self._begin("other")
        self.open = True
        children = node.children
        kind = _KINDS[node.kind_id]
        if children[-1].kind_id == _COMMA:
            if len(children) == 2:
                return children, self.rows[f"one {kind}"], None
            children = children[:-1]
        return children, self.rows[kind], None

    def delete_list(self, node: Node) -> Entered:
        """The targets of ``del``: a trailing comma makes no tuple."""
        children = node.children
        if children[-1].kind_id == _COMMA:
            children = children[:-1]
        return children, self.rows["expression_list"], None

    def compound_statement(self, node: Node) -> Entered:
        """A statement with blocks."""
        self._begin("keyword")
        kind = _KINDS[node.kind_id]
        return self._match(node) if kind == "match_statement" else (node.children, self.rows[kind], None)

    def _match(self, node: Node) -> Entered:
        children = node.children
        colon = next(i for i, child in enumerate(children) if _KINDS[child.kind_id] == ":")
        if children[colon - 1].kind_id == _COMMA:
            if colon == 3:
                return children, self.rows["one match_statement"], None
            children = children[: colon - 1] + children[colon:]
        return children, self.rows["match_statement"], None

    def decorated_definition(self, node: Node) -> Entered:
        """Decorators and a definition."""
        self._begin("other")
        return node.children, self.rows["decorated_definition"], None

    def decorator(self, node: Node) -> Entered:
        """One decorator."""
        if self.open:
            self.out.append(self.spell["LINE_SEP"])
        self.open = True
        return [child for child in node.children if child.kind_id != _COMMENT], self.rows["decorator"], self._decorator_end(node)

    def _decorator_end(self, node: Node) -> Callable[[], None] | None:
        comments = [child for child in node.children if child.kind_id == _COMMENT]
        if not comments:
            return None

        def end() -> None:
            for comment in comments:
                self.line_comment(comment)

        return end

    # ------------------------------------------------------------------------------------------------------ blocks

    def block(self, node: Node) -> Entered:
        """The block of a header."""
        return self._block(node, "header")

    def bare_block(self, node: Node) -> Entered:
        """The block of else, try or finally."""
        return self._block(node, "bare")

    def except_block(self, node: Node) -> Entered:
        """The block of a bare except."""
        return self._block(node, "except")

    def match_block(self, node: Node) -> Entered:
        """The cases of a match statement."""
        return self._block(node, "match", "match_block", "MATCH_BLOCK_END")

    def _block(self, node: Node, kind: str, row: str = "block", end: str = "BLOCK_END") -> Entered:
        if node.start_byte >= self.limit:
            self._check_colon(node)
        children = node.children
        column = children[0].start_point[1] if children else 0
        self.start_at = len(self.out)
        self.start_kind = kind
        self.pass_at = -1
        self.open = False
        self.out.append("")

        def close() -> None:
            only_pass = self._close_only_pass(kind)
            self._append_end(_End(column, self.open, only_pass, kind), end)
            self.open = False

        return _drain(children), self.rows[row], close

    def _check_colon(self, node: Node) -> None:
        """Stop unless the colon before a block comes before the limit."""
        before = node.prev_sibling
        while before is not None and before.kind_id == _COMMENT:
            before = before.prev_sibling
        if before is None or before.start_byte >= self.limit:
            raise LimitReachedError

    def _close_only_pass(self, kind: str) -> bool:
        at = self.pass_at
        self.pass_at = -1
        if at < 0 or at != len(self.out) - 1 or "ONLY_PASS" not in self.spell or self.limit != sys.maxsize:
            return False
        self.out[at] = self.spell["ONLY_PASS"]
        self.start_kind, self.start_at = kind, at - 1
        self._open_block("pass")
        return True

    def _append_end(self, end: _End, name: str) -> None:
        if self.ends_length != len(self.out):
            self.ends = []
        self.ends.append(end)
        self.out.append(self.spell[name])
        self.ends_length = len(self.out)

    def _finish_ends(self) -> None:
        if self.ends_length == len(self.out) and "FINAL_BLOCK_END" in self.spell:
            del self.out[len(self.out) - len(self.ends) :]
            self.out.extend(self.spell["FINAL_BLOCK_END"] for _ in self.ends)

    def clause(self, node: Node) -> Entered:
        """A clause after a block of the same statement."""
        self.out[-1] = self.spell["CLAUSE_BLOCK_END"]
        return node.children, self.rows[_KINDS[node.kind_id]], None

    def except_clause(self, node: Node) -> Entered:
        """``except``, which may be bare or ``except*``."""
        self.out[-1] = self.spell["CLAUSE_BLOCK_END"]
        second = _KINDS[node.children[1].kind_id]
        row = "bare_except_clause" if second == ":" else "except_group_clause" if second == "*" else "except_clause"
        return node.children, self.rows[row], None

    def case_clause(self, node: Node) -> Entered:
        """One case of a match statement."""
        if self.start_at == len(self.out) - 1:
            self._begin("case")
        elif self.ends_length == len(self.out):
            self.out[-1] = self.spell["CLAUSE_BLOCK_END"]
        children = node.children
        end = next(i for i, child in enumerate(children) if _KINDS[child.kind_id] in (":", "if_clause"))
        if children[end - 1].kind_id == _COMMA:
            if end == 3:
                return children, self.rows["one case_clause"], None
            children = children[: end - 1] + children[end:]
        return children, self.rows["case_clause"], None

    # ------------------------------------------------------------------------------------------------------ commas

    def sequence(self, node: Node) -> Entered:
        """A node whose trailing comma is redundant, or makes a tuple of one element."""
        children = node.children
        kind = _KINDS[node.kind_id]
        return self._sequence(children, kind, kind in ("tuple", "subscript", "expression_list", "pattern_list", "tuple_pattern"))

    def _sequence(self, children: list[Node], row: str, tuples: bool) -> Entered:
        last = len(children) - 1
        if last > 0:
            if _KINDS[children[last].kind_id] in _BRACKETS:
                last -= 1
            while children[last].kind_id == _COMMENT:
                last -= 1
            if children[last].kind_id == _COMMA:
                if tuples and sum(1 for child in children if child.kind_id == _COMMA) == 1:
                    return children, self.rows[f"one {row}"], None
                children = children[:last] + children[last + 1 :]
        return children, self.rows[row], None

    def case_sequence(self, node: Node) -> Entered:
        """A bracketed pattern."""
        return self._sequence(node.children, "case_sequence", _KINDS[node.kind_id] == "tuple_pattern")

    def type_index(self, node: Node) -> Entered:
        """The brackets of a generic type: an index like any other."""
        return self._sequence(node.children, "type_index", True)

    def type_parameters(self, node: Node) -> Entered:
        """The type parameters of a definition."""
        return self._sequence(node.children, "type_parameters", False)

    def parameters(self, node: Node) -> Entered:
        """The parameters of a function."""
        children = node.children
        if len(children) == 2:
            self.out.append(self.spell["EMPTY_PARAMETERS"])
            return None
        return self._sequence(children, "parameters", False)

    def with_clause(self, node: Node) -> Entered:
        """The items of a with statement; their parentheses matter only where a comment stands in them."""
        children = node.children
        if len(children) == 1 and _holds_as_pattern(children[0]):
            # with (a as b): the parser takes the parentheses of the clause for those of an expression.
            children = children[0].children[0].children
        commented = _KINDS[children[0].kind_id] == "(" and "#" in self.text(node)
        if commented:
            self.out.append(self.spell["WITH_PARENTHESES"])
        return self._sequence(children, "commented_with_clause" if commented else "with_clause", False)

    # ------------------------------------------------------------------------------------------------- expressions

    def attribute(self, node: Node) -> Entered:
        """An attribute; a decimal integer keeps a blank before the dot."""
        children = node.children
        if _KINDS[children[0].kind_id] == "integer" and self.text(children[0]).replace("_", "").isdecimal():
            return children, self.rows["integer_attribute"], None
        return children, self.rows["attribute"], None

    def complex_pattern(self, node: Node) -> Entered:
        """A sum of two numbers in a pattern: the sign before the first is no operator."""
        children = node.children
        if _KINDS[children[0].kind_id] == "-":
            self.out.append(self.spell["NEGATE"])
            children = children[1:]
        return children, self.rows["sum_of_numbers"], None

    def string(self, node: Node) -> Entered:
        """A string: one piece of data, or the parts of an f-string."""
        text = self.text(node)
        if text[0] in "'\"" or not (set("fFtT") & set(text[:3].split("'")[0].split('"')[0])):
            self._data(node.start_byte, node.end_byte)
        else:
            self._fstring(node)
        return None

    def _fstring(self, node: Node) -> None:
        children = node.children
        template = "t" in self.text(children[0]).lower()
        self._data(children[0].start_byte, children[0].end_byte)
        at = children[0].end_byte
        for child in children[1:-1]:
            if _KINDS[child.kind_id] == "interpolation":
                if child.start_byte > at:
                    self._data(at, child.start_byte)
                self._field(child, template)
                at = child.end_byte
        end = children[-1]
        if end.start_byte > at:
            self._data(at, end.start_byte)
        self._data(end.start_byte, end.end_byte)

    def _field(self, node: Node, template: bool) -> None:
        if node.start_byte >= self.limit:
            raise LimitReachedError
        out = self.out
        children = node.children
        kinds = [_KINDS[child.kind_id] for child in children]
        tail = next(i for i, kind in enumerate(kinds) if kind in ("type_conversion", "format_specifier") or i == len(kinds) - 1)
        if "=" in kinds or template:
            text = self.source[children[0].end_byte : children[tail].start_byte]
            if children[tail].start_byte > self.limit:
                raise LimitReachedError
            out.append("{")
            out.append(f"<debug>{text.replace('<debug', '<debug' + chr(92))}<debug>")
            self.walk(children[tail:], self.rows["interpolation"])
            return
        out.append("{")
        at = len(out)
        if kinds[tail - 1] == ",":
            one = kinds[:tail].count(",") == 1
            rest = children[1:tail] if one else children[1 : tail - 1]
            self.walk(rest, self.rows["one interpolation" if one else "interpolation"])
        else:
            self.walk(children[1:tail], self.rows["interpolation"])
        if out[at][:1] == "{":
            out[at - 1] = "{ "
        self.walk(children[tail:], self.rows["interpolation"])

    def format_specifier(self, node: Node) -> Entered:
        """The part of a field after its colon: text, with fields in it."""
        self.out.append(self.spell["FORMAT_COLON"])
        at = node.start_byte + 1
        for child in node.children[1:]:
            if _KINDS[child.kind_id] == "format_expression":
                if child.start_byte > at:
                    self._data(at, child.start_byte)
                self._field(child, False)
                at = child.end_byte
        if node.end_byte > at:
            self._data(at, node.end_byte)
        return None

    def concatenated_string(self, node: Node) -> Entered:
        """Adjacent strings."""
        first = True
        held: list[Node] = []
        for child in node.children:
            if child.kind_id == _COMMENT:
                held.append(child)
            elif _KINDS[child.kind_id] == "string":
                if not first:
                    self.out.append(self.spell["CONCAT"])
                for comment in held:
                    self.out.append(self._inner(comment))
                held = []
                first = False
                self.string(child)
        return None

    # ---------------------------------------------------------------------------------------------------- comments

    def _own_line(self, node: Node) -> bool:
        start = node.start_byte
        before = self.source[self.source.rfind("\n", 0, start) + 1 : start]
        return not before or before.isspace()

    def header_comment(self, node: Node) -> Entered:
        """A comment that is a child of a compound statement: after its header, or after one of its blocks."""
        if self.ends_length == len(self.out):
            self._comment_after_block(node, 1)
        elif self._own_line(node):
            self.first_comments.append(self._comment_text(node))
        else:
            self.out.append(self._comment_text(node))
        return None

    def case_comment(self, node: Node) -> Entered:
        """A comment between the cases of a match statement."""
        if self.ends_length == len(self.out):
            self._comment_after_block(node, 1)
        else:
            self.first_comments.append(self._comment_text(node))
        return None

    def line_comment(self, node: Node) -> Entered:
        """A comment among statements."""
        if self.ends_length == len(self.out):
            self._comment_after_block(node, 0)
        elif self.start_at == len(self.out) - 1 and self.start_at >= 0:
            if self._own_line(node):
                self.first_comments.append(self._comment_text(node))
            else:
                self.out.insert(self.start_at, self._comment_text(node))
                self.start_at += 1
        else:
            if self.open and self._own_line(node):
                self.out.append(self.spell["LINE_SEP"])
            self.out.append(self._comment_text(node))
            self.open = False
        return None

    def _comment_after_block(self, node: Node, at_least: int) -> None:
        """Put a comment before those block ends of the tail whose blocks it belongs to."""
        ends = self.ends
        count = len(ends)
        own_line = self._own_line(node)
        if own_line:
            column = node.start_point[1]
            inside = next((i for i in range(count) if ends[i].column <= column), count)
            inside = min(inside, count - at_least)
        else:
            inside = 0
        moved = self.out[len(self.out) - (count - inside) :] if count > inside else []
        del self.out[len(self.out) - (count - inside) :]
        was_open = inside < count and ends[inside].was_open
        if inside < count and ends[inside].only_pass:
            self._restore_pass(ends[inside])
        if was_open and own_line:
            self.out.append(self.spell["LINE_SEP"])
        self.out.append(self._comment_text(node))
        if inside < count:
            ends[inside].was_open = False
        self.out.extend(moved)
        self.ends = ends[inside:]
        self.ends_length = len(self.out) if moved else -1
        self.open = False

    def _restore_pass(self, end: _End) -> None:
        """A block of one implied pass gets a comment: the pass must be written."""
        end.only_pass = False
        self.out[-1] = self.spell["PASS"]
        self.start_kind, self.start_at = end.start, len(self.out) - 2
        self._open_block("keyword")

    def _comment_text(self, node: Node) -> str:
        """A comment with its line break, or without where the text stops inside it."""
        return self.text(node) + ("\n" if node.end_byte < self.limit else "")

    def _inner(self, node: Node) -> str:
        return f"<comment>{chr(10) if self._own_line(node) else ''}{self._comment_text(node)}"

    def comment(self, node: Node) -> Entered:
        """A comment inside brackets: where it stands if the grammar has a place for it there, else after the node it is in."""
        iterator, children, row, _ = self.frames[-1]
        index = len(children) - iterator.__length_hint__() - 1
        while index > 0 and children[index - 1].kind_id == _COMMENT:
            index -= 1
        before = children[index - 1] if index else None
        self.held.append(self._inner(node))
        if before is None or not self._has_place(before, row):
            self._write_after()
        elif before.kind_id == _COMMA and row[_COMMA] == self.spell["COMMA"]:
            comma = self.out.pop()  # the comma of a tuple of one element: nothing may follow it
            self._write_held()
            self.out.append(comma)
        else:
            self._write_held()
        return None

    def two_words(self, node: Node) -> Entered:
        """An operator of two words, which a comment may part."""
        self.out.append(self.spell["NOT_IN" if _KINDS[node.kind_id] == "not in" else "IS_NOT"])
        self.held += [self._inner(child) for child in node.children if child.kind_id == _COMMENT]
        self._write_held()
        return None

    def import_prefix(self, node: Node) -> Entered:
        """The dots of a relative import, which blanks may part."""
        self.out.append("." * self.text(node).count("."))
        return None

    def _write_held(self) -> None:
        for comment in self.held:
            follows = str(self.out[-1]).startswith(_INNER)  # so it stands on a line of its own, whatever it did before
            self.out.append(f"{_INNER}\n{comment[len(_INNER) :].lstrip(chr(10))}" if follows else comment)
        self.held.clear()

    def _write_after(self) -> None:
        """Write the held comments when the node that is being walked is done: there is a place for them then."""
        at = -1
        while self.frames[at][2] in (self.rows["lambda_parameters"], self.rows["one lambda_parameters"]) or (
            self.frames[at][2] in (self.rows["list_splat_pattern"], self.rows["dictionary_splat_pattern"])
            and self.frames[at - 1][2] is self.rows["lambda_parameters"]
        ):
            at -= 1
        frame = self.frames[at]
        then = frame[3]

        def write() -> None:
            if then is not None:
                then()
            self._write_held()

        frame[3] = write

    def _has_place(self, before: Node, row: _Row) -> bool:
        """Whether the grammar has a place for comments after a child of a node with this row."""
        kind = _KINDS[before.kind_id]
        if any(row is self.rows[name] for name in _NO_PLACES):
            return False
        if not before.is_named:
            return kind in _PLACES or any(row is self.rows[name] for name in _OPERATOR_ROWS)
        return kind != "identifier" or not any(row is self.rows[name] for name in _NAMING_ROWS)


def _drain(nodes: list[Node]) -> Iterator[Node]:
    """The nodes one after the other, each let go of when the next is asked for: a node keeps all below it in memory."""
    rest = nodes[::-1]
    nodes.clear()
    while rest:
        yield rest.pop()


def _holds_as_pattern(item: Node) -> bool:
    inside = item.children[0]
    return _KINDS[inside.kind_id] in ("parenthesized_expression", "tuple") and any(
        _KINDS[child.kind_id] == "as_pattern" for child in inside.children
    )


_BRACKETS = frozenset(")]}")
_INNER = "<comment>"
# Anonymous tokens after which the grammar has a place for comments, and rows in which it has one after every token.
_PLACES = frozenset("( [ { , :=".split())
_OPERATOR_ROWS = (
    "binary_operator boolean_operator comparison_operator conditional_expression pair keyword_argument slice not_operator union_pattern"
    " if_clause"
).split()
# Rows in which a name at the start is no operand, and rows in which there is no place at all.
_NAMING_ROWS = "keyword_argument named_expression default_parameter keyword_pattern typed_parameter typed_default_parameter".split()
_NO_PLACES = "lambda lambda_parameters aliased_import integer_attribute sum_of_numbers list_splat_pattern dictionary_splat_pattern".split()

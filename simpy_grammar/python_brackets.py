"""Brackets of Python that mean more than themselves: those of ``with`` and ``import``, and strings with fields.

What is written here as functions is part of ``PythonLexer``, which calls them where such a bracket stands.
"""

from __future__ import annotations

from simpy_grammar import python_tokens as tok
from simpy_grammar.python_tokens import COMPILED, Bracket, LexError

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from typing import Protocol

    class _Lexer(Protocol):
        """What is needed here of ``PythonLexer``, where all of it is described."""

        keys: list[str]
        texts: list[str]
        buffer: str
        offset: int
        at: int
        before: int
        cut: bool
        patterns: dict[str, tuple[str, str]]
        brackets: list[Bracket | tuple[str, int]]
        undecided: list[Bracket]
        fields: int

        def add(self, key: str, text: str, end: int) -> None: ...
        def insert(self, index: int, key: str) -> None: ...
        def delete(self, index: int) -> None: ...
        def skip(self, pattern: str, at: int) -> int: ...
        def more(self, at: int, final: bool) -> bool: ...
        def wait(self, at: int) -> int: ...
        def error(self, at: int, message: str) -> LexError: ...
        def comma_last(self) -> None: ...


_SUFFIX = {"'": "1", '"': "2", "'''": "3", '"""': "6"}  # of the keys of a string with fields, by its quotes


def never_closed(lexer: _Lexer) -> LexError:
    """The error for a bracket that is open at the end."""
    for bracket in reversed(lexer.brackets):
        sign, offset = bracket if isinstance(bracket, tuple) else (bracket.kind, bracket.offset)
        if sign not in ("text", "format"):
            return LexError(offset, f"'{'{' if sign == 'field' else sign}' was never closed")
    raise AssertionError  # a string with fields is read elsewhere


def close_bracket(lexer: _Lexer, text: str, start: int, end: int, final: bool) -> int:
    """Close a bracket; return where to go on, -1 if more must arrive first."""
    if not lexer.brackets:
        raise lexer.error(start, f"unmatched '{text}'")
    bracket = lexer.brackets[-1]
    if isinstance(bracket, tuple) or tok.CLOSER[bracket.kind] != text:
        opener = bracket[0] if isinstance(bracket, tuple) else "{" if bracket.kind == "field" else bracket.kind
        raise lexer.error(start, f"closing parenthesis '{text}' does not match opening parenthesis '{opener}'")
    if bracket.kind == "field":
        keep_text(lexer, bracket, start)
        lexer.fields -= 1
    elif bracket.owner == "with":
        at = lexer.skip(tok.SPACE_IN_LINE, end)
        if lexer.more(at, final):
            return lexer.wait(start)
        if lexer.buffer[at : at + 1] == ":":
            text = _close_items(lexer, bracket.index - lexer.before, text)
    elif tok.INNER_COMMENT_KEY not in lexer.keys[bracket.index - lexer.before :]:
        lexer.keys[bracket.index - lexer.before] = "import("
        text = "import)"
    if bracket.owner:
        lexer.undecided.pop()
    if lexer.keys and lexer.keys[-1] == tok.INNER_COMMENT_KEY:
        lexer.comma_last()
    lexer.brackets.pop()
    lexer.add(text, text, end)
    return end


def _close_items(lexer: _Lexer, index: int, text: str) -> str:
    """The bracket after ``with`` closes before the colon: the key of its end, by what stands in it.

    It is the statement's own if it holds several items, or one with a name or a comma. Own brackets are left out, unless a
    comment needs them.
    """
    depth, before, commas, names = 0, ",", 0, 0
    inside = lexer.keys[index + 1 :]
    for key in inside:
        if not depth and (key in (":=", "for", "yield") or (key == "*" and before == ",")):
            return text
        commas += not depth and key == ","
        names += not depth and key == "as"
        depth += (key in ("(", "[", "{", "FIELD_START")) - (key in (")", "]", "}"))
        if key != tok.INNER_COMMENT_KEY:
            before = key
    if not (commas or names):
        return text
    if tok.INNER_COMMENT_KEY not in inside:
        lexer.keys[index] = "with("
        return "with)"
    if commas == 1 and before == "," and not names:  # one item: without its comma it is an expression in parentheses
        at = len(lexer.keys) - 1 - lexer.keys[::-1].index(",")
        lexer.delete(at)
    else:
        lexer.insert(index, "with")
    return text


def open_string(lexer: _Lexer, text: str, start: int) -> None:
    """Open a string with fields."""
    prefix = text.rstrip("'\"")
    quote = text[len(prefix) :]
    suffix = _SUFFIX[quote]
    raw = "RAW_" if "r" in prefix.lower() else ""
    lexer.brackets.append(Bracket("text", lexer.offset + start, 0, quote=f"{raw}FSTRING_TEXT_{suffix}", verbatim="t" in prefix.lower()))
    lexer.add(f"{raw}FSTRING_START_{suffix}", text, start + len(text))


def string_end(lexer: _Lexer, string: Bracket) -> str:
    """The quotes that end a string with fields."""
    return lexer.patterns[f"FSTRING_END_{string.quote[-1]}"][1]


def read_text(lexer: _Lexer, bracket: Bracket, final: bool) -> None:
    """Read the text of a string with fields, or of a format, up to its end or the next field."""
    buffer = lexer.buffer
    in_format = bracket.kind == "format"
    key = "FORMAT_TEXT" if in_format else bracket.quote
    match = COMPILED[lexer.patterns[key][1]].match(buffer, lexer.at)
    if match is not None and match.end() > lexer.at:
        if match.end() == len(buffer) and not final:
            return
        lexer.add(key, match[0], match.end())
        lexer.at = match.end()
    at = lexer.at
    if buffer.startswith("{", at):
        if not in_format and at + 1 == len(buffer) and not final:
            return
        _open_field(lexer, bracket, at, final)
    elif in_format:
        if not buffer.startswith("}", at):
            if at < len(buffer) or (final and not lexer.cut):
                raise LexError(bracket.offset, "'{' was never closed")
            return
        lexer.brackets.pop()
        lexer.brackets.pop()  # the field whose format it is
        lexer.fields -= 1
        lexer.add("}", "}", at + 1)
        lexer.at = at + 1
    else:
        quote = string_end(lexer, bracket)
        if buffer.startswith(quote, at):
            lexer.brackets.pop()
            lexer.add(quote, quote, at + len(quote))
            lexer.at = at + len(quote)
        elif buffer.startswith("}", at) and (final or at + 1 < len(buffer)):
            raise lexer.error(at, "f-string: single '}' is not allowed")
        elif (final and not lexer.cut) or (at < len(buffer) and not quote.startswith(buffer[at:]) and buffer[at] not in "\\}"):
            what = "" if len(quote) == 1 else "triple-quoted "
            raise LexError(bracket.offset, f"unterminated {what}f-string literal")


def _open_field(lexer: _Lexer, bracket: Bracket, at: int, final: bool) -> None:
    first = lexer.skip(tok.SPACE, at + 1)
    if lexer.more(first, final):
        return
    verbatim = bracket.kind == "text" and bracket.verbatim
    field = Bracket("field", lexer.offset + at, lexer.before + len(lexer.keys), verbatim=verbatim)
    lexer.brackets.append(field)
    lexer.undecided.append(field)
    lexer.fields += 1
    opening = "{ " if lexer.buffer.startswith("{", first) and "#" not in lexer.buffer[at:first] else "{"
    lexer.add("FIELD_START", opening, at + 1)
    lexer.at = at + 1


def open_format(lexer: _Lexer, field: Bracket, start: int) -> int:
    """The colon of a field: what follows is the text of its format."""
    keep_text(lexer, field, start)
    lexer.add(":", ":", start + 1)
    lexer.brackets.append(Bracket("format", lexer.offset + start, 0))
    return start + 1


def keep_text(lexer: _Lexer, field: Bracket, end: int) -> None:
    """Put the text of a field in the place of its tokens, if it is kept as it stands."""
    if lexer.undecided[-1:] != [field]:
        return  # it has a conversion, too
    lexer.undecided.pop()
    if not field.verbatim:
        return
    index = field.index - lexer.before
    text = lexer.buffer[field.offset + 1 - lexer.offset : end]
    lexer.insert(index, tok.MARK)
    lexer.texts[index + 1] = "{"
    lexer.add(tok.VERBATIM, f"<debug>{text.replace('<debug', '<debug' + chr(92))}<debug>", end)

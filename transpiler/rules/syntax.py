"""Syntax that older versions of Python do not have, where the program has to be read by a given one."""

from __future__ import annotations

from simpy_grammar.terminals import ID, TERMINALS, Version
from transpiler.rules import patterns
from transpiler.rules.state import STARRED, Frame, State
from transpiler.rules.table import refuse

_SPLAT, _DOUBLE_SPLAT, _POSITIVE, _SQUARE, _COMMENT = (ID[name] for name in ("SPLAT", "DOUBLE_SPLAT", "POSITIVE", "[", "INNER_COMMENT"))
_EXCEPT_ROW = frozenset((ID["EXCEPT_SEP"], ID["COMMA"]))
_COMPREHENSIONS = frozenset((ID["COMPREHENSION_FOR"], ID["COMPREHENSION_ASYNC"]))
_STARTS = frozenset(terminal.id for terminal in TERMINALS if "FSTRING_START" in terminal.name)
_TEXTS = frozenset(terminal.id for terminal in TERMINALS if "FSTRING_TEXT" in terminal.name)
_LITERALS = _STARTS | _TEXTS | frozenset(ID[name] for name in ("STRING", "FIELD_VERBATIM"))
_FIELD = ID["FIELD_START"]
_IN_FIELDS = _LITERALS | {_FIELD, _COMMENT}


def check_version(state: State, terminal: int, text: str | None) -> None:
    """Refuse a lexeme that the version of Python does not read.

    Raises:
        RuleError: "version".
    """
    version = state.version
    assert version is not None
    since = TERMINALS[terminal].since or _since(state, terminal)
    if since is not None and since > version:
        _refuse(since)
    if version < (3, 12) and terminal in _IN_FIELDS:
        _check_field(state, terminal, text)
    if version < (3, 14) and terminal in _STARTS and text is not None and "t" in text.lower():
        _refuse((3, 14))


def _refuse(since: Version) -> None:
    refuse("version", ".".join(map(str, since)))


def _since(state: State, terminal: int) -> Version | None:
    frame = state.frame
    if terminal == _SQUARE and frame.kind in ("def", "class", "type"):
        return (3, 12)
    if terminal == _SPLAT and frame.kind == "index" and not frame.form:
        return (3, 11)
    if terminal == _SPLAT and frame.kind == "parameters" and frame.form:
        return (3, 11)
    if terminal in _EXCEPT_ROW and frame.kind == "except":
        return (3, 14)
    if terminal in _COMPREHENSIONS and frame.form & STARRED:
        return (3, 15)
    if terminal == _POSITIVE and frame.kind in patterns.KINDS:
        return (3, 15)
    return None


def refuses_between(state: State, char: str) -> bool:
    """Whether the version takes no line break, backslash or beginning of a comment between two lexemes here, as in fields before 3.12."""
    quotes = _quotes(state.frame) if state.version is not None and state.version < (3, 12) else []
    return any(len(quote) == 1 or char != "\n" for quote in quotes)


def _quotes(frame: Frame | None) -> list[str]:
    """The quotes of the strings whose fields are open."""
    quotes = []
    while frame is not None:
        if frame.kind == "string":
            quotes.append(frame.part.quote)
        frame = frame.up
    return quotes


def _check_field(state: State, terminal: int, text: str | None) -> None:
    """Refuse what fields could not hold before 3.12: the quotes of their strings, backslashes, comments, formats in formats in formats."""
    frame: Frame | None = state.frame
    if terminal in _TEXTS or terminal == _FIELD:
        formats = 0
        while frame is not None and frame.kind != "string":
            formats += frame.kind == "format"
            frame = frame.up
        if formats > 1:
            _refuse((3, 12))
        frame = frame.up if frame is not None else None
        if terminal == _FIELD:
            return
    quotes = _quotes(frame)
    if not quotes:
        return
    if terminal == _COMMENT:
        _refuse((3, 12))
    if text is None:
        return
    text = text.replace("<debug\\", "<debug")
    if terminal in _STARTS and text.lstrip("rRfFtT") in quotes:
        _refuse((3, 12))
    if terminal not in _STARTS and (
        "\\" in text or any(quote in text for quote in quotes) or ("\n" in text and any(len(quote) == 1 for quote in quotes))
    ):
        _refuse((3, 12))
    if terminal in _STARTS and any(quote in text for quote in quotes):
        _refuse((3, 12))

"""The fuzz targets: what must hold for any bytes. Each is a function that raises if something else happens.

The first byte or two choose dialects and options, the rest is the text. Where the bytes come from is the business of
``fuzz.corpus`` and of atheris.
"""

from __future__ import annotations

import json
import logging
import re
import traceback
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import transpiler
from fuzz import native
from simpy_cli.proof import Reading, difference
from simpy_grammar.dialect import BUILT_IN, COMPACT, PYTHON
from simpy_grammar.errors import PythonSyntaxError, RoundTripError, SimPyError, SimPySyntaxError, UnsupportedSyntaxError
from transpiler.proof import parse_tree, same_tree
from transpiler.source import read_source

PLAIN = ("classic", "dense", "dense-newline", COMPACT)
WITH_ALIASES = 224  # first bytes from which on aliases of names are asked for
_FORMS = (
    (WITH_ALIASES, "-aliases-4"),
    (192, "-spaced"),
    (128, "-open"),
)  # first bytes from which on another form is asked for, if there is one
_EXCERPT = 200
native_alone = False  # run the native core without the Python path beside it
# What the grammar reads and the encoder writes otherwise: comments inside brackets, which move to the next place that has
# one, the brackets round the names of an import, and the blank before the attribute of a number that is no integer, which
# it leaves out.
_NOT_CANONICAL = re.compile(r"<comment>|<import_from_(?:future_)?stmt>[^<(]*\(|(?:\.[\d_]*|[eE][+-]?[\d_]+|[jJ]) \.")


def _dialect(data: bytes) -> str:
    """The dialect that the first byte asks for."""
    first = _byte(data, 0)
    name = PLAIN[first % 4]
    form = name + next((form for least, form in _FORMS if first >= least), "")
    return form if form in BUILT_IN or (form.endswith("-aliases-4") and name != COMPACT) else name


def decode(data: bytes) -> str | None:
    """Decoding gives a program or one of our errors; the program encodes, canonically, and all dialects agree on it."""
    dialect, other = _dialect(data), PLAIN[_byte(data, 0) // 4 % 3]
    text = _text(data[1:])
    try:
        python = transpiler.decode(text, dialect=dialect)
    except SimPyError as error:
        check_error(error, text)
        return text
    if dialect != COMPACT:
        lexemes = transpiler.lexemes(text, dialect=dialect)
        assert "".join(lexeme.text for lexeme in lexemes) == text, "the lexemes do not join to the text"
        converted = transpiler.convert(text, source=dialect, target=other)
        assert transpiler.decode(converted, dialect=other) == python, f"{other} decodes to another program than {dialect}"
    tree = _tree(python)
    if tree is None:
        return text  # the grammar does not know which targets can be assigned to, which arguments may follow, ...
    again = transpiler.encode(python, dialect=dialect)
    back = transpiler.decode(again, dialect=dialect)
    found = _tree(back)
    assert found is not None and same_tree(tree, found), "the program changed on the way there and back"
    assert transpiler.encode(back, dialect=dialect, verify=False) == again, "what the encoder writes is not canonical"
    if dialect == "classic" and not _NOT_CANONICAL.search(text):
        # A comment may do without its line break at the end of a text.
        assert again.removesuffix("\n") == text.removesuffix("\n"), f"two spellings of one program: the other is {again!r}"
    return text


def decode_stream(data: bytes) -> str | None:
    """A text in pieces decodes as the whole does, to the same program or an error at the same place."""
    dialect = _dialect(data)
    text = _text(data[2:])
    pieces = list(_pieces(text, _byte(data, 1)))
    decoder = transpiler.Decoder(dialect=dialect)
    whole = _outcome(lambda: transpiler.decode(text, dialect=dialect), text)
    found = _outcome(lambda: "".join([*map(decoder.feed, pieces), decoder.close()]), text)
    # Of text that is Python, CPython refuses more than the grammar, and it is asked about the whole only.
    assert found == whole or (dialect == COMPACT and len(whole) > 1), f"in pieces: {pieces!r}"
    return text


def encode(data: bytes) -> str | None:
    """Encoding gives SimPy that is proved and canonical, or one of our errors, and never refuses what CPython reads as no Python."""
    dialect = _dialect(data)
    source = data[1:]
    try:
        simpy = transpiler.encode(source, dialect=dialect)
    except SimPyError as error:
        try:
            text = read_source(source)
        except PythonSyntaxError:
            check_error(error, None)
            return None
        check_error(error, text)
        assert _tree(text) is None, f"CPython reads it: {error}"
        _beginning(text, dialect)
        return None
    text = read_source(source)
    python = transpiler.decode(simpy, dialect=dialect)
    assert transpiler.encode(python, dialect=dialect, verify=False) == simpy, "what the encoder writes is not canonical"
    before, after = _reading(text), _reading(python)
    if before is not None:
        assert after is not None, "the tokenize module reads the program and not what came back"
        found = difference(before, after)
        assert found is None, found
    _beginning(text[: len(text) * (_byte(data, 0) // 4) // 64], dialect, simpy)
    return simpy if dialect == "classic" else None


def encode_stream(data: bytes) -> str | None:
    """A text in pieces encodes as the whole does, or to an error; what is written never has to be taken back."""
    dialect = _dialect(data)
    text = _text(data[2:])
    pieces = list(_pieces(text, _byte(data, 1)))
    whole = _outcome(lambda: transpiler.encode(text, dialect=dialect, verify=False), text)
    encoder = transpiler.Encoder(dialect=dialect)
    written: list[str] = []

    def feed_all() -> str:
        written.extend(map(encoder.feed, pieces))
        return "".join([*written, encoder.close()])

    found = _outcome(feed_all, text)
    # Where Python is wrong CPython says, of the text that has arrived: it may say another place, or another fault, of the whole.
    assert len(found) == len(whole) and (len(whole) > 1 or found == whole), f"in pieces: {pieces!r}"
    if len(whole) > 1:
        return None
    simpy = str(whole[0])
    arrived = "".join(pieces[: len(pieces) // 2])
    _beginning(arrived, dialect, simpy)
    return simpy if dialect == "classic" else None


def _beginning(text: str, dialect: str, whole: str | None = None) -> None:
    """Unfinished and broken text never fails; what it encodes to begins a program, and the ``whole`` one that it is the start of."""
    found = transpiler.encode_beginning(text, dialect)
    assert text.endswith(found.rest), f"{found.rest!r} is not the end of the text"
    if found.error is not None:
        check_error(found.error, text)
    assert whole is None or found.error is None, f"the beginning of a program is refused: {found.error}"
    if dialect != COMPACT:
        assert whole is None or whole.startswith(found.simpy), f"{found.simpy!r} does not begin {whole!r}"
        transpiler.Decoder(dialect=dialect).feed(found.simpy)


def native_decode(data: bytes) -> str | None:
    """SimPy becomes the same on both paths, the native one and that of Python, whole and in pieces, or the same error."""
    text = _text(data[2:])
    native.compare(text, _dialect(data), *_native_choices(data, text), alone=native_alone)
    return None


def native_encode(data: bytes) -> str | None:
    """Python becomes the same on both paths, the native one and that of Python, whole and in pieces, or the same error."""
    text = _text(data[2:])
    native.compare(text, PYTHON, *_native_choices(data, text), alone=native_alone)
    return None


def _native_choices(data: bytes, text: str) -> tuple[str, list[str], int | None]:
    target, width = native.choices(data[1:])
    return target, list(_pieces(text, _byte(data, 1))), width


def request(data: bytes) -> str | None:
    """A request of any bytes is converted or passed on as it is, and only its texts change; an answer likewise."""
    log, loud = logging.getLogger("simpy.serve"), _Loud(logging.ERROR)
    log.addHandler(loud)
    try:
        return _request(data)
    finally:
        log.removeHandler(loud)


def _request(data: bytes) -> str | None:
    from dualcode.server.json_objects import parse

    options, body = _byte(data, 0), data[2:]
    raw, strict = bool(options & 8), bool(options & 16)
    path = _PATHS[(options & 4) // 4 + (options & 64) // 32]
    if not raw:
        body = json.dumps(_request_of(_text(body))[path]).encode("ascii")
    try:
        call = _requests(PLAIN[options % 4], bool(options & 32), strict).convert(path, body)
    except SimPyError as error:
        assert strict and not isinstance(error, RoundTripError), str(error)
        return None
    asked, sent = parse(body), parse(call.body)
    if asked is None or call.api is None:
        assert call.body == body, "a request that is not understood was changed"
        return None
    assert sent is not None, "the request became something that is no JSON object"
    assert len(call.texts.sent) == len(call.texts.python)
    assert _is_same_but_for_texts(asked, sent), "more than the texts of the request changed"
    _answer(call, _text(data[2:]), _byte(data, 1), strict)
    return None


_PATHS = ("/chat/completions", "/completions", "/responses", "/messages")
_TEXTS = ("text", "content", "data", "input", "output", "instructions", "system", "prompt", "suffix")


def _is_same_but_for_texts(asked: Any, sent: Any, name: str = "") -> bool:
    """Whether two JSON values differ in strings of fields that hold texts only."""
    if isinstance(asked, str):
        return bool(asked == sent) or (isinstance(sent, str) and name in _TEXTS)
    if isinstance(asked, list):
        pairs = isinstance(sent, list) and len(sent) == len(asked)
        return pairs and all(_is_same_but_for_texts(one, other, name) for one, other in zip(asked, sent, strict=True))
    if isinstance(asked, dict):
        kept = [key for key in asked if key in sent or key != "simpy"] if isinstance(sent, dict) else []
        return isinstance(sent, dict) and list(sent) == kept and all(_is_same_but_for_texts(asked[key], sent[key], key) for key in kept)
    return json.dumps(asked) == json.dumps(sent)


def _answer(call: Any, text: str, seed: int, strict: bool) -> None:
    """The text as the model's answer, whole and in pieces; and its bytes as a stream of events."""
    from dualcode.server.sse import EventReader

    def convert(pieces: list[str]) -> str:
        one = call.stream(0)
        try:
            return "".join([*map(one.feed, pieces), one.close()])
        except SimPyError as error:
            assert strict and not isinstance(error, RoundTripError), str(error)
            return type(error).__name__

    assert convert(list(_pieces(text, seed))) == convert([text]), "an answer in pieces becomes another text"
    reader, data = EventReader(), text.encode("utf-8", "surrogatepass")
    events = [event for piece in _pieces(data.decode("latin-1"), seed) for event in reader.feed(piece.encode("latin-1"))]
    assert b"".join(event.raw for event in events) + reader.rest == data, "events lose bytes"


TARGETS: dict[str, Callable[[bytes], str | None]] = {
    target.__name__: target for target in (decode, decode_stream, encode, encode_stream, native_decode, native_encode, request)
}
"""Name -> target. A target returns SimPy whose lexemes tell what kind of text it was, or nothing."""


class BugError(AssertionError):
    """What a target found, with the bytes.

    Attributes:
        kind: where it happened: the same for inputs that most likely show the same bug.
    """

    def __init__(self, name: str, data: bytes, error: BaseException) -> None:
        super().__init__(f"{name}({data!r}): {type(error).__name__}: {error}")
        frames = traceback.extract_tb(error.__traceback__)[1:]
        where = " < ".join(f"{Path(frame.filename).stem}:{frame.lineno}" for frame in reversed(frames[-6:]))
        self.kind = f"{type(error).__name__} at {where}"


def check_error(error: SimPyError, text: str | None) -> None:
    """An error of ours has a message, and a position inside the text if it has one."""
    assert not isinstance(error, RoundTripError), f"{error}\nfor {(text or '')[:_EXCERPT]!r}"
    assert str(error) and error.message
    if error.line is not None:
        lines = None if text is None else text.replace("\r\n", "\n").replace("\r", "\n").count("\n") + 1
        assert error.line >= 1 and (lines is None or error.line <= lines), f"line {error.line} of {lines}: {error}"
        assert 1 <= error.column <= len(error.source_line) + 1, f"column {error.column} of {error.source_line!r}: {error}"


def _outcome(convert: Callable[[], str], text: str) -> tuple[object, ...]:
    """What converting gives, as far as it must not depend on how the text arrives."""
    try:
        return (convert(),)
    except SimPyError as error:
        assert isinstance(error, (SimPySyntaxError, PythonSyntaxError, UnsupportedSyntaxError)), str(error)
        assert not isinstance(error, UnsupportedSyntaxError) or _tree(text) is None, f"CPython reads it: {error}"
        check_error(error, text)
        return type(error), error.line, error.column  # what stands there is told as far as it has arrived


def _tree(text: str) -> Any:
    try:
        return parse_tree(text)
    except SyntaxError:
        return None


def _reading(text: str) -> Reading | None:
    try:
        return Reading(text)
    except SyntaxError:
        return None


def _byte(data: bytes, at: int) -> int:
    return data[at] if at < len(data) else 0


def _text(data: bytes) -> str:
    """Any bytes as text: what is not UTF-8 becomes lone surrogates, which no converter may stumble over."""
    return data.decode("utf-8", "surrogateescape")


def _pieces(text: str, seed: int) -> Iterator[str]:
    """A text in pieces of lengths that a byte decides."""
    random = Random(seed)
    longest = seed % 16 + 1
    at = 0
    while at < len(text):
        length = random.randint(0, longest)
        yield text[at : at + length]
        at += length


def _request_of(text: str) -> dict[str, Any]:
    """A request with this text to each API."""
    said = [{"role": "user", "content": text}, {"role": "user", "content": [{"type": "text", "text": text}, {"type": "image"}]}]
    results: list[Any] = [{"type": "function_call_output", "output": text, "simpy": "python"}]
    blocks = [
        {"type": "tool_result", "content": [{"type": "text", "text": text}]},
        {"type": "document", "source": {"type": "text", "data": text}},
    ]
    return {
        "/chat/completions": {"messages": said[:1], "stream": True},
        "/completions": {"prompt": [text, "x = 1\n"], "n": 2},
        "/responses": {"instructions": text, "input": [*said, *results]},
        "/messages": {"system": text, "messages": [*said, {"role": "user", "content": blocks}]},
    }


class _Loud(logging.Handler):
    """The proxy logs a fault of its own and passes the request on; here it is a finding."""

    def emit(self, record: logging.LogRecord) -> None:
        raise AssertionError(record.getMessage()) from (record.exc_info[1] if record.exc_info else None)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802  # the name that logging gives it
        raise AssertionError(record.getMessage())


@lru_cache(maxsize=16)
def _requests(dialect: str, bare: bool, strict: bool) -> Any:
    from dualcode.server.convert import RequestConverter

    return RequestConverter(dialect, bare=bare, on_error="raise" if strict else "pass")

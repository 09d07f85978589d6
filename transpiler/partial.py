"""Unfinished Python: what its beginning encodes to.

A text that stops anywhere is first *completed*: open strings and brackets are closed, and what the last statement lacks
is added, in one pass over the tokens. The whole is then encoded up to where the text stopped. Text that is broken rather
than unfinished is encoded as far as it is sound.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError, SimPyError
from transpiler.decoder import Decoder
from transpiler.encoder import encode_tree
from transpiler.long_runs import Hidden
from transpiler.repair import first_error, repair
from transpiler.rows import parse

_NAME = "simpy_cut"  # stands for an operand that the text lacks
_TOKEN = re.compile(
    r"""(?P<blank>[ \t\f]+|\\\n)
    |(?P<line>\n)
    |(?P<comment>\#[^\n]*)
    |(?P<prefix>[a-zA-Z]{0,2})(?P<quote>'''|\"\"\"|'|\")
    |(?P<name>[^\W\d]\w*)
    |(?P<number>\d[\w.]*|\.\d\w*)
    |(?P<open>[(\[{])|(?P<close>[)\]}])
    |(?P<operator>:=|[-+*/%@&|^<>=!]=?|\*\*=?|//=?|->|<<|>>|~|\.\.\.|\.|,|;|:)
    |(?P<other>.)""",
    re.VERBOSE,
)
_REST = {  # quote -> the rest of a plain string that it opened
    "'": re.compile(r"[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'"),
    '"': re.compile(r'[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*"'),
    "'''": re.compile(r"[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*'''"),
    '"""': re.compile(r'[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*"""'),
}
_CLOSE = {"(": ")", "[": "]", "{": "}"}
_HEADERS = frozenset("if while elif for with def class try except finally else async match case".split())
_OPERAND_KEYWORDS = frozenset("and or not in is if else for lambda await from as import del global nonlocal assert".split())
# The words at the start of a statement after which something must follow.
_STARTS = frozenset("if while elif for with def class import from del global nonlocal assert".split())


@dataclass
class _Level:
    """What is open: the statement itself, a bracket, a string, or a field of one."""

    close: str = ""
    last: str = "open"  # open, operand, operator, comma, conversion
    pending: list[str] = field(default_factory=list)  # constructs whose second part is missing, in order
    names: list[str] = field(default_factory=list)  # the words of the statement
    quote: str = ""  # of a string
    formatted: bool = False
    colon: bool = False  # a header has its colon

    def operand(self) -> None:
        self.last = "operand"

    def completion(self) -> str:
        """What the level lacks before it can close."""
        text = f" {_NAME}" if self.last == "operator" else ""
        for word in reversed(self.pending):
            text += {"lambda": f":{_NAME}", "if": f" else {_NAME}", "for": f" in {_NAME}"}[word]
        return text


class _Completer:
    """One pass over the tokens of a text; afterwards ``suffix`` makes it whole."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.levels = [_Level()]
        self.indent = ""
        self.at_line_start = True
        self.header: str | None = None  # indent of a header whose block is empty so far
        self.header_word = ""
        self.decorated = False
        self.tries: list[str] = []  # indents of try blocks without a further clause
        self._scan()

    def _scan(self) -> None:
        text, at = self.text, 0
        while at < len(text):
            level = self.levels[-1]
            if level.quote:
                at = self._scan_string(at, level)
                continue
            match = _TOKEN.match(text, at)
            if match is None:
                break
            at = match.end()
            self._take(match)

    def _take(self, match: re.Match[str]) -> None:
        kind, token = str(match.lastgroup), match[0]
        level = self.levels[-1]
        if kind == "blank":
            if self.at_line_start and len(self.levels) == 1 and not level.names and level.last == "open":
                self.indent = token.replace("\\\n", "")
        elif kind == "line":
            self._line()
        elif kind == "comment":
            pass
        else:
            if len(self.levels) == 1 and level.last == "open" and not level.names:
                self._start_statement(token)
            self.at_line_start = False
            if kind == "quote":
                self._open_string(match)
            elif kind == "name":
                self._word(level, token)
            elif kind == "open":
                level.operand()
                self.levels.append(_Level(_CLOSE[token]))
            elif kind == "close":
                if len(self.levels) > 1:
                    self.levels.pop()
                self.levels[-1].operand()
            elif kind == "operator":
                self._operator(level, token)
            else:
                level.operand()

    def _line(self) -> None:
        if len(self.levels) > 1:
            return
        self.decorated |= self.levels[0].names[:1] == ["@"]
        self.levels[0] = _Level()
        self.indent = ""
        self.at_line_start = True

    def _start_statement(self, token: str) -> None:
        self.header = None
        while self.tries and len(self.tries[-1]) > len(self.indent):
            self.tries.pop()
        if token in ("except", "finally") and self.tries and self.tries[-1] == self.indent:
            self.tries.pop()

    def _word(self, level: _Level, word: str) -> None:
        statement = len(self.levels) == 1
        if statement and not level.names and level.last == "open" and word not in ("not", "lambda", "await", "yield"):
            level.names.append(word)
            level.last = "operator" if word in _STARTS else "operand"
            if word == "for":
                level.pending.append("for")
            if word == "try":
                self.tries.append(self.indent)
            return
        if statement:
            level.names.append(word)
        if word == "lambda":
            level.pending.append("lambda")
            level.operand()  # parameters may follow, the colon must
        elif word == "if" and level.last == "operand" and not self._in_comprehension(level) and level.names[:1] != ["case"]:
            level.pending.append("if")
            level.last = "operator"
        elif word == "else":
            if level.pending[-1:] == ["if"]:
                level.pending.pop()
            level.last = "operator"
        elif word == "for":
            level.pending.append("for")
            level.names.append("for")
            level.last = "operator"
        elif word == "in":
            if level.pending[-1:] == ["for"]:
                level.pending.pop()
            level.last = "operator"
        elif word in _OPERAND_KEYWORDS:
            level.last = "operator"
        else:
            level.operand()

    def _in_comprehension(self, level: _Level) -> bool:
        return len(self.levels) > 1 and "for" in level.names

    def _operator(self, level: _Level, token: str) -> None:
        if token == ":" and level.pending[-1:] == ["lambda"]:
            level.pending.pop()
            level.last = "operator"
        elif token == ":" and len(self.levels) == 1:
            if level.names and level.names[0] in _HEADERS and not level.colon and self._is_header(level):
                first = level.names[0]
                self.levels[0] = _Level(colon=True)
                self.header, self.header_word = self.indent, first
                self.decorated = False
            else:
                level.last = "operator"
        elif token == ":":
            level.last = "operator" if level.close == "}" and not level.formatted else "operand"
            if level.formatted:
                level.quote = "spec"
        elif token == ",":
            level.last = "comma"
            if len(self.levels) == 1 and level.names[:1] in (["global"], ["nonlocal"], ["import"], ["from"], ["assert"], ["with"]):
                level.last = "operator"
        elif token == ";" and len(self.levels) == 1:
            self.levels[0] = _Level()
        elif token == "...":
            level.operand()
        elif token == "!" and level.formatted:
            level.last = "conversion"
        elif token == "@" and len(self.levels) == 1 and not level.names and level.last == "open":
            level.names.append("@")
            level.last = "operator"
        elif token == "/" and level.last == "comma":
            level.operand()
        else:
            level.last = "operator"

    def _is_header(self, level: _Level) -> bool:
        return level.names[0] not in ("match", "case") or len(level.names) > 1 or level.last == "operand"

    # ----------------------------------------------------------------------------------------------------- strings

    def _open_string(self, match: re.Match[str]) -> None:
        level = self.levels[-1]
        level.operand()
        prefix = match["prefix"].lower()
        self.levels.append(_Level(match["quote"], quote=match["quote"], formatted=bool(set(prefix) & set("ft"))))

    def _scan_string(self, at: int, level: _Level) -> int:
        """Read on in a string, or in the format of a field; stop where a field opens or the string ends."""
        text = self.text
        if level.quote == "spec":
            match = re.compile(r"[^{}]*").match(text, at)
            at = match.end() if match else at
            if at < len(text):
                if text[at] == "{":
                    self.levels.append(_Level("}", last="operator", formatted=True))
                else:
                    self.levels.pop()
                at += 1
            return at
        if not level.formatted:
            found = _REST[level.quote].match(text, at)
            if found is None:
                return len(text)
            self.levels.pop()
            return found.end()
        pattern = re.compile(rf"\\N\{{[^{{}}]*\}}|\\[^{{}}]|\{{\{{|\}}\}}|(?P<field>\{{)|(?P<end>{level.quote})")
        found = pattern.search(text, at)
        while found is not None and not (found["field"] or found["end"]):
            found = pattern.search(text, found.end())
        if found is None:
            return len(text)
        if found["field"]:
            self.levels.append(_Level("}", last="operator", formatted=True))
        else:
            self.levels.pop()
        return found.end()

    # ------------------------------------------------------------------------------------------------------ suffix

    def suffix(self) -> str:
        """What makes the text a program."""
        parts: list[str] = []
        for level in reversed(self.levels[1:]):
            if level.quote == "spec":
                parts.append("}")
            elif level.quote:
                parts.append(f" {level.quote}")  # the blank keeps the quote apart from a quote or backslash at the end
            else:
                if level.last == "conversion":
                    parts.append("r")
                elif self.levels[0].names[:1] == ["from"] and level.last == "open":
                    parts.append(f" {_NAME}")
                else:
                    parts.append(level.completion())
                parts.append(level.close)
        parts.append(self._statement())
        for indent in reversed(self.tries):
            parts.append(f"\n{indent}finally:pass")
        return "".join(parts)

    def _statement(self) -> str:
        level = self.levels[0]
        words = level.names
        first = words[0] if words else ""
        if level.last == "open" and not words:
            if self.header is not None:
                body = f"case {_NAME}:pass" if self.header_word == "match" else "pass"
                return f"\n{self.header} {body}"
            return f"\n{self.indent}def {_NAME}():pass" if self.decorated else ""
        if first == "def" or (first == "async" and "def" in words) or first == "class":
            return self._definition(level, first)
        text = level.completion()
        if first == "@":
            return f"{text}\n{self.indent}def {_NAME}():pass"
        if first == "async":
            if "for" in words:
                return f"{text}:pass"
            return f"{text}:pass" if "with" in words else f" def {_NAME}():pass"
        if first == "from":
            if "import" not in words:
                text = f" import {_NAME}" if level.last == "operand" else f" {_NAME} import {_NAME}"
            return text
        if first == "type" and len(words) == 2 and level.last == "operand":
            return f"={_NAME}"
        if first in ("match", "case") and len(words) > 1:
            return f"{text}:\n{self.indent} case {_NAME}:pass" if first == "match" else f"{text}:pass"
        if first in _HEADERS and first not in ("match", "case"):
            return f"{text}:pass"
        return text

    def _definition(self, level: _Level, first: str) -> str:
        if first == "class":
            return f" {_NAME}:pass" if len(level.names) == 1 else ":pass"
        names = level.names[level.names.index("def") + 1 :]
        if not names:
            return f" {_NAME}():pass"
        written = self.text.rstrip()
        if len(self.levels) == 1 and (
            written.endswith(names[0]) and len(names) == 1 or written.endswith("]") and "(" not in written.rsplit("def", 1)[1]
        ):
            return "():pass"
        return f"{level.completion()}:pass"


def encode_partial(text: str, dialect: Dialect) -> str:
    """What the beginning of a program encodes to; blocks that are open at its end stay open."""
    return partial_parts(text, dialect)[0]


def partial_parts(text: str, dialect: Dialect) -> tuple[str, str]:
    """What is sound of a text, encoded, and the rest of the text as it is.

    >>> partial_parts("def f(a):\\n    return (a +", Dialect.load("classic"))
    ('<def_stmt>f a<block_start><return>(a+', '')
    """
    sound = text
    dropped = 1
    while True:
        try:
            encoded = _try(sound, dialect)
        except SimPyError as error:  # a statement that the tree has and the language has not, such as one of Python 2
            sound = _before(sound, sum(len(line) + 1 for line in sound.split("\n")[: (error.line or 1) - 1]))
            continue
        if encoded is None:
            sound = _shorten(sound)
        elif _decodes(encoded, dialect):
            return encoded, text[len(sound) :]
        else:  # the tree has no error, and is no program all the same; where, nobody says
            sound = "\n".join(sound.rstrip().split("\n")[:-dropped] + [""])
            dropped *= 2


def completion(text: str) -> str:
    """What makes the beginning of a program one that can be read.

    >>> completion("def f(a)"), completion("x = [f(1")
    (':pass', ')]')
    """
    return _Completer(text).suffix()


def _try(text: str, dialect: Dialect) -> str | None:
    if dialect.is_python:
        return text
    whole = (text + _Completer(text).suffix()).encode("utf-8", "replace")
    limit = len(text.encode("utf-8", "replace"))
    hidden: Hidden = {}
    tree = parse(whole, hidden)
    data, disguised, replaced = repair(whole, tree)
    if disguised is not whole:
        tree = parse(disguised, hidden)
        limit += len(data) - len(whole)
        if tree.root_node.has_error:
            return None
    seen = data.decode("latin-1")
    try:
        simpy = encode_tree(seen, dialect, replaced, disguised, tree, hidden, limit)
        if any(at < limit for at in hidden):  # what looked like a row of comments is text of a string
            simpy = encode_tree(seen, dialect, replaced, disguised, parse(disguised, quiet=False), {}, limit)
    except RecursionError:  # fields in the formats of fields
        return None
    except PythonSyntaxError as error:
        if error.line is None:
            return None  # a type alias that is none
        raise
    if _NAME in simpy and _NAME not in text:
        return None  # a repair has moved the end: what was added must not be taken for the text's own
    return simpy.encode("latin-1").decode("utf-8")


def _decodes(simpy: str, dialect: Dialect) -> bool:
    """Whether a text begins a program of a dialect, or is one of a dialect that is Python."""
    if dialect.is_python:
        return True
    try:
        Decoder(dialect=dialect).feed(simpy)
    except SimPyError:
        return False
    return True


def _shorten(text: str) -> str:
    """Leave out the unsound end: the line that the parser stumbles over, at the least the last line or word."""
    data = text.encode("utf-8", "replace")
    at = len(data[: first_error(parse(data))].decode("utf-8", "ignore"))
    return _before(text, text.rfind("\n", 0, at) + 1)


def _before(text: str, start: int) -> str:
    """What stands before an offset, at the most all but the last line or word."""
    return text[: min(start, text.rstrip().rfind("\n") + 1)]

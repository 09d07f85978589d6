"""Whether a text of Python can be completed, found by trying completions: what masks of Python are compared with.

A text can go on if some program begins with it. A program is what the reader of Python takes whole and what keeps the stricter rules of
docs/masks.md, for which CPython is asked about numbers. Where no program is found and the mask refuses an id, too, CPython is asked again,
without the reader: what it parses must not be refused. Characters beyond ASCII all count as letters, as docs/masks.md says.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.python_reader import PythonReader
from simpy_grammar.python_tokens import LexError
from simpy_grammar.reader import StuckError
from simpy_grammar.terminals import KEYWORDS, SOFT_KEYWORDS
from tokenizer_ext.constrain import Constraint, State
from transpiler import completion

# What may finish a token that is under way; `completion` finishes the program after it.
_FINISHES = (
    *(
        "",
        "a",
        "0",
        " ",
        "\n",
        "\na",
        "\n\n",
        "\n#",
        "}",
        "'",
        '"',
        "''",
        '""',
        "'''",
        '"""',
        "{}'",
        "r",
        "r}",
        "=",
        "= a",
        "=a",
        "> a",
        "..",
    ),
    *(
        ".",
        ".a",
        "a'",
        'a"',
        "#",
        "0a",
        "}'",
        '}"',
        " a",
        " a in a",
        " else a",
        ": a",
        ":\na",
        "(a",
        "in a",
        "import a",
        "*a",
        "o0",
        "b0",
        "x0",
    ),
    *("e0", "\nin a", "\n in a", "\n import a", "\n a = a", "\n def a(): a", "\n.a"),
)
_FEW = ("", "a", "0", " ", "\n", "}", "'", '"', "'''", '"""', "=a", " a", " else a", ": a", ":\n a", "\na", "\n in a")  # for CPython
_WORDS = sorted(KEYWORDS | SOFT_KEYWORDS)
_NUMBER_FAULT = re.compile(r"invalid (?:\w+ )?(?:literal|digit)|leading zeros|imaginary literal")
_LINE = re.compile(r"([ \t\f]*)match\b(?!\s*[=.])")
_END_OF_JOINED = re.compile(r"\\\n[ \t\f]*\Z")
_SIGNS = "=<>*/-"  # which make another token of the sign before them
_PREFIX = re.compile("[rbuft]{1,2}", re.I)  # of a string
_CUT = ": simpy_cut"  # how `completion` ends a header


def as_letters(text: str) -> str:
    """A text with one letter for every character beyond ASCII."""
    return re.sub("[^\x00-\x7f]", "é", text)


def is_program(text: str) -> bool:
    """Whether the reader takes a text and the rules of masks that are stricter do, too."""
    reader = PythonReader(Dialect.load(PYTHON))
    try:
        reader.read_all(text)
    except (StuckError, LexError):
        return False
    if "\r" in text or "\0" in text or _END_OF_JOINED.search(text):
        return False
    conversions = [lexeme.text for lexeme in reader.stream.lexemes() if lexeme.terminal == "FIELD_CONVERSION"]
    return all(text in ("!r", "!s", "!a") for text in conversions) and _NUMBER_FAULT.search(_message(text)) is None


def _message(text: str) -> str:
    """Why CPython does not parse a text; empty if it does."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return str(error) or "?"
    return ""


def _rests(text: str) -> Iterator[str]:
    """What is left of the keywords that a text may end in, and what may follow them."""
    word = re.search(r"(\d?)([a-z_]*)\Z", text)
    letters = word[2] if word else ""
    # After a digit, letters of the number may come first, as in `2jnot in a`.
    begun = {letters[at:] for at in range(len(letters) if word and word[1] else min(len(letters), 1))}
    for known in _WORDS:
        for part in begun:
            if not known.startswith(part):
                continue
            for end in ("", " ", " a", ":", " .", " a in a", " in a", " import a", " (a", " for a in a"):
                yield known[len(part) :] + end


def _finishes(text: str) -> Iterator[str]:
    """What may finish the last token of a text: the rest of a keyword first."""
    yield from _rests(text)
    yield from _FINISHES
    line = text.rpartition("\n")[2]
    if not line.strip():  # the indent of any block that is open, and of one more
        for indent in {match[1] for match in re.finditer(r"^([ \t]*)\S", text, re.M)}:
            if indent.startswith(line):
                yield from (
                    f"{indent[len(line) :]}{word}" for word in ("a", "case a: a", "else: a", "except: a", "finally: a", "elif a: a")
                )


def _read(text: str, *, cut: bool = False) -> PythonReader | None:
    """The reader after a text, whose last token is whole with ``cut``; ``None`` if it refuses the text."""
    reader = PythonReader(Dialect.load(PYTHON))
    try:
        reader.feed(text, cut=cut)
    except (StuckError, LexError):
        return None
    return reader


def _is_refused(text: str) -> bool:
    """Whether the reader refuses a text, whatever may follow. There may be others that nothing can follow."""
    reader = _read(f"{text} " if _is_name(text) else text)
    if reader is None:
        return True
    lexer = reader.lexer
    waits = lexer.undecided or lexer._soft is not None or lexer.in_string or set(lexer.rest) & set("'\"#\\")
    if waits or not text or text[-1].isalnum() or text[-1] in "_. \t\f\n":
        return False
    # The last sign is a token, or becomes another one with the next sign.
    return all(_read(text + sign, cut=True) is None for sign in ("", *(_SIGNS if text[-1] in _SIGNS + "!+%@&|^~:" else "")))


def _is_name(text: str) -> bool:
    """Whether a text ends in a name, whatever letters may follow: it begins no keyword, and no string."""
    word = re.search(r"(?<![\w.'\"])[^\W\d]\w*\Z", text)
    return word is not None and not _PREFIX.fullmatch(word[0]) and not any(known.startswith(word[0]) for known in _WORDS)


def _programs(text: str) -> Iterator[str]:
    """Programs, as far as anybody can tell, that begin with a text."""
    for finish in _finishes(text):
        whole = text + finish
        yield whole + completion(whole)
    # What follows `match` is read as that of a loop, and the block of the loop is made one of cases.
    start = text.rfind("\n", 0, max(text.rfind("match"), 0)) + 1
    header = _LINE.match(text, start)
    if header is not None:
        for finish in ("", "a", " a", "0", "'", '"', "}", ".a", "(a", *(f for f in _finishes(text) if f[:1].isalpha())):
            for loop in ("for a in ", "while "):
                found = completion(text[:start] + header[1] + loop + text[header.end() :] + finish)
                if found.endswith(_CUT):
                    yield f"{text}{finish}{found.removesuffix(_CUT)}:\n{header[1]} case a: a\n"


class PythonReading:
    """A text that may be gone on with in many ways.

    Args:
        text: the beginning of a program.
    """

    def __init__(self, text: str) -> None:
        self.text = text
        closers = completion(text)
        self._closers = {closers, closers[1:], ""}

    def can_go_on(self, more: str) -> bool:
        """Whether the reader takes some program that begins so."""
        whole = as_letters(self.text + more)
        return not _is_refused(whole) and any(map(is_program, _programs(whole)))

    def cpython_goes_on(self, more: str) -> bool:
        """Whether CPython parses some program that begins so, which the rules of masks do not refuse."""
        if "\r" in more or "\0" in more:
            return False
        whole = self.text + more
        return any(not _message(whole + finish + closer) for finish in (*_rests(whole), *_FEW) for closer in self._closers)


def text_of(constraint: Constraint, ids: Iterable[int]) -> str | None:
    """What some ids spell; ``None`` if that is not UTF-8."""
    vocabulary = constraint.vocabulary
    try:
        text = b"".join(vocabulary.pieces[number] for number in ids).decode()
    except UnicodeDecodeError:
        return None
    return text.removeprefix(vocabulary.dummy) if vocabulary.dummy else text


def python_differences(constraint: Constraint, ids: list[int], state: State, tried: Iterable[int] | None = None) -> tuple[int, list[str]]:
    """How many ids were tried after some, and those on which the mask and the oracles do not agree."""
    text = text_of(constraint, ids)
    if text is None:
        return 0, []
    reading = PythonReading(text)
    mask = state.mask()
    found: list[str] = []
    count = 0
    for number in constraint.vocabulary.pieces if tried is None else tried:
        whole = text_of(constraint, [*ids, number])
        if whole is None or len(whole) == len(text):
            continue
        count += 1
        more = whole[len(text) :]
        if number in mask:
            if not reading.can_go_on(more):
                found.append(f"{text[-40:]!r} {more!r}: the mask allows it")
        elif reading.can_go_on(more) or reading.cpython_goes_on(more):
            found.append(f"{text[-40:]!r} {more!r}: the mask refuses it")
    return count, found

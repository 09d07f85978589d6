"""A dialect: how each terminal of the grammar is spelled. Data only; compiling it is the job of ``simpy_grammar.compile``."""

from __future__ import annotations

import os
import re

from simpy_grammar.aliases import aliases
from simpy_grammar.errors import DialectError
from simpy_grammar.later_patterns import later_pattern
from simpy_grammar.spaced import with_blanks
from simpy_grammar.terminals import ID, TERMINALS

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from pathlib import Path

GRAMMAR_FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "grammars")
BUILT_IN = ("classic", "dense", "dense-newline", "classic-spaced", "dense-spaced", "dense-open")
"""The dialects that are spellings of SimPy."""
COMPACT, PYTHON = "compact", "python"
"""The dialects that are layouts of Python: in few tokens, and as PEP 8 has it."""
LINES = "lines"
"""The layout of ``simpy_grammar.lines``, which is Python read symbol by symbol."""

SPECIAL_TOKEN = "<[a-z_]+[0-9]*>"
"""The pattern of what a tokenizer should hold as one id."""
ALONE = "(?<!(?<!<)<<)"
"""What a pattern wants after a ``<`` that is not the second one of ``<<``, which may stand before a special token: ``a<<<n0>``."""
_FIRST = (3, 14)  # the Python that the first release read: special tokens of newer syntax come last
_ADDED_LATER = [row.name for row in sorted(TERMINALS, key=lambda row: row.since or _FIRST) if (row.since or _FIRST) > _FIRST]

_LINE = later_pattern(r'([A-Z_0-9]+)\s*:\s*("(?:[^"\\]|\\.)*"(?:\s*\|\s*"(?:[^"\\]|\\.)*")?)\s*$')
_EXTENDS = later_pattern(r"%extends\s+(\S+)\s*")
_SPACED = later_pattern(r"%spaced\s*")
_ALIASES = later_pattern(r"%aliases\s+([0-9]{1,9})\s*")
_WITH_ALIASES = later_pattern(r"(.+)-aliases-([0-9]{1,9})")
MOST_ALIASES = 10_000
_OPEN = later_pattern(r"%open\s*")
_TEXT = later_pattern(r'"((?:[^"\\]|\\.)*)"')
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"'}


class Dialect:
    """The spellings of one dialect. Dialects are not changed once they are made.

    Attributes:
        name: how the dialect is called in messages.
        spellings: terminal -> its texts. One text is the rule; the empty text means that the token is implied; a second
            text is used between a closing and an opening bracket or quote. A terminal that is missing takes the
            alternatives that use it out of the grammar. For Python, these are the keys of its lexer.
        layout: ``"compact"`` or ``"python"`` where texts of the dialect are Python in that layout, ``"lines"`` for the tables of
            ``simpy_grammar.lines``, else ``""``.
        is_python: whether texts of the dialect are valid Python.
        aliases: how many aliases of names a program may have; see ``simpy_grammar.aliases``.
        is_open: whether the closing brackets at the ends of statements are implied; see ``simpy_grammar.implied_closers``.

    >>> Dialect.load("classic").spellings["DEF"]
    ('<def_stmt>',)
    """

    __slots__ = ("_aliased", "_hash", "_plain", "aliases", "is_open", "is_python", "layout", "name", "spellings")

    def __init__(self, name: str, spellings: dict[str, tuple[str, ...]], layout: str = "", aliases: int = 0, is_open: bool = False) -> None:
        self.name = name
        self.spellings = spellings
        self.layout = layout
        self.is_python = bool(layout)
        self.aliases = aliases
        self.is_open = is_open
        self._hash = hash((layout, aliases, is_open, frozenset(spellings.items())))
        self._aliased: Dialect | None = None  # the last one with aliases that was made of this
        self._plain: Dialect | None = None

    def __eq__(self, other: object) -> bool:
        return self is other or (isinstance(other, Dialect) and self._said == other._said)

    @property
    def _said(self) -> tuple[object, ...]:
        return self.layout, self.aliases, self.is_open, self.spellings

    def __hash__(self) -> int:
        return self._hash

    def __reduce__(self) -> tuple[object, ...]:
        return Dialect, (self.name, self.spellings, self.layout, self.aliases, self.is_open)  # another process has other hashes

    def __repr__(self) -> str:
        return f"<dialect {self.name}>"

    @property
    def is_built_in(self) -> bool:
        """Whether this is a dialect that comes with the grammar, so that it is known to be sound."""
        plain = self.without_aliases()
        return self.layout == LINES or (plain.name in (*BUILT_IN, COMPACT, PYTHON) and _load_built_in(plain.name) == plain)

    @property
    def digest(self) -> str:
        """A hash of the spellings, whatever the name."""
        import hashlib  # rarely needed, and slow to import

        said = repr(sorted(self.spellings.items())) + (f" {self.aliases}" if self.aliases else "") + "%open" * self.is_open
        return hashlib.sha256(said.encode()).hexdigest()

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """The spellings in angle brackets, each once: what a tokenizer should hold as one id.

        Their order is that of the dialect, with what newer syntax has brought at the end, so that ids stay when tokens are added;
        aliases come after that.
        """
        if self.is_python:
            return ()
        first = [text for terminal, texts in self.spellings.items() if terminal not in _ADDED_LATER for text in texts]
        later = [text for terminal in _ADDED_LATER for text in self.spellings.get(terminal, ())]
        named = [[text for text in texts if re.fullmatch(SPECIAL_TOKEN, text)] for texts in (first, later)]
        return tuple(dict.fromkeys([*named[0], "<comment>", "<debug>", *named[1], *aliases(self.aliases)]))

    @classmethod
    def load(cls, which: str | Path | Dialect) -> Dialect:
        """Return a dialect by name, from a file, or as it is. ``-aliases-N`` after either adds N aliases of names.

        Raises:
            DialectError: there is no such dialect, or the file is not one.

        >>> Dialect.load("dense-aliases-64").aliases
        64
        """
        if isinstance(which, Dialect):
            return which
        if which in (*BUILT_IN, COMPACT, PYTHON):
            return _load_built_in(str(which))
        path = os.fspath(which)
        suffix = _WITH_ALIASES.fullmatch(path)
        if suffix and not os.path.exists(path):
            return cls.load(suffix[1]).with_aliases(int(suffix[2]))
        try:
            with open(path, encoding="utf-8") as file:
                text = file.read()
        except (OSError, UnicodeDecodeError) as error:
            from simpy_grammar.suggestions import did_you_mean

            known = (*BUILT_IN, COMPACT, PYTHON)
            hint = f"use one of {', '.join(known)}, or a dialect file"
            hint = did_you_mean(path, known, hint) if isinstance(error, FileNotFoundError) else hint
            raise DialectError(f"no dialect {str(which)!r}", path=path, hint=hint) from error
        return cls.parse(text, name=os.path.splitext(os.path.basename(path))[0], path=path)

    @classmethod
    def parse(cls, text: str, *, name: str, path: str | None = None) -> Dialect:
        """Read the text of a dialect file: lines ``TERMINAL: "text"`` and ``//`` comments.

        A first line ``%extends NAME`` takes over the spellings of a built-in dialect; the lines after it change and add some.
        A line ``%spaced`` adds spellings with the blanks of Python; see ``simpy_grammar.spaced``. A line ``%aliases N`` adds aliases of
        names; see ``simpy_grammar.aliases``. A line ``%open`` says that the closing brackets at the ends of statements are implied;
        see ``simpy_grammar.implied_closers``.

        Raises:
            DialectError: a line says something else.

        >>> Dialect.parse('%extends classic\\nDEF: "<fn>"', name="mine").spellings["CLASS"]
        ('<class_stmt>',)
        """
        inherited: dict[str, tuple[str, ...]] = {}
        own: dict[str, tuple[str, ...]] = {}
        spaced = is_open = False
        aliases = 0
        for number, line in enumerate(text.splitlines(), 1):
            if not line.strip() or line.lstrip().startswith("//"):
                continue
            is_directive = line.startswith("%")
            if is_directive and _SPACED.fullmatch(line):
                spaced = True
                continue
            if is_directive and _OPEN.fullmatch(line):
                is_open = True
                continue
            counted = _ALIASES.fullmatch(line) if is_directive else None
            if counted:
                aliases = int(counted[1])
                continue
            match, extends = (None, _EXTENDS.fullmatch(line)) if is_directive else (_LINE.fullmatch(line), None)
            terminal = match[1] if match else ""
            texts = tuple(map(_unescape, _TEXT.findall(match[2]))) if match else ()
            fault = ""
            if extends and (own or inherited):
                fault = "%extends is said once, before all spellings"
            elif extends and extends[1] not in BUILT_IN:
                fault = f"{extends[1]} is not a dialect that can be extended: use one of {', '.join(BUILT_IN)}"
            elif extends:
                base = Dialect.load(extends[1])
                inherited, is_open = base.spellings, is_open or base.is_open
            elif not match:
                fault = 'expected a line TERMINAL: "text"'
            elif terminal not in ID:
                fault = f"{terminal} is not a terminal of the grammar"
            elif terminal in own:
                fault = f"{terminal} is spelled twice"
            elif len(texts) > 1 and not all(texts):
                fault = f"{terminal} is implied and spelled at once"
            if fault:
                raise DialectError(fault, path=path, line=number, source_line=line)
            if match:
                own[terminal] = texts
        spellings = with_blanks({**inherited, **own}) if spaced else {**inherited, **own}
        return cls(name, spellings, aliases=_checked_aliases(aliases, path), is_open=is_open)

    def format(self) -> str:
        """The text of a dialect file that ``parse`` reads back."""
        lines = [f"// {self.name}", "// One line per terminal of simpy.lark; see the built-in dialects for what the spellings mean.", ""]
        lines += [f"%aliases {self.aliases}"] * bool(self.aliases)
        lines += ["%open"] * self.is_open
        lines += [f"{terminal}: {' | '.join(map(_escape, texts))}" for terminal, texts in self.spellings.items()]
        return "\n".join(lines) + "\n"

    def with_spellings(self, name: str, changes: dict[str, tuple[str, ...]]) -> Dialect:
        """A copy with some terminals spelled otherwise."""
        return Dialect(name, {**self.spellings, **changes}, self.layout, self.aliases, self.is_open)

    def with_aliases(self, count: int) -> Dialect:
        """The same spellings, and so many aliases of names.

        Raises:
            DialectError: texts of the dialect are Python, or the number is out of range.

        >>> Dialect.load("dense").with_aliases(64)
        <dialect dense-aliases-64>
        """
        if self.is_python:
            raise DialectError(f"{self.name} is Python, which has no aliases of names", hint=f"use one of {', '.join(BUILT_IN)}")
        plain = self.without_aliases()
        if not count:
            return plain
        found = plain._aliased
        if found is None or found.aliases != count:
            name = f"{plain.name}-aliases-{count}"
            found = plain._aliased = Dialect(name, plain.spellings, aliases=_checked_aliases(count, None), is_open=plain.is_open)
            found._plain = plain
        return found

    def without_aliases(self) -> Dialect:
        """The same spellings, without aliases of names.

        >>> Dialect.load("dense-aliases-64").without_aliases()
        <dialect dense>
        """
        if not self.aliases:
            return self
        if self._plain is None:
            self._plain = Dialect(self.name.removesuffix(f"-aliases-{self.aliases}"), self.spellings, self.layout, is_open=self.is_open)
        return self._plain


def _checked_aliases(count: int, path: str | None) -> int:
    if not 0 <= count <= MOST_ALIASES:
        raise DialectError(f"{count:,} aliases: a dialect has {MOST_ALIASES:,} at most", path=path)
    return count


_built_in: dict[str, Dialect] = {}


def _load_built_in(name: str) -> Dialect:
    if name not in _built_in:
        layout = name if name in (COMPACT, PYTHON) else ""
        path = os.path.join(GRAMMAR_FOLDER, f"{PYTHON if layout else name}.lark")
        with open(path, encoding="utf-8") as file:
            found = Dialect.parse(file.read(), name=name, path=path)
        _built_in[name] = Dialect(name, found.spellings, layout, is_open=found.is_open)
    return _built_in[name]


def _unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: _ESCAPES.get(match[1], match[1]), text) if "\\" in text else text


def _escape(text: str) -> str:
    for char, code in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r")):
        text = text.replace(char, code)
    return f'"{text}"'

"""What the page asks of the toolchain. Each function takes texts and settings, and answers with JSON; the worker of the page calls them.

Offsets in answers count UTF-16 units, as JavaScript does. Errors are those of the command, with its name for a text that came from no
file. Nothing here changes what is converted, counted or proved: that is all in ``transpiler`` and ``tokenizer_ext``.
"""

from __future__ import annotations

import json
import platform
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from itertools import chain
from typing import Any

from simpy_cli import conversion
from simpy_cli.files import STDIN, shown
from simpy_cli.main import version
from simpy_cli.options import DIALECTS, FOR_MODELS
from simpy_grammar.dialect import PYTHON, Dialect
from simpy_grammar.errors import SimPyError
from tokenizer_ext.counting import CountedProgram, TokenCounter
from transpiler import decode, encode
from transpiler.conversion import WIDTH
from transpiler.source_maps import paired_lexemes
from transpiler.views import KINDS, view
from transpiler.views.registry import spelled

Answer = dict[str, Any]
PATH = shown(STDIN)
PROVED, SKIPPED, OTHER_SPELLING = "proved", "skipped", "other spelling"  # what can be said of a proof

_tokenizers: dict[str, Any] = {}


def asked(name: str, arguments: str) -> str:
    """Call a function of this module: the one door that the worker uses.

    Args:
        name: of the function.
        arguments: what it takes by name, as JSON.

    >>> json.loads(asked("convert", '{"text": "x=", "side": "simpy", "dialect": "classic"}'))["error"]["column"]
    3
    """
    try:
        answer = FUNCTIONS[name](**json.loads(arguments))
    except SimPyError as error:
        answer = {"error": explained(error)}
    except RecursionError:
        answer = {"error": explained(SimPyError("the program nests too deep for this page", path=PATH))}
    return json.dumps(answer)


def explained(error: SimPyError) -> Answer:
    """An error as the command prints it, and where it is."""
    error.path = error.path or PATH
    column = len(error.source_line[: error.column - 1].encode("utf-16-le", "surrogatepass")) // 2 + 1
    return {"text": str(error), "line": error.line, "column": column}


def about() -> Answer:
    """What there is to choose from."""
    kinds = [{"name": name, "spelled": spelled(name), "help": kind.help, "value": kind.value} for name, kind in KINDS.items()]
    return {"dialects": DIALECTS, "views": kinds}


def release() -> Answer:
    """Which Python and which release this is."""
    return {"python": platform.python_version(), "version": version()}


def convert(text: str, side: str, dialect: str, prove: bool = True) -> Answer:
    """Both texts of a program, which of their characters belong together, and what was proved.

    Args:
        text: the program.
        side: ``"python"`` if it is Python, else it is of the dialect.
        dialect: the dialect of the other text.
        prove: compare syntax trees; without it, nothing is proved.

    >>> convert("<return>a", "simpy", "classic")["python"]
    'return a\\n'
    """
    if side == PYTHON:
        python, simpy = text, encode(text, dialect=dialect, verify=prove, path=PATH)
        proof = {"state": PROVED if prove else SKIPPED}
    else:
        simpy, python = _decoded(text, Dialect.load(dialect), prove)
        proof = _spelling(python, simpy, dialect) if prove else {"state": SKIPPED}
    return {"python": python, "simpy": simpy, "proof": proof, **_source_map(python, simpy, dialect)}


def _decoded(text: str, dialect: Dialect, prove: bool) -> tuple[str, str]:
    """What of a text was read, and its Python, as the command decodes: a newline at the end may be left out."""
    if dialect.is_python:
        return text, decode(text, dialect=dialect, verify=prove, path=PATH)
    simpy, python = conversion.decode(text, dialect, PATH)
    if prove:
        conversion.prove_decoded(python, simpy, dialect, PATH, WIDTH)
    return simpy, python


def _spelling(python: str, simpy: str, dialect: str) -> Answer:
    """Whether this is how the dialect spells a program that was decoded and proved."""
    canonical = encode(python, dialect=dialect, verify=False)
    return {"state": PROVED} if canonical == simpy else {"state": OTHER_SPELLING, "canonical": canonical}


def _source_map(python: str, simpy: str, dialect: str) -> Answer:
    """The pairs of lexemes: start and end in the one text, start and end in the other; and the terminal of each."""
    pairs = [(ours, theirs) for ours, theirs in paired_lexemes(python, simpy, dialect=dialect) if ours.text or theirs.text]
    flat = list(chain.from_iterable((ours.start, ours.end, theirs.start, theirs.end) for ours, theirs in pairs))
    flat[::4], flat[1::4] = utf16(python, flat[::4]), utf16(python, flat[1::4])
    flat[2::4], flat[3::4] = utf16(simpy, flat[2::4]), utf16(simpy, flat[3::4])
    return {"pairs": flat, "terminals": [theirs.terminal for _, theirs in pairs]}


def utf16(text: str, offsets: Iterable[int]) -> list[int]:
    """Offsets of characters as offsets of UTF-16 units.

    >>> utf16("a\\N{GRINNING FACE}b", [0, 1, 2, 3])
    [0, 1, 3, 4]
    """
    if text.isascii() or max(text) <= "\uffff":
        return list(offsets)
    units = [0]
    for char in text:
        units.append(units[-1] + (2 if char > "\uffff" else 1))
    return [units[at] for at in offsets]


# ----------------------------------------------------------------------------------------------------------- tokens


def use_tiktoken(name: str) -> Answer:
    """Take a vocabulary that the page has loaded under a name of tiktoken."""
    import tiktoken

    return _use(name, tiktoken.Encoding(name))  # type: ignore[call-arg]  # it is the page's, which stands in for the library


def use_tokenizer_json(name: str, text: str) -> Answer:
    """Take a vocabulary from the text of a ``tokenizer.json``.

    Raises:
        SimPyError: it is not one, or cannot hold programs.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_str(text)
    except Exception as error:  # JSON's, a missing key, or whatever the library of the page says
        reason = (str(error).strip() or type(error).__name__).splitlines()[0][:160]
        hint = "drop a tokenizer.json of Hugging Face tokenizers"
        raise SimPyError(f"not a tokenizer file: {reason}", path=name, hint=hint) from error
    return _use(name, tokenizer)


def _use(name: str, tokenizer: Any) -> Answer:
    """Keep a vocabulary under a name, if it can hold programs."""
    try:
        TokenCounter(tokenizer, dialects=(PYTHON,))
    except SimPyError as error:
        error.path = name
        raise
    _counter.cache_clear()
    _tokenizers[name] = tokenizer
    return {"vocabulary": name}


@lru_cache(maxsize=32)
def _counter(vocabulary: str, dialect: str) -> TokenCounter:
    return TokenCounter(_tokenizers[vocabulary], dialects=(PYTHON, dialect))


def tokens(python: str, simpy: str, dialect: str, vocabulary: str) -> Answer:
    """Where the tokens of both texts end, how many the second would have without the tokens of its dialect, and which these are."""
    counter = _counter(vocabulary, dialect)
    return {
        "python": _ends(counter, python, PYTHON),
        "simpy": _ends(counter, simpy, dialect),
        "stock": counter.count_text(simpy, PYTHON),
        "added": Dialect.load(dialect).special_tokens,
    }


def _ends(counter: TokenCounter, text: str, spelling: str) -> list[int]:
    return utf16(text, (end for _, end, _ in counter.spans(text, spelling)))


def table(python: str, vocabulary: str) -> Answer:
    """The tokens of a program in every dialect: with the tokens of the dialect added, and on the vocabulary as it is."""
    program = CountedProgram(python, path=PATH)
    rows = []
    for dialect in (PYTHON, *FOR_MODELS):
        counter = _counter(vocabulary, dialect)
        text = program.text(None if dialect == PYTHON else Dialect.load(dialect))
        rows.append({"dialect": dialect, "added": counter.count_text(text, dialect), "stock": counter.count_text(text, PYTHON)})
    return {"rows": rows}


def show(python: str, views: list[str], dialect: str, numbers: str, vocabulary: str) -> Answer:
    """A view of a program, what it leaves out, and its tokens.

    Args:
        python: the program.
        views: as ``simpy view`` takes them.
        dialect: the dialect to write.
        numbers: where line numbers stand: ``definitions``, ``all`` or ``none``.
        vocabulary: counts the tokens, those of a budget too.
    """
    counter = _counter(vocabulary, dialect)
    count = partial(counter.count_text, spelling=dialect)
    seen = view(python, views, dialect=dialect, numbers=None if numbers == "none" else numbers, count=count, path=PATH)
    return {
        "text": seen.text,
        "ends": _ends(counter, seen.text, dialect),
        "before": counter.count_text(python, PYTHON),
        "tokens": seen.tokens,
        "summary": seen.summary,
        "fits": seen.fits,
    }


FUNCTIONS: dict[str, Callable[..., Answer]] = {
    function.__name__: function for function in (about, release, convert, use_tiktoken, use_tokenizer_json, tokens, table, show)
}

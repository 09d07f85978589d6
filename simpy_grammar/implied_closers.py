"""Closing brackets that the end of a statement implies: what ``%open`` in a dialect file says of its texts.

The stack of a reader knows which brackets are open. So where a statement ends, the closing brackets directly before its end can be
left out, and the reader closes what is open when it comes there::

    x=f(g(a));y={1:h(b)}<return>y        x=f(g(a;y={1:h(b<return>y

The rule needs nothing but what stands before the end and its first token. It rests on two facts:

- After an operand, nothing but an operator, a separator or a closing bracket goes on inside of brackets. So a token that no terminal
  but those at the ends of statements is spelled as cannot stand there, and neither can the ``{`` that starts a block.
- A ``}`` closes a bracket that begins with ``{``, if one is open. So before a ``}`` that ends a block, such a bracket is closed.

A closing bracket stays where no operand stands before it, as in ``f()`` and ``(a,)``: there, a ``{`` may begin an operand.
"""

from __future__ import annotations

from simpy_grammar.tables import END
from simpy_grammar.terminals import CLOSE, COMMENT, COMPOUND, CONSTANT, ID, PREFIX, SIMPLE, TERMINALS, general, ids, named

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from simpy_grammar.dialect import Dialect

_LAYOUT = ("LINE_SEP", "BLOCK_START", "BLOCK_END")
_COMMENTS = ids(COMMENT) - {ID["INNER_COMMENT"]}
_SPELLED_ENDS = {terminal.name for terminal in TERMINALS if general(terminal.name) in _LAYOUT}.union(named(PREFIX, *SIMPLE, *COMPOUND))
_ENDS = frozenset(ID[name] for name in _SPELLED_ENDS) | _COMMENTS
_CLOSING = ids(CLOSE)
_OPERAND_ENDS = frozenset(ID[name] for name in ("NAME", "NUMBER", "STRING", *(f"FSTRING_END_{quote}" for quote in "1236"))) | ids(CONSTANT)
_PAIRS = {"(": ")", "[": "]", "{": "}"}


class ImpliedClosers:
    """The closing brackets that a dialect leaves out.

    Attributes:
        ends: the keys before which they are left out; none unless the dialect says ``%open``.
        closers: what opens a bracket, as a terminal -> what closes it; empty if the grammar implies that.
    """

    __slots__ = ("closers", "ends")

    def __init__(self, ends: frozenset[str], closers: dict[str, str]) -> None:
        self.ends = ends
        self.closers = closers

    def before(self, key: str, opened: Iterable[str]) -> list[str]:
        """What closes the open brackets, the innermost first; nothing if a token closes one itself, or stands in a field of a string.

        >>> implied = ImpliedClosers(frozenset(("}", ";")), {"(": ")", "{": "}"})
        >>> implied.before(";", ["(", "{"]), implied.before("}", ["(", "{"]), implied.before("}", ["("])
        ([')', '}'], [], [')'])
        """
        found = [self.closers.get(opening, key) for opening in opened]
        return [] if key in found else [text for text in found if text]


def implied_closers(dialect: Dialect) -> ImpliedClosers:
    """What a dialect leaves out.

    >>> from simpy_grammar.dialect import Dialect
    >>> ";" in implied_closers(Dialect.load("dense-open")).ends, implied_closers(Dialect.load("dense")).ends
    (True, frozenset())
    """
    if not dialect.is_open:
        return ImpliedClosers(frozenset(), {})
    elsewhere = {text for name, texts in dialect.spellings.items() if name not in _SPELLED_ENDS for text in texts}
    ends = {text for name in _SPELLED_ENDS for text in dialect.spellings.get(name, ())} - elsewhere - {""}
    parameters = dialect.spellings.get("PARAMETERS_END", ("",))[0]
    return ImpliedClosers(frozenset((*ends, "COMMENT", END)), {**_PAIRS, "PARAMETERS_START": parameters})


def require_spelled(dialect: Dialect) -> None:
    """Refuse a dialect whose texts no grammar without a stack of its own describes, for who writes or asks grammars.

    Raises:
        DialectError: closing brackets are implied.
    """
    if dialect.is_open:
        from simpy_grammar.errors import DialectError  # on an error only

        fault = "closing brackets are implied here, by the stack of our reader: the rules of the grammar do not say where"
        raise DialectError(fault, path=dialect.name, hint="use a dialect without %open, such as dense")


def leave_out(ends: frozenset[str], terminals: Sequence[int], texts: list[str], before: int, *, final: bool) -> int:
    """Empty the texts of the closing brackets that are implied; return how many texts are settled.

    Args:
        ends: the texts of what implies them.
        terminals: of some lexemes.
        texts: how they are spelled, as far as that is known.
        before: the terminal before them.
        final: whether they are the last ones.

    >>> texts = ["f", "(", "a", ")", ";", "b"]
    >>> leave_out(frozenset(";"), [ID[name] for name in ("NAME", "(", "NAME", ")", "LINE_SEP", "NAME")], texts, -1, final=True), texts
    (6, ['f', '(', 'a', '', ';', 'b'])
    """
    count = len(texts)
    end = 0
    for start in [i for i, terminal in enumerate(terminals[:count]) if terminal in _CLOSING and texts[i]]:
        if start < end:
            continue  # one of the brackets before it
        end = start
        while end < count and (terminals[end] in _CLOSING or not texts[end]):
            end += 1
        if end == count and not final:
            return start
        if end < count and not (terminals[end] in _COMMENTS or (terminals[end] in _ENDS and texts[end] in ends)):
            continue
        stay = start if (terminals[start - 1] if start else before) in _OPERAND_ENDS else start + 1
        stay = next((i + 1 for i in reversed(range(stay, end)) if end < count and texts[i] == texts[end]), stay)
        texts[stay:end] = [""] * (end - stay)
    return count

"""An edit as a client asks for it, and which of the four ways to ask it is."""

from __future__ import annotations

from typing import NamedTuple

from simpy_grammar.errors import EditError

# The way to ask -> what it needs, and what else it takes.
WAYS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "place": (frozenset(("old", "new")), frozenset(("near", "within", "seen"))),
    "symbol": (frozenset(("symbol", "new")), frozenset(("seen",))),
    "text": (frozenset(("text",)), frozenset(("seen",))),
    "patch": (frozenset(("patch",)), frozenset()),
}


class Request(NamedTuple):
    """What a client wants to change. Everything but the path; ``None`` stands for what was not given.

    Attributes:
        old: the code that is to be replaced.
        new: what comes in its place, or in that of ``symbol``; empty to delete it.
        near: the line on which ``old`` begins.
        within: the definition that holds ``old``.
        symbol: the definition that is to be replaced.
        text: all of what was read, rewritten.
        seen: the handle of what was read.
        patch: a patch in one of the forms of ``transpiler.patches``.
    """

    old: str | None = None
    new: str | None = None
    near: int | None = None
    within: str | None = None
    symbol: str | None = None
    text: str | None = None
    seen: str | None = None
    patch: str | None = None

    def way(self, path: str) -> str:
        """The way that it asks in, one of ``WAYS``.

        Raises:
            EditError: it is none of them, or several at once.

        >>> Request(old="a", new="b").way("a.py")
        'place'
        """
        given = {name for name, value in self._asdict().items() if value is not None}
        for way, (needed, allowed) in WAYS.items():
            if needed <= given <= needed | allowed:
                return way
        raise EditError(
            f"cannot edit by {', '.join(sorted(given)) or 'nothing'}",
            path=path,
            hint="give old and new (near, within), or symbol and new, or text, or patch",
        )

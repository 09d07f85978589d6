"""Python to SimPy: the walk with all its hooks, from a tree to a text."""

from __future__ import annotations

from contextlib import suppress

from tree_sitter import Node, Tree

from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import PythonSyntaxError
from transpiler.comments import Comments
from transpiler.expressions import Expressions
from transpiler.long_runs import Hidden
from transpiler.repair import MisreadError, reread
from transpiler.rows import LimitReachedError, Separator, parse
from transpiler.walker import drain

_CLOSING = frozenset(")]}'\"")
_OPENING = frozenset("([{'\"")
_READINGS = 4  # of a text whose statements are misread: what is mended may show another


class Encoder(Comments, Expressions):
    """One walk over one tree; see ``transpiler.walker.Walker`` for the arguments."""

    def encode(self, root: Node) -> str:
        """Encode a whole module."""
        self.walk(drain(root.children), self.rows["module"])
        self._finish_ends()
        return "".join(self._spaced())

    def encode_open(self, root: Node) -> str:
        """Encode a module up to the limit, without the ends of the blocks that are open there."""
        with suppress(LimitReachedError):
            self.walk(root.children, self.rows["module"])
        if self.ends_length == len(self.out):
            del self.out[len(self.out) - len(self.ends) :]
        if self.start_at == len(self.out) - 1:
            self._begin_open()
        return "".join(self._spaced())

    def _begin_open(self) -> None:
        """A block whose first statement is yet to come: its start is written if that statement cannot change it."""
        if self.first_comments:
            self._begin()
        else:
            starts = {self.spell[name] for name in ("BLOCK_START", "KEYWORD_BLOCK_START")}
            self.out[-1] = starts.pop() if len(starts) == 1 else ""

    def _spaced(self) -> list[str]:
        """The output with the separators of two spellings decided by their neighbours."""
        out = self.out
        out.append("")  # what stands after the last piece
        for i, piece in enumerate(out):
            if piece.__class__ is Separator:
                before = out[i - 1][-1:]
                after = out[i + 1]
                tight = before in _CLOSING and after.__class__ is str and after[:1] in _OPENING
                out[i] = piece.tight if tight else piece.apart
        return out


def encode_tree(
    source: str,
    dialect: Dialect,
    replaced: dict[int, str],
    disguised: bytes,
    tree: Tree,
    hidden: Hidden,
    limit: int | None = None,
    encoder: type[Encoder] = Encoder,
) -> str:
    """Encode a tree of ``disguised``; with a limit up to there. The comments of ``hidden`` that are met are taken out of it."""

    for _ in range(_READINGS):
        walker = encoder(source, dialect, replaced, limit, hidden)
        try:
            return walker.encode(tree.root_node) if limit is None else walker.encode_open(tree.root_node)
        except MisreadError:
            disguised, before = reread(disguised, tree, replaced), disguised
            tree = parse(disguised, hidden)
            if disguised == before or tree.root_node.has_error:
                break
    raise PythonSyntaxError("invalid syntax")

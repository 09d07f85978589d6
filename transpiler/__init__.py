"""Python to SimPy and back, losing nothing."""

from __future__ import annotations

from simpy_grammar.later_imports import import_later
from transpiler.conversion import convert, decode, encode, lexemes

TYPE_CHECKING = False  # importing typing takes long
if TYPE_CHECKING:
    from simpy_grammar.lexeme import Lexeme
    from transpiler.edits import Edit, merge, replace
    from transpiler.source_maps import SourceMap, source_map
    from transpiler.streams import Decoder, Encoder
    from transpiler.unfinished import Beginning, completion, encode_beginning
    from transpiler.views import View, view

__all__ = [
    "Beginning",
    "Decoder",
    "Edit",
    "Encoder",
    "Lexeme",
    "SourceMap",
    "View",
    "completion",
    "convert",
    "decode",
    "encode",
    "encode_beginning",
    "lexemes",
    "merge",
    "replace",
    "source_map",
    "view",
]

# What encode and decode do without is imported when it is first asked for, so that the command starts fast.
_LATER = {
    "Decoder": "transpiler.streams",
    "Encoder": "transpiler.streams",
    "Lexeme": "simpy_grammar.lexeme",
    "SourceMap": "transpiler.source_maps",
    "source_map": "transpiler.source_maps",
    "Edit": "transpiler.edits",
    "merge": "transpiler.edits",
    "replace": "transpiler.edits",
    "View": "transpiler.views",
    "view": "transpiler.views",
    "Beginning": "transpiler.unfinished",
    "completion": "transpiler.unfinished",
    "encode_beginning": "transpiler.unfinished",
}

__getattr__ = import_later(__name__, _LATER)

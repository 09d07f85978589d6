"""Why a program of a corpus is refused: one line each. The name stands in the column ``error``, the text in reports."""

from __future__ import annotations

NO_TEXT, NOT_JSON, TOO_LONG, TOO_SLOW, TOO_DEEP = "no-text", "not-json", "too-long", "too-slow", "too-deep"
SYNTAX, UNSUPPORTED, PROOF, INTERNAL = "syntax", "unsupported", "proof", "internal"
GENERATED, DATA, LONG_LINES = "generated", "data", "long-lines"
CONTAMINATED, DUPLICATE, NEAR_DUPLICATE = "contaminated", "duplicate", "near-duplicate"
VOCABULARY = "vocabulary"

REASONS: dict[str, str] = {
    NO_TEXT: "the row holds no text",
    NOT_JSON: "the line is not a JSON object",
    TOO_LONG: "longer than the limit",
    TOO_SLOW: "not converted within the limit of time",
    TOO_DEEP: "too large or too deeply nested for this machine",
    SYNTAX: "not a program of the language",
    UNSUPPORTED: "Python that the grammar has no rule for",
    PROOF: "the proof that nothing is lost failed, or needs another Python",
    INTERNAL: "a bug of the converter",
    GENERATED: "the head of the program says that a tool has written it",
    DATA: "nearly all of the program is numbers and strings",
    LONG_LINES: "the lines are too long to be written by a person",
    CONTAMINATED: "it holds what an evaluation asks for",
    DUPLICATE: "the same program as an earlier one, whatever its layout and comments",
    NEAR_DUPLICATE: "nearly the same program as an earlier one",
    VOCABULARY: "the vocabulary cannot carry a character of it",
}

DROPPABLE = (DUPLICATE, NEAR_DUPLICATE, GENERATED, DATA, LONG_LINES)
"""What is refused only where it is asked for by name."""

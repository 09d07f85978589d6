"""Programs with a few tokens replaced, removed, doubled or moved, of which the reader still takes some."""

from __future__ import annotations

import io
import tokenize
from random import Random

_LAYOUT = (tokenize.INDENT, tokenize.DEDENT, tokenize.NEWLINE, tokenize.NL, tokenize.ENDMARKER, tokenize.ENCODING, tokenize.COMMENT)
_POOL = tuple(
    "a b _ x self None True 0 1 2j 'a' b'a' f'{a}' ( ) [ ] { } , : = . := * ** / -> + - == < in not is and or if else for lambda "
    "await yield async return break continue pass del global nonlocal import from as with class def raise assert while try except "
    "match case type @ += | ~ ; ... __debug__".split()
)


def tokens_of(source: str) -> list[tuple[str, str]]:
    """The tokens of a program, each with the layout before it.

    >>> tokens_of("a = 1\\n")
    [('', 'a'), (' ', '='), (' ', '1'), ('', '\\n')]
    """
    lines = source.splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    found, at = [], 0
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type in (tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER) or not token.string:
            continue
        start, end = starts[token.start[0] - 1] + token.start[1], starts[token.end[0] - 1] + token.end[1]
        found.append((source[at:start], source[start:end]))
        at = end
    return found


def mutated(source: str, random: Random) -> str:
    """The program with one to three tokens changed."""
    tokens = tokens_of(source)
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        at = random.randrange(len(tokens))
        before, text = tokens[at]
        if "\n" in text or text.startswith("#"):
            continue
        kind = random.randrange(5)
        other = random.choice((random.choice(_POOL), tokens[random.randrange(len(tokens))][1]))
        if "\n" in other or other.startswith("#"):
            other = "a"
        if kind == 0:
            tokens[at] = before, other
        elif kind == 1:
            tokens[at] = before, ""
        elif kind == 2:
            tokens.insert(at, (before, f"{other} "))
        elif kind == 3:
            to = random.randrange(len(tokens))
            if "\n" not in tokens[to][1] and not tokens[to][1].startswith("#"):
                tokens[at], tokens[to] = (before, tokens[to][1]), (tokens[to][0], text)
        else:
            tokens[at] = before, f"{text} {text}"
    return "".join(layout + text for layout, text in tokens)

"""What a conversation tells about the person's files: each text that was shown, as it is now, and which of them a call means."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Iterator, Sequence

from dualcode.conversion.outcomes import Shortened
from dualcode.conversion.tool_calls.shown_texts import Pair, ShownText, is_unique

_WORD = re.compile(r"[^\W\d]\w*")
_MOST_OTHERS = 8
_ALIKE = 0.5  # share of the lines of the shorter text from which on two texts are taken for two states of one file


class Known:
    """The texts that a conversation has shown, the newest last.

    Args:
        shortened: what the proxy has shortened, in the order of the conversation.

    >>> known = Known([Shortened("x = 1\\n", "x=1"), Shortened("y = 1\\n", "y=1")])
    >>> [text.python for text in known.holding("x=1", None)]
    ['x = 1\\n']
    """

    def __init__(self, shortened: Iterable[Shortened] = ()) -> None:
        self._texts: list[ShownText] = []
        for one in shortened:
            self.show(one)

    def __len__(self) -> int:
        return len(self._texts)

    def show(self, one: Shortened, path: str | None = None) -> None:
        """Take a text that the model was shown, and the file that it is of, if that is known."""
        if not one.python.strip():
            return
        self._texts = [text for text in self._texts if (text.python, text.path) != (one.python, path)]
        self._texts.append(ShownText(one.python, one.sent, path))

    def write(self, path: str, python: str) -> None:
        """Take a whole file that was written."""
        self._texts = [text for text in self._texts if text.path is None or not is_same_file(text.path, path)]
        self._texts.append(ShownText(python, "", path))

    def replaced(self, path: str | None, pair: Pair, *, everywhere: bool = False) -> None:
        """Take an edit that the conversation says was made, in the person's bytes.

        A text that was shown after the edit has the edit already: the old text is gone from it, or is a part of the new one.
        """
        fitting = []
        for text in self._texts:
            if text.path is not None and path is not None and not is_same_file(text.path, path):
                continue
            made = pair.old in pair.new and pair.new in text.python
            if pair.old and not made and (pair.old in text.python if everywhere else is_unique(text.python, pair.old)):
                fitting.append(text)
        named = [text for text in fitting if text.path is not None and path is not None]
        others = newest_states([text for text in fitting if text.path is None][::-1])
        name = path if not named and len(others) == 1 else None  # of one file only, so its name is known from now on
        for text in named or fitting:
            self.put(text, text.changed(text.python.replace(*pair), path=text.path or name))

    def put(self, old: ShownText, new: ShownText) -> None:
        """Take what has become of a text. What was shown stays behind it: an edit may have been refused."""
        at = next((i for i, text in enumerate(self._texts) if text is old), None)
        if at is not None:
            self._texts[at : at + 1] = [old, new] if old.is_shown else [new]

    def of(self, path: str | None) -> list[ShownText]:
        """The texts that may be of a file, the newest first: those of its name, and those without one."""
        return [text for text in self._texts if text.path is None or path is None or is_same_file(text.path, path)][::-1]

    def holding(self, old: str, path: str | None) -> Iterator[ShownText]:
        """The texts that may be of a file and have all the words of a quote, the newest first.

        Of those that do not have the quote, blanks aside, only the newest few count: the quote may have other parentheses than they.
        """
        words, said = words_of(old), "".join(old.split())
        others = 0
        for text in self.of(path):
            if not all(word in text.python or word in text.sent for word in words):
                continue
            if not any(said in "".join(form.split()) for form in (text.python, text.sent)):
                others += 1
                if others > _MOST_OTHERS:
                    continue
            yield text


def words_of(text: str) -> set[str]:
    """The names and keywords of a text.

    >>> sorted(words_of("x = f(1, y2)"))
    ['f', 'x', 'y2']
    """
    return set(_WORD.findall(text))


def newest_states(texts: Sequence[ShownText]) -> list[ShownText]:
    """One text of each file, the newest: what an edit has made of a text, and texts that share most of their lines, are states of one file.

    >>> states = [ShownText("a\\nb\\nc2\\n", ""), ShownText("a\\nb\\nc\\n", ""), ShownText("d\\n", "")]
    >>> [text.python for text in newest_states(states)]
    ['a\\nb\\nc2\\n', 'd\\n']
    >>> first = ShownText("a\\n", "a")
    >>> [text.python for text in newest_states([first.changed("b\\n"), first])]
    ['b\\n']
    """
    found: list[tuple[ShownText, set[str]]] = []
    for text in texts:
        lines = {line.strip() for line in text.python.split("\n") if line.strip()}
        if not any(newer.shown is text.shown or len(lines & other) >= _ALIKE * min(len(lines), len(other)) for newer, other in found):
            found.append((text, lines))
    return [text for text, _ in found]


def is_same_file(one: str, other: str) -> bool:
    """Whether two names may be of one file: one ends as the other.

    >>> is_same_file("/home/me/a/b.py", "a/b.py"), is_same_file("a/b.py", "c/b.py"), is_same_file("./b.py", "b.py")
    (True, False, True)
    """
    names = [posixpath.normpath(name.replace("\\", "/")) for name in (one, other)]
    shorter, longer = sorted(names, key=len)
    return shorter == longer or (not shorter.startswith("/") and longer.endswith("/" + shorter))

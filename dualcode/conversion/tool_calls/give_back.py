"""Tool calls that quote shortened code, given back to the agent in the person's own bytes.

A model that was shown compact code quotes compact code when it edits, and the agent's tool would not find that in the file. A
request holds the whole conversation, so the originals are known. What is not certain passes as received, with a note: the tool
then refuses it, as it refuses any text that it does not find.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dualcode.conversion.labels import is_python_path
from dualcode.conversion.outcomes import Note, Shortened
from dualcode.conversion.tool_calls.arguments import asked_pair, path_argument, read_arguments, write_arguments
from dualcode.conversion.tool_calls.earlier_calls import ToolCall, take_call
from dualcode.conversion.tool_calls.known import Known, newest_states, words_of
from dualcode.conversion.tool_calls.pairs import Given, give_back_pair, in_more_of_file
from dualcode.conversion.tool_calls.patches import give_back_patch, patch_in
from dualcode.conversion.tool_calls.shown_texts import Pair, ShownText
from dualcode.conversion.tool_calls.tools import TOOLS, EditTool, find_tool
from dualcode.conversion.tool_calls.whole_files import give_back_file, give_back_sketch, laid_out_file
from simpy_grammar.candidates import Candidate
from simpy_grammar.dialect import Dialect
from simpy_grammar.errors import EditError, PlaceError, SimPyError
from simpy_grammar.python_tokens import LexError

_ALIKE = 0.6  # share of the words of the smaller text from which on one is taken for a new state of the other
_AMBIGUOUS = "the quoted code stands at several places of what was shown"


@dataclass
class Counts:
    """What became of the code that tool calls quote; each pair of texts, each whole file counts once.

    Attributes:
        asked: all of them.
        given_back: written anew in the person's bytes.
        stays: left as received, since it already fits the file.
        ambiguous: possible at several places, and so left as received, with a note.
        not_found: standing nowhere in what was shown, and so left as received, with a note.
        untouched: left as received for another reason, with a note.
    """

    asked: int = 0
    given_back: int = 0
    stays: int = 0
    ambiguous: int = 0
    not_found: int = 0
    untouched: int = 0


class GiveBack:
    """Gives the arguments of tool calls back in the person's bytes. One is made for each request and knows nothing of others.

    Args:
        shortened: what the proxy has shortened in the conversation, in its order.
        calls: the tool calls of the conversation that were made, in their order.
        dialect: what the model reads and writes.
        tools: the tools that edit files; those of the user first.

    Attributes:
        notes: why something passes as received.
        counts: what became of what was quoted.

    >>> give = GiveBack([Shortened("def f(a, b):\\n    return a+b\\n", "def f(a,b):return a+b\\n")])
    >>> give("Edit", '{"file_path": "a.py", "old_string": "def f(a,b):", "new_string": "def f(a,b=1):"}')
    '{"file_path": "a.py", "old_string": "def f(a, b):", "new_string": "def f(a, b=1):"}'
    >>> give.counts.given_back
    1
    """

    def __init__(
        self,
        shortened: Iterable[Shortened],
        calls: Iterable[ToolCall] = (),
        *,
        dialect: str | Path | Dialect = "compact",
        tools: tuple[EditTool, ...] = TOOLS,
    ) -> None:
        self.notes: list[Note] = []
        self.counts = Counts()
        self._dialect = Dialect.load(dialect)
        self._tools = tools
        self._known = Known(shortened)
        self._name = ""
        for call in calls:
            take_call(self._known, call, tools)

    def __call__(self, name: str, arguments: str) -> str:
        """The arguments to hand on: written anew, or as received.

        Args:
            name: the tool.
            arguments: its arguments as JSON.
        """
        found = read_arguments(arguments)
        tool = None if found is None else find_tool(self._tools, name, found)
        if found is None or tool is None:
            return arguments
        self._name = name
        try:
            new = self._arguments(tool, found)
        except RecursionError:
            self._note(EditError("the code nests too deep"))
            return arguments
        return arguments if new is None else write_arguments(new)

    # ------------------------------------------------------------------------------------------------ each kind of tool

    def _arguments(self, tool: EditTool, found: dict[str, Any]) -> dict[str, Any] | None:
        """New arguments; ``None`` if they pass as received."""
        path = path_argument(tool, found)
        if path is not None and not is_python_path(path) and "." in path.rpartition("/")[2]:
            return None
        if tool.edits and tool.edits in found:
            return self._pairs(tool, found, path)
        if tool.old and tool.old in found:
            return self._pair(tool, found, path)
        if tool.patch and tool.patch in found:
            return self._patch(tool, found, path)
        if tool.whole and tool.whole in found:
            return self._whole(tool, found, path)
        return self._sketch(tool, found, path)

    def _pair(self, tool: EditTool, found: dict[str, Any], path: str | None) -> dict[str, Any] | None:
        asked, everywhere = asked_pair(tool, found)
        if asked is None or not asked.old:  # an empty old text makes a file
            return None
        self.counts.asked += 1
        try:
            text, given = self._give(None, path, asked, everywhere=everywhere)
        except (SimPyError, LexError) as error:
            self._note(error)
            return None
        self._known.put(text, text.edited(given.after, asked, self._dialect))
        if given.stays:
            self.counts.stays += 1
            return None
        self.counts.given_back += 1
        return {**found, tool.old: given.pair.old, tool.new: given.pair.new}

    def _pairs(self, tool: EditTool, found: dict[str, Any], path: str | None) -> dict[str, Any] | None:
        """A list of pairs, made one after the other. Such a tool makes all or none, so one that is not certain leaves all as received."""
        listed = found[tool.edits]
        if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
            return None
        asked = [(one, *asked_pair(tool, one)) for one in listed]
        self.counts.asked += len(listed)
        new: list[dict[str, Any]] = []
        states: dict[str, tuple[ShownText, ShownText]] = {}
        stays = 0
        try:
            for one, pair, everywhere in asked:
                if pair is None or not pair.old:
                    raise EditError("an edit of the list is not a pair of an old and a new text")
                name = path_argument(tool, one) or path
                begun, state = states.get(name or "", (None, None))
                text, given = self._give(state, name, pair, everywhere=everywhere)
                states[name or ""] = begun or text, text.edited(given.after, pair, self._dialect)
                stays += given.stays
                new.append({**one, tool.old: given.pair.old, tool.new: given.pair.new})
        except (SimPyError, LexError) as error:
            self._note(error, len(listed))
            return None
        for begun, state in states.values():
            self._known.put(begun, state)
        self.counts.stays += stays
        self.counts.given_back += len(listed) - stays
        return None if stays == len(listed) else {**found, tool.edits: new}

    def _patch(self, tool: EditTool, found: dict[str, Any], path: str | None) -> dict[str, Any] | None:
        value = found[tool.patch]
        texts = value if isinstance(value, list) else [value]
        marked = [i for i, text in enumerate(texts) if isinstance(text, str) and (tool.form != "apply_patch" or "*** Begin Patch" in text)]
        if len(marked) != 1:
            return None
        at = marked[0]
        text = texts[at]
        try:
            start, end = patch_in(text, tool.form)
            given = give_back_patch(text[start:end], tool.form, path, self._dialect, self._give)
        except (SimPyError, LexError) as error:
            self.counts.asked += 1
            self._note(error)
            return None
        self.counts.asked += given.pairs
        for begun, state in given.states:
            self._known.put(begun, state)
        if given.text == text[start:end]:
            self.counts.stays += given.pairs
            return None
        self.counts.given_back += given.pairs
        new = text[:start] + given.text + text[end:]
        return {**found, tool.patch: [*texts[:at], new, *texts[at + 1 :]] if isinstance(value, list) else new}

    def _whole(self, tool: EditTool, found: dict[str, Any], path: str | None) -> dict[str, Any] | None:
        written = found[tool.whole]
        if not isinstance(written, str) or not written.strip():
            return None
        text = self._rewritten(path, written)
        try:
            new = give_back_file(text, written, self._dialect) if text is not None else laid_out_file(written, self._dialect)
        except (SimPyError, LexError) as error:
            self.counts.asked += 1
            self._note(error)
            return None
        if path is not None:
            self._known.write(path, written if new is None else new)
        if new is None or new == written:
            return None
        self.counts.asked += 1
        self.counts.given_back += 1
        return {**found, tool.whole: new}

    def _sketch(self, tool: EditTool, found: dict[str, Any], path: str | None) -> dict[str, Any] | None:
        code = found[tool.sketch]
        if not isinstance(code, str) or not code.strip():
            return None
        self.counts.asked += 1
        text = self._rewritten(path, code)
        try:
            if text is None:
                raise PlaceError("the file was not shown")
            sketch, after = give_back_sketch(text, code, self._dialect)
        except (SimPyError, LexError, SyntaxError, ValueError) as error:
            self._note(error)
            return None
        self._known.put(text, text.changed(after))
        self.counts.given_back += 1
        return {**found, tool.sketch: sketch}

    # ------------------------------------------------------------------------------------------------------ what they share

    def _give(self, settled: ShownText | None, path: str | None, asked: Pair, *, everywhere: bool = False) -> tuple[ShownText, Given]:
        """The text in which a pair stands, and what becomes of the pair.

        Raises:
            SimPyError: it stands in none of the texts, or it is not certain which one is meant.
        """
        found: list[tuple[ShownText, Given]] = []
        failed: SimPyError | LexError | None = None
        for text in [settled] if settled is not None else self._known.holding(asked.old, path):
            try:
                found.append((text, give_back_pair(text, asked, self._dialect, everywhere=everywhere)))
            except (SimPyError, LexError) as error:
                if isinstance(error, PlaceError) and not error.candidates:
                    failed = failed or error
                    continue
                if not found:
                    raise  # in the newest text that has it, it is ambiguous
            if found and found[0][0].path is not None:
                break
        if not found:
            raise failed or PlaceError("the quoted code does not stand in what was shown")
        newest = newest_states([text for text, _ in found])
        given = [one for text, one in found if text in newest]
        quoted = {id(text.shown) for text, _ in found if text.holds(asked.old, self._dialect)}
        # A text that is much like another one may be of another file: then the one that has the quote to the letter is meant.
        if any(one.pair != given[0].pair for one in given) or (quoted and not any(id(text.shown) in quoted for text in newest)):
            raise PlaceError.among([Candidate(None, "", text.path or "a file") for text in newest], _AMBIGUOUS)
        text, first = found[0]
        if not everywhere and settled is None:
            for whole in self._known.of(path):
                first = in_more_of_file(first, text, whole)
        return text, first

    def _rewritten(self, path: str | None, written: str) -> ShownText | None:
        """The text that a model has rewritten; ``None`` if that is not known."""
        texts = self._known.of(path)
        named = [text for text in texts if text.path is not None and path is not None]
        if named:
            return max(named, key=lambda text: len(text.python))
        words = words_of(written)
        shared = [(len(words & seen) / max(min(len(words), len(seen)), 1), text) for text in texts for seen in [words_of(text.python)]]
        most = max((share for share, _ in shared), default=0.0)
        return next((text for share, text in shared if share == most), None) if most >= _ALIKE else None

    def _note(self, error: Exception, count: int = 1) -> None:
        """Note why something passes as received, without any of its text."""
        if isinstance(error, PlaceError) and error.candidates:
            self.counts.ambiguous += count
            reason = _AMBIGUOUS
        elif isinstance(error, PlaceError):
            self.counts.not_found += count
            reason = "the quoted code does not stand in what was shown"
        else:
            self.counts.untouched += count
            reason = error.message if isinstance(error, EditError) else "the code, or what would become of the file, is not Python"
        self.notes.append(Note(1, reason, where=f"a call of {self._name}"))

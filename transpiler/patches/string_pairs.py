"""Pairs of an old and a new string in JSON, as tool calls have them.

    {"file_path": "app.py", "old_string": "x = 1", "new_string": "x = 2"}

One pair, a list of them, or an object whose ``edits`` is such a list; bare, or as the arguments of a tool call.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from transpiler.patches.change import Change
from transpiler.patches.patch_text import PatchText

_PATH = "file_path path filepath filename file target_file".split()
_OLD = "old_string old_str old_text oldstring oldstr oldtext old search".split()
_NEW = "new_string new_str new_text newstring newstr newtext new replace".split()
_WHOLE = "content file_text".split()
_EVERYWHERE = "replace_all replaceall change_all".split()
_EDITS = "edits".split()
_CALL = "input arguments parameters function".split()
"""Names of what a tool call wraps its arguments in; they are looked for in all cases."""
_KNOWN = {
    *_PATH,
    *_OLD,
    *_NEW,
    *_WHOLE,
    *_EVERYWHERE,
    *_EDITS,
    *"command name type id explanation instructions description dry_run dryrun".split(),
}
_FENCED = re.compile(r"\s*```\w*[ \t]*\n(?P<json>[\s\S]*?)\n?```\s*$")
_COMMANDS = ("str_replace", "create", "edit", "write")  # commands of text editors that are pairs or whole texts


def parse_string_pairs(patch: PatchText) -> Iterator[Change]:
    """The changes of all pairs, in order. An empty old string creates the file.

    >>> list(parse_string_pairs(PatchText('{"path": "a.py", "old_str": "x", "new_str": "y"}')))[0][:4]
    ('a.py', 'update', 'x', 'y')
    """
    fenced = _FENCED.match(patch.text)
    start = fenced.start("json") if fenced else 0
    value = _json(patch, fenced["json"] if fenced else patch.text, start)
    yield from _Pairs(patch, start).changes(value, "", None)


def _json(patch: PatchText, text: str, start: int) -> Any:
    """The value of a text. Line breaks inside strings are read as written."""
    try:
        return json.loads(text, strict=False, object_pairs_hook=_object)
    except json.JSONDecodeError as error:
        raise patch.error_at(f"expected JSON: {error.msg}", start + error.pos) from None
    except (ValueError, RecursionError) as error:
        raise patch.error_at(f"expected JSON that can be read: {error}", start) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise ValueError(f"an object has {twice[0]!r} twice")
    return dict(pairs)


class _Pairs:
    """Reads values; ``where`` says which part of the JSON is meant, such as ``edits[2]``."""

    def __init__(self, patch: PatchText, start: int) -> None:
        self._patch = patch
        self._start = start

    def changes(self, value: Any, where: str, path: str | None) -> Iterator[Change]:
        """The changes of a list, of an object with edits, of a pair, or of a tool call."""
        if isinstance(value, str):
            value = self._nested(value, where)
        if isinstance(value, list):
            for index, one in enumerate(value):
                yield from self.changes(one, f"{where}[{index}]", path)
            return
        if not isinstance(value, dict):
            raise self._error("expected an object", where)
        wrapped = [key for key in _CALL if isinstance(value.get(key), (dict, str, list))]
        if wrapped and not self._get(value, _OLD + _EDITS, where)[0]:
            yield from self.changes(value[wrapped[0]], _inside(where, wrapped[0]), path)
            return
        yield from self._arguments(value, where, path)

    def _arguments(self, value: Mapping[str, Any], where: str, path: str | None) -> Iterator[Change]:
        unknown = sorted(key for key in value if key.lower() not in _KNOWN)
        if unknown:
            raise self._error(f"{unknown[0]!r} is not known here", where)
        command = value.get("command")
        if command is not None and command not in _COMMANDS:
            raise self._error(f"the command {command!r} does not quote what it changes", where)
        path = self._text(value, _PATH, where) or path
        key, edits = self._get(value, _EDITS, where)
        if key:
            if not edits:
                raise self._error("expected at least one edit", _inside(where, key))
            yield from self.changes(edits, _inside(where, key), path)
            if self._get(value, _OLD + _NEW, where)[0] is None:
                return
        whole = self._text(value, _WHOLE, where)
        if whole is not None:
            yield Change(path, "update", new=whole, rewritten=True)
            return
        yield self._pair(value, where, path)

    def _pair(self, value: Mapping[str, Any], where: str, path: str | None) -> Change:
        old, new = self._text(value, _OLD, where), self._text(value, _NEW, where)
        if old is None or new is None:
            raise self._error(f"expected {(_OLD if old is None else _NEW)[0]!r}, a string", where)
        key, everywhere = self._get(value, _EVERYWHERE, where)
        if key and not isinstance(everywhere, bool):
            raise self._error("expected true or false", _inside(where, key))
        if not old:
            if where.endswith("]") and not where.endswith("[0]"):
                raise self._error("an empty old string creates a file, and cannot follow another edit", where)
            return Change(path, "create", new=new)
        return Change(path, "update", old, new, everywhere=bool(everywhere))

    def _get(self, value: Mapping[str, Any], names: list[str], where: str) -> tuple[str | None, Any]:
        """The key of an object that has one of some names, and its value."""
        found = [key for key in value if key.lower() in names]
        if len(found) > 1:
            raise self._error(f"{found[0]!r} and {found[1]!r} say the same thing", where)
        return (found[0], value[found[0]]) if found else (None, None)

    def _text(self, value: Mapping[str, Any], names: list[str], where: str) -> str | None:
        key, text = self._get(value, names, where)
        if key is None:
            return None
        if not isinstance(text, str):
            raise self._error("expected a string", _inside(where, key))
        return text

    def _nested(self, text: str, where: str) -> Any:
        """JSON in a string, which is how some tool calls carry their arguments or their list of edits."""
        try:
            return json.loads(text, strict=False, object_pairs_hook=_object)
        except (ValueError, RecursionError):
            raise self._error("expected an object, a list, or JSON in a string", where) from None

    def _error(self, message: str, where: str) -> Exception:
        return self._patch.error_at(f"{where}: {message}" if where else message, self._start)


def _inside(where: str, key: str) -> str:
    return f"{where}.{key}" if where else key

"""Which path belongs to which API, whatever stands before it: ``/v1``, nothing, or what Azure puts there."""

from __future__ import annotations

import re
from typing import NamedTuple

from dualcode.server.apis.chat import Chat
from dualcode.server.apis.completions import Completions
from dualcode.server.apis.messages import CountTokens, Messages
from dualcode.server.apis.protocol import Api
from dualcode.server.apis.responses import InputTokens, Responses

_ALL: tuple[Api, ...] = (Chat(), Completions(), Responses(), InputTokens(), Messages(), CountTokens())
APIS = {api.path: api for api in _ALL}
"""The APIs by their paths."""
_AZURE = r"/openai(?:/deployments/[^/]+|/v1)?(?=/)"
_PREFIX = re.compile(rf"(?P<azure>{_AZURE})|/v1(?=/)|")
_STORED = re.compile(rf"({Responses.path})/(?!input_tokens$)[^/]+")


class Location(NamedTuple):
    """A path, taken apart.

    Attributes:
        path: what names the API, such as ``/chat/completions``.
        azure: what stands before it on Azure, or nothing.

    >>> for path in ("/v1/responses", "/messages", "/openai/deployments/mine/chat/completions"):
    ...     print(Location.of(path))
    Location(path='/responses', azure='')
    Location(path='/messages', azure='')
    Location(path='/chat/completions', azure='/openai/deployments/mine')
    """

    path: str
    azure: str

    @classmethod
    def of(cls, path: str) -> Location:
        """The location of a path as the client escaped it."""
        found = _PREFIX.match(path)
        if found is None:
            return cls(path, "")
        return cls(path[found.end() :], found["azure"] or "")


def stored_answer(path: str) -> Api | None:
    """The API whose answer the server has kept under this path, to be fetched later.

    >>> stored_answer("/responses/resp_1").path, stored_answer("/responses/resp_1/input_items")
    ('/responses', None)
    """
    found = _STORED.fullmatch(path)
    return APIS[found[1]] if found else None

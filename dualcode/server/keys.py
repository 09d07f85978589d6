"""The keys of clients and the key for the upstream: who may ask, and what goes on in the place of the client's key."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from dualcode.server.apis.registry import Location
from dualcode.server.refusals import RefusedError

Headers = list[tuple[bytes, bytes]]

_BEARER = b"authorization"
KEY_HEADERS = (_BEARER, b"x-api-key", b"api-key")
"""How the APIs take keys: OpenAI's, Anthropic's, Azure's."""


class Keys:
    """The keys of one proxy.

    Args:
        accepted: the keys of which a client must send one; none lets everybody ask.
        upstream: the key that goes to the upstream; empty for the client's own.

    >>> keys = Keys(("mine",), "theirs")
    >>> keys.admit([(b"authorization", b"Bearer mine")])
    >>> keys.admit([(b"authorization", b"Bearer other")])
    Traceback (most recent call last):
      ...
    dualcode.server.refusals.RefusedError: this proxy needs its own key, as a bearer token or in x-api-key or api-key
    >>> keys.outgoing([(b"x-api-key", b"mine"), (b"accept", b"*/*")], Location.of("/v1/messages"))
    [(b'accept', b'*/*'), (b'x-api-key', b'theirs')]
    """

    def __init__(self, accepted: tuple[str, ...] = (), upstream: str = "") -> None:
        self._accepted = [key.encode() for key in accepted]
        self._upstream = upstream.encode()

    def admit(self, headers: Iterable[tuple[bytes, bytes]]) -> None:
        """Let a request in.

        Raises:
            RefusedError: keys are asked for, and it has none of them.
        """
        if self._accepted and not [name for name, value in headers if self._is_ours(name.lower(), value)]:
            message = "this proxy needs its own key, as a bearer token or in x-api-key or api-key"
            raise RefusedError(401, "invalid_api_key", message, {"www-authenticate": "Bearer"})

    def outgoing(self, headers: Headers, location: Location) -> Headers:
        """The headers for the upstream, with lower names: never with a key of this proxy.

        A key for the upstream goes where the client has put its own, else where the API takes it.
        """
        if not self._accepted and not self._upstream:
            return headers
        ours = [name for name, value in headers if self._is_ours(name, value)]
        if not self._upstream:
            return [(name, value) for name, value in headers if not self._is_ours(name, value)]
        sent = ours or [name for name, _ in headers if name in KEY_HEADERS]
        name = sent[0] if sent else _usual(location)
        kept = [(name, value) for name, value in headers if name not in KEY_HEADERS]
        return [*kept, (name, b"Bearer " + self._upstream if name == _BEARER else self._upstream)]

    def _is_ours(self, name: bytes, value: bytes) -> bool:
        if name not in KEY_HEADERS:
            return False
        if name == _BEARER:
            scheme, _, value = value.strip().partition(b" ")
            if scheme.lower() != b"bearer":
                return False
        value = value.strip()
        # Each is compared, and each in constant time: how long it takes says nothing about any of them.
        return sum(hmac.compare_digest(value, key) for key in self._accepted) > 0


def _usual(location: Location) -> bytes:
    if location.azure:
        return b"api-key"
    return b"x-api-key" if location.path.startswith("/messages") else _BEARER

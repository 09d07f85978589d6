"""What subcommands that serve over HTTP share: the socket that they listen on, and signals."""

from __future__ import annotations

import signal
import socket

from simpy_grammar.errors import BackendError


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens.

    Raises:
        BackendError: the address is taken, or is not one of this machine.
    """
    # Named in full: asyncio sends small packets at once only on sockets that say that they are TCP.
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except (OSError, OverflowError) as error:
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise BackendError(f"cannot listen on {host}:{port}: {reason}", hint="choose another --host or --port") from None
    return listener


def shown(host: str, listener: socket.socket) -> str:
    """The address of a socket as URLs write it."""
    return f"[{host}]:{listener.getsockname()[1]}" if ":" in host else f"{host}:{listener.getsockname()[1]}"


def ignore_signals() -> None:
    """Let the server alone see to signals: it raises the one that stopped it once more at its end, which has no meaning left."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)

"""A server for the files of one built page, and for nothing else. The browser does all the work; which page, says ``simpy play``."""

from __future__ import annotations

import socket
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

# What the page itself asks for in its <meta>, for its worker too: a worker takes its policy from these headers only.
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self'; connect-src 'self'; worker-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-cache",  # ask each time whether a file is still the same: a new build has new files
}
TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".whl": "application/zip",
    ".zip": "application/zip",
    ".gz": "application/gzip",  # what asks for it unpacks it
}


class PageServer(ThreadingHTTPServer):
    """Serves a folder on a socket that listens already, until it is shut down.

    Args:
        listener: the socket.
        folder: the folder; what is outside of it is not served, and folders are not listed.
    """

    daemon_threads = True

    def __init__(self, listener: socket.socket, folder: Path) -> None:
        super().__init__(listener.getsockname()[:2], partial(_Handler, directory=str(folder)), bind_and_activate=False)
        self.socket.close()
        self.socket = listener


class _Handler(SimpleHTTPRequestHandler):
    """Answers GET and HEAD with files."""

    protocol_version = "HTTP/1.1"  # connections stay open
    extensions_map = {"": "application/octet-stream", **TYPES}  # noqa: RUF012  # as the class below declares it

    def end_headers(self) -> None:
        """Add what every answer says."""
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: object) -> None:
        """No folder is listed."""
        self.send_error(404, "File not found")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name of the class below
        """Say nothing about requests."""

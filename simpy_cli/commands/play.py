"""``simpy play``: serve the playground, a page that converts in the browser. The options; files are served by ``simpy_cli.page_server``."""

from __future__ import annotations

import argparse
from pathlib import Path

from simpy_cli.options import command_parser
from simpy_cli.registry import Subparsers
from simpy_grammar.errors import BackendError, SimPyError

HOST = "127.0.0.1"
CLONE = Path(__file__).resolve().parent.parent.parent
BUILT = Path("web", "dist")  # in a clone of the repository


def add_parser(subparsers: Subparsers[argparse.ArgumentParser]) -> None:
    """Declare the options."""
    parser = command_parser(
        subparsers,
        "play",
        description="Serve the playground on this machine, and open it: a page with Python on one side and SimPy on the other, which "
        "converts, proves and counts tokens in the browser. The page is built once, in a clone of the repository, with Node.js: "
        "npm ci && npm run build in the folder web. Stops on Ctrl-C or SIGTERM.",
        shown=(
            ("simpy play", "serve the page and open it"),
            ("simpy play --port 0 --no-browser", "print an address with a free port, and open nothing"),
            ("simpy play --folder dist", "serve a page that was built elsewhere"),
        ),
    )
    parser.add_argument("--port", type=int, default=8644, help="port to listen on; 0 for a free one (default 8644)")
    parser.add_argument("--no-browser", action="store_true", help="do not open a browser")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="the built page (default: web/dist, here or in the clone of this command)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="say nothing at the start")


def run(args: argparse.Namespace) -> int:
    """Serve until a signal says stop."""
    import signal
    import sys

    from simpy_cli.listening import listen, shown
    from simpy_cli.main import DONE
    from simpy_cli.page_server import PageServer

    folders = [BUILT, CLONE / BUILT] if args.folder is None else [args.folder]
    folder = next((folder for folder in folders if (folder / "index.html").is_file()), None)
    if folder is None:
        hint = "in a clone of the repository: (cd web && npm ci && npm run build) && simpy play; or name a built page with --folder"
        raise SimPyError("the playground is not built here", path=str(folders[0]), hint=hint)
    try:
        listener = listen(HOST, args.port)
    except BackendError as error:
        error.hint = "choose another --port, or 0 for a free one"
        raise
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    address = f"http://{shown(HOST, listener)}/"
    with PageServer(listener, folder) as server:
        if not args.quiet:
            print(f"serving the playground at {address}", file=sys.stderr, flush=True)
        try:
            if not args.no_browser:
                import webbrowser

                webbrowser.open(address)
            server.serve_forever()
        except KeyboardInterrupt:  # this is how it is meant to end
            pass
    return DONE

"""The settings of a proxy. ``simpy_cli`` reads them from the command line, ``app`` and ``handler`` act on them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dualcode.conversion.memory import LIMIT, MIB
from dualcode.conversion.tool_calls import TOOLS, EditTool
from simpy_grammar.errors import SimPyError

if TYPE_CHECKING:
    from dualcode.policies.protocol import Policy


@dataclass(frozen=True)
class Settings:
    """The settings of one proxy.

    Attributes:
        upstream: the base URL of the server behind, as an OpenAI client would be given it.
        dialect: a name or a file; what the model reads and writes.
        constrain: the engine that is asked to hold answers to the dialect (see ``dualcode.engines``); empty for none.
        bare: convert code outside of fences too.
        numbers: number definitions where a gutter of line numbers is taken away.
        tool_results: convert the results of tools too; otherwise only where the request asks for it.
        edit_tools: the tools in whose calls a model may quote the code that it was shown.
        on_error: ``"pass"`` to pass on what cannot be converted, ``"raise"`` to answer with an error.
        concurrency: requests that may be at the upstream at once.
        queue: requests that may wait for a place; more are refused with 503.
        max_body: bytes that a request may have; larger ones are refused with 413.
        max_answer: bytes of one answer or one event that are held in order to convert them; larger ones pass as received.
        timeout: seconds that the upstream may be silent.
        connect_timeout: seconds to connect to the upstream.
        body_timeout: seconds that a client may take to send its request.
        grace: seconds that running requests get when the server is asked to stop.
        workers: processes that convert long texts; 0 to convert them in threads of this process.
        memory: bytes in which conversions are remembered.
        api_keys: keys of which a client must send one; none for a proxy that is open to everybody.
        policies: what spends less for the same answer, the outermost first (see ``dualcode.policies``): ``NAME``,
            ``NAME:OPTION=VALUE,...``, or a ``Policy``.
        policy_keys: ``(URL, KEY)``: the keys for other servers that policies ask; these get no key of a client.
        upstream_key: the key that goes to the upstream in the place of the client's; empty for the client's own.
        cors: origins whose web pages may use the proxy; ``"*"`` for all.
        log_prompts: write prompts and answers to the log.
        count_tokens: counts the tokens of a text for the metrics; ``None`` counts characters only.

    >>> Settings("http://127.0.0.1:8000").base
    'http://127.0.0.1:8000/v1'
    """

    upstream: str
    dialect: str = "compact"
    constrain: str = ""
    bare: bool = False
    numbers: bool = True
    tool_results: bool = True
    edit_tools: tuple[EditTool, ...] = TOOLS
    on_error: str = "pass"
    concurrency: int = 128
    queue: int = 256
    max_body: int = 32 * MIB
    max_answer: int = 64 * MIB
    timeout: float = 600.0
    connect_timeout: float = 10.0
    body_timeout: float = 60.0
    grace: float = 30.0
    workers: int = 0
    memory: int = LIMIT
    api_keys: tuple[str, ...] = field(default=(), repr=False)
    upstream_key: str = field(default="", repr=False)
    policies: tuple[str | Policy, ...] = ()
    policy_keys: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    cors: tuple[str, ...] = ()
    log_prompts: bool = False
    count_tokens: Callable[[str], int] | None = None

    @property
    def base(self) -> str:
        """The upstream's URL without a slash at its end; one that has no path gets ``/v1``.

        Raises:
            SimPyError: it is not the URL of a server.
        """
        try:
            parts = urlsplit(self.upstream)
            wrong = parts.scheme not in ("http", "https") or not parts.hostname or bool(parts.query or parts.fragment)
            wrong = wrong or (parts.port is not None and not 0 < parts.port < 65536)
        except ValueError:  # a port that is not a number, or brackets that do not match
            wrong = True
        if wrong:
            raise SimPyError(f"{self.upstream!r} is not the URL of a server", hint="write it like http://127.0.0.1:8000/v1")
        path = parts.path.rstrip("/") or "/v1"
        return f"{parts.scheme}://{parts.netloc}{path}"

    @property
    def root(self) -> str:
        """What stands before ``/openai/deployments/...`` and ``/openai/v1`` on Azure.

        >>> Settings("https://mine.openai.azure.com/openai/v1").root, Settings("http://127.0.0.1:8000").root
        ('https://mine.openai.azure.com', 'http://127.0.0.1:8000')
        """
        return self.base.removesuffix("/v1").removesuffix("/openai")

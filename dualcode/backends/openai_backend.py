"""Any server with OpenAI's interface (vLLM, llama.cpp, Ollama, TGI, OpenAI itself), through the official client."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import aclosing, closing
from typing import Any

from dualcode.backends.early_exit import OPTION
from dualcode.backends.protocol import CHAT, COMPLETE, END, INFILL, LENGTH, Request
from dualcode.conversion.streams import STOP
from dualcode.engines import EngineGrammar
from simpy_grammar.errors import BackendError

_NO_KEY = "none"  # the client insists on a key; local servers do not look at it

_ONLY_CHAT = "its grammar begins where a program begins: use constrain with chat only"


def accepts(target: str) -> bool:
    """Whether a text is a URL.

    >>> accepts("http://127.0.0.1:8000/v1"), accepts("models/tiny")
    (True, False)
    """
    return target.startswith(("http://", "https://"))


def open_backend(target: str, **options: Any) -> OpenAIBackend:
    """The backend for a server at a URL.

    Raises:
        BackendError: ``constrain`` is true, which only a local model can do: what holds a model on a server is an engine of the server.
    """
    if options.get("constrain") is True:
        raise BackendError("only a local model can be held to the grammar from here", path=target, hint="name a folder with a model")
    if options.get("constrain") is False:
        del options["constrain"]
    return OpenAIBackend(target, **options)


class OpenAIBackend:
    """A model on a server.

    Args:
        base_url: where the server is, ``.../v1``; ``None`` for what the client finds in its environment.
        name: the model's name; by default the first that the server lists.
        api_key: the key; by default what the client finds in its environment, and none for a server given by URL.
        count: counts tokens as the model does, e.g. ``tokenizer_ext.Codec(tokenizer).count``.
        constrain: what holds the answers of ``chat`` to the dialect, e.g. ``EngineGrammar("vllm", "dense")`` of ``dualcode.engines``.
        client, async_client: clients of ``openai`` to use instead of new ones.
        options: handed on to new clients (``timeout``, ``max_retries``, ``default_headers``, ...).
    """

    tasks = frozenset((COMPLETE, INFILL, CHAT))

    def __init__(
        self,
        base_url: str | None = None,
        *,
        name: str | None = None,
        api_key: str | None = None,
        count: Callable[[str], int] | None = None,
        constrain: EngineGrammar | None = None,
        client: Any = None,
        async_client: Any = None,
        **options: Any,
    ) -> None:
        self.model = name
        self._count = count
        self._constraint = constrain
        self._client = client
        self._async_client = async_client
        self._options = options
        self._where = base_url
        if base_url is not None:
            self._options = {"base_url": base_url, "api_key": api_key or _environment_key() or _NO_KEY, **options}
        elif api_key is not None:
            self._options = {"api_key": api_key, **options}

    def run(self, request: Request) -> Generator[str, None, None]:
        """The model's text, in pieces."""
        import openai

        try:
            client = self._client = self._client or openai.OpenAI(**self._options)
            if self.model is None:
                self.model = next(model.id for model in client.models.list())
            method, arguments = self._call(client, request)
            answer = method(**arguments)
            if not request.stream:
                yield _received(answer, request)
                return
            with closing(answer):
                for chunk in answer:
                    if text := _received(chunk, request):
                        yield text
        except (openai.OpenAIError, StopIteration) as error:
            raise _failed(error, self._where) from error
        finally:
            request.spent.logprob = _logprob(request)

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        """The same for asyncio."""
        import openai

        try:
            client = self._async_client = self._async_client or openai.AsyncOpenAI(**self._options)
            if self.model is None:
                listed = await client.models.list()
                self.model = next(iter(listed.data)).id if listed.data else None
            method, arguments = self._call(client, request)
            answer = await method(**arguments)
            if not request.stream:
                yield _received(answer, request)
                return
            async with aclosing(_chunks(answer)) as chunks:
                async for chunk in chunks:
                    if text := _received(chunk, request):
                        yield text
        except openai.OpenAIError as error:
            raise _failed(error, self._where) from error
        finally:
            request.spent.logprob = _logprob(request)

    def count(self, text: str) -> int | None:
        """How many tokens a text is, if the caller has said how to count."""
        return None if self._count is None else self._count(text)

    def _call(self, client: Any, request: Request) -> tuple[Any, dict[str, Any]]:
        if not self.model:
            raise BackendError("the server lists no model", hint="say which: name=...")
        if OPTION in request.options:
            raise BackendError(f"{OPTION} is an option of local models", hint="what drafts on a server is an option of the server")
        arguments = {"model": self.model, **request.options}
        if request.stream:
            arguments["stream"] = True
        if request.logprobs:
            arguments.setdefault("logprobs", True if request.task == CHAT else 1)
        if request.task == CHAT:
            if self._constraint is not None:
                body = dict(arguments.get("extra_body") or {})
                arguments["extra_body"] = {**body, **self._constraint.for_request({**arguments, **body})}
            return client.chat.completions.create, {**arguments, "messages": list(request.messages)}
        if self._constraint is not None:
            raise BackendError("an engine cannot hold the rest of a program to the grammar", hint=_ONLY_CHAT, path=self._where)
        arguments["prompt"] = request.prompt
        if request.task == INFILL:
            arguments["suffix"] = request.suffix
        return client.completions.create, arguments


async def _chunks(answer: Any) -> AsyncGenerator[Any, None]:
    try:
        async for chunk in answer:
            yield chunk
    finally:
        await answer.close()


def _received(answer: Any, request: Request) -> str:
    """Keep an answer or a chunk of one; return the text of its first choice."""
    request.raw.append(answer)
    if not answer.choices:
        return ""
    choice = answer.choices[0]
    if (reason := getattr(choice, "finish_reason", None)) is not None:
        by_text = isinstance(getattr(choice, "stop_reason", None), str)  # of vLLM; others do not tell a text from the model's end
        request.spent.stopped = LENGTH if reason == LENGTH else STOP if by_text else END
    if request.task != CHAT:
        return choice.text or ""
    part = getattr(choice, "delta", None) or getattr(choice, "message", None)
    return (part.content if part is not None else None) or ""


def _logprob(request: Request) -> float | None:
    """The mean logarithm of the probability of the tokens in the answers so far; ``None`` if the server does not tell."""
    if not request.logprobs:
        return None
    choices = [answer.choices[0] for answer in request.raw if answer.choices]
    found = [number for choice in choices for number in _logprobs(getattr(choice, "logprobs", None))]
    return sum(found) / len(found) if found else None


def _logprobs(told: Any) -> list[float]:
    """The logarithms of probabilities that one choice tells, in either of the two forms that servers have for them."""
    tokens = getattr(told, "content", None) or ()
    found = [_field(token, "logprob") for token in tokens] or getattr(told, "token_logprobs", None) or ()
    return [number for number in found if isinstance(number, int | float)]


def _field(found: Any, name: str) -> Any:
    return found.get(name) if isinstance(found, dict) else getattr(found, name, None)


def _environment_key() -> str | None:
    import os

    return os.environ.get("OPENAI_API_KEY")


def _failed(error: Exception, where: str | None) -> BackendError:
    if isinstance(error, StopIteration):
        return BackendError("the server lists no model", hint="say which: name=...", path=where)
    status = getattr(error, "status_code", None)
    reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    return BackendError(f"the server failed{f' with status {status}' if status else ''}: {reason}", path=where)

"""The handler of a request where there are policies: they are asked before the upstream, and see its answer.

What a request is to a policy, ``questions`` says; what an answer is, ``watched_answers``. Without policies, this module is not imported.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
from starlette.types import Message, Send

from dualcode.conversion.until import UNTIL
from dualcode.faults import fault
from dualcode.policies.chain import Chain
from dualcode.policies.protocol import Answer, Ask, Give, Question, Refuse
from dualcode.policies.rounds import REFUSED
from dualcode.server.apis.registry import Location
from dualcode.server.handler import GONE, POLICIES_HEADER, Handler
from dualcode.server.json_objects import dump, parse
from dualcode.server.keys import Headers
from dualcode.server.logs import log
from dualcode.server.own_answers import EVENTS, JSON, own_answer, wants_events
from dualcode.server.proxy_policies import OtherModel, ProxyPolicies
from dualcode.server.questions import LOGPROBS, question_of, request_of, tenant_of
from dualcode.server.refusals import RefusedError
from dualcode.server.watched_answers import Outcome, WatchedAnswer
from dualcode.server.workers import LONG
from dualcode.usage import counter
from simpy_grammar.errors import BackendError, SimPyError

_LONGEST_HEADER, _LONGEST_REASON = 1024, 200
_PLAIN = "".join(map(chr, range(32, 127))).translate({ord("%"): None, ord(";"): None})
_HALF_ESCAPE = re.compile(r"%.?$")
_FOR_OTHERS = frozenset((b"accept", b"accept-encoding", b"anthropic-version", b"content-type", b"user-agent"))
"""The headers of a client that go to servers it does not know of."""
_UNKNOWN_FIELD = (400, 422)
_MOST_TOKENS = 1 << 20  # of an answer, as counted: a request may ask for any number


class PolicedHandler(Handler):
    """One request and its answer, with policies before the upstream."""

    _policies: ProxyPolicies
    _chain: Chain
    _asked: Question
    _send_directly: Send
    _fields: Mapping[str, Any] = {}
    _watches = False
    _watched: WatchedAnswer | None = None
    _held: list[Message] | None = None
    _held_size = 0
    _shown = False  # the policies have seen the answer
    _start_of_round = 0.0
    _hides_logprobs = False

    async def _respond(self, body: bytes) -> None:
        policies, path = self._proxy.policies, self._location.path
        request = parse(body) if self._scope["method"] == "POST" else None
        question = None
        if request is not None and policies is not None:
            tenant = tenant_of(self._scope["headers"], self._location.azure, self._query)
            dialect = self._proxy.requests.dialect.name
            question = question_of(path, request, dialect=dialect, tenant=tenant, identity=policies.identity)
        if policies is None or request is None or question is None:
            await super()._respond(body)
            return
        self._policies, self._asked, self._watches = policies, question, policies.see_answers
        self._chain = await asyncio.to_thread(Chain, policies.policies, question)
        self._fields = request  # from here on there is a chain, should the client leave
        self._send_directly, self._send_message = self._send_message, self._send_or_hold
        try:
            while await self._round(body):
                pass
            await self._let_go()
        finally:
            self._held = None  # what the client gets in its place is not held

    async def _round(self, body: bytes) -> bool:
        """Give or get one answer; say whether another is to be asked for."""
        chain = self._chain
        self._decisions = list(chain.reasons)
        self._held = [] if chain.holds else None
        self._held_size, self._watched, self._answer, self._hides_logprobs = 0, None, None, False
        self._start_of_round, self._shown, self._given = time.perf_counter(), False, not isinstance(chain.decision, Ask)
        if isinstance(chain.decision, Ask):
            if not await self._get(body, chain.decision.question):
                return True
        else:
            await self._give(body, chain.decision)
        if self._held is None or await self._is_kept():  # where the client has it, policies see it when the request is accounted for
            return False
        if self._answer is not None and not self._given:
            self._discarded.append((self._request, self._answer))
        return True

    async def _is_kept(self) -> bool:
        """Show the answer to the policies; say whether it is kept."""
        if not self._watches or self._shown:
            return True
        self._shown = True
        try:
            found = await asyncio.to_thread(self._seen)
        except Exception as error:  # a fault of ours must not cost the person the answer
            log(logging.ERROR, f"an answer could not be shown to the policies: {fault(error)}", reason=fault(error))
            return True
        return found is None or await asyncio.to_thread(self._chain.ended, found)

    # ------------------------------------------------------------------------------------------------- asking the upstream

    async def _get(self, body: bytes, question: Question) -> bool:
        """Ask the upstream, or the model that a policy named; ``False`` if it failed, and a policy has another question."""
        other = self._policies.models.get(question.model) if question.model else None
        if question.model and other is None:
            log(logging.ERROR, f"a policy names a model that it does not have: {question.model!r}")
        await self._convert_question(body, question, other, logprobs=self._chain.logprobs)
        try:
            await self._get_from(other, body, question)
        except (RefusedError, SimPyError) as error:
            if await self._is_final(error.message if isinstance(error, SimPyError) else str(error)):
                raise
            return False
        return not self._failure or await self._is_final(self._failure)

    async def _get_from(self, other: OtherModel | None, body: bytes, question: Question) -> None:
        response = await self._ask_model(other)
        if self._hides_logprobs and response.status_code in _UNKNOWN_FIELD:  # it may not know the field that we added
            await response.aclose()
            self._failure, self._hides_logprobs = "", False
            await self._convert_question(body, question, other, logprobs=False)
            response = await self._ask_model(other)
        try:
            if other is not None and other.upstream is not None and response.status_code != 200:
                # what a server that the client does not know says of an error is not for the client
                raise RefusedError(502, "upstream_error", f"the model {question.model} answered {response.status_code}")
            await self._answer_with(response)
        finally:
            await response.aclose()
        if self._held is not None and not self._failure and self._watched and await asyncio.to_thread(self._watched.says_error):
            if other is not None and other.upstream is not None:
                raise RefusedError(502, "upstream_error", f"the model {question.model} answered with an error")
            self._failure = "the model answered with an error"

    async def _is_final(self, reason: str) -> bool:
        """Show the failure of a model to the policies, where the client has got nothing; say whether it is final."""
        if self._held is None or await asyncio.to_thread(self._chain.failed, BackendError(reason)):
            return True
        log(logging.WARNING, f"a model failed, and a policy asks another: {reason}", failure=reason)
        self._failure = ""
        return False

    async def _convert_question(self, body: bytes, question: Question, other: OtherModel | None, *, logprobs: bool) -> None:
        """Convert the request that asks a question; the person's own where that cannot be done."""
        fields = request_of(self._fields, self._asked, question)
        if other is not None and other.name:
            fields["model"] = other.name
        wanted = LOGPROBS.get(self._location.path)
        if logprobs and wanted is not None and (fields.get("logprobs") is None or fields["logprobs"] is False):
            fields["logprobs"] = wanted
            self._hides_logprobs = True
        if fields == self._fields:
            self._request = await self._convert_request(body)
            return
        sent = await asyncio.to_thread(dump, fields) if len(body) >= LONG else dump(fields)
        try:
            self._request = await self._convert_request(sent)
        except RefusedError as refused:
            log(logging.ERROR, f"the question of a policy is refused, so the request goes on as received: {refused.code}")
            self._hides_logprobs = False
            self._request = await self._convert_request(body)

    async def _ask_model(self, other: OtherModel | None) -> httpx.Response:
        location = self._location
        if other is None:
            return await self._ask()
        if other.upstream is None:
            if location.azure.startswith("/openai/deployments/"):  # there the path names the model
                location = location._replace(azure=f"/openai/deployments/{quote(other.name, safe='')}")
            headers = self._proxy.keys.outgoing(self._headers_on(), location)
            return await self._ask_at(self._proxy.upstream, location, self._query, headers)
        headers = [(name, value) for name, value in self._headers_on() if name in _FOR_OTHERS]
        headers += _key_headers(other.key, location)
        return await self._ask_at(other.upstream, Location(location.path, ""), "", headers)

    # ------------------------------------------------------------------------------------------------- answering here

    async def _give(self, body: bytes, decision: Give | Refuse) -> None:
        """Answer with what a policy gave, or with nothing."""
        question, path, by = self._chain.question, self._location.path, self._chain.by
        answer = decision.answer if isinstance(decision, Give) else None
        until = answer.until if answer is not None else None
        await self._convert_question(body, replace(question, until=question.until or until), None, logprobs=False)
        if answer is None:
            made, media_type = own_answer(path, self._fields, note=f"{by}: {decision.reason}")
            await self._start(200, [(b"content-type", media_type.encode())], 0)
            await self._send(made, more=False)
        else:
            made, media_type = answer.body, answer.media_type
            if not made or media_type.startswith(EVENTS) != wants_events(self._fields):
                made, media_type = own_answer(path, self._fields, answer.text, stopped=answer.stopped)
            await self._answer_with(httpx.Response(200, headers={"content-type": media_type.partition(";")[0]}, content=made))

    def _tokens_avoided(self) -> int:
        """The tokens that the upstream would have read, and those that it would have written, as far as they are known."""
        answer = self._chain.decision.answer if isinstance(self._chain.decision, Give) else None
        count, _ = counter(self._settings.count_tokens)
        written = 0
        if answer is not None:
            written = answer.tokens if answer.tokens is not None else count("".join(self._answer.texts.sent) if self._answer else "")
        return count("\n".join(self._request.texts.sent)) + written

    # ------------------------------------------------------------------------------------------------- answers as policies see them

    def _pieces(self, response: httpx.Response) -> AsyncIterator[bytes]:
        if not (self._watches or self._hides_logprobs):
            return super()._pieces(response)
        events = response.headers.get("content-type", "").startswith(EVENTS)
        self._watched = WatchedAnswer(events=events, limit=self._settings.max_answer, keeps=self._watches, hidden=self._hides_logprobs)
        return self._watched.tap(super()._pieces(response))

    def _seen(self) -> Answer | None:
        """The answer as policies see it; ``None`` if it broke off, is an error, or was not read."""
        chain, model = self._chain, self._chain.question.model
        seconds = time.perf_counter() - self._start_of_round
        if isinstance(chain.decision, Refuse):
            return Answer("", stopped=REFUSED, seconds=seconds, model=model, by=chain.by)
        watched, converter, request = self._watched, self._answer, self._request
        if watched is None or converter is None or self._failure not in ("", GONE) or not (watched.fits and converter.has_ended):
            return None
        cut = {number: end for number, end in request.ends.items() if end.at is not None}
        ended = watched.outcome(self._location.path)
        if cut and converter.is_over:
            ended = Outcome(True, ended.stopped if ended.stopped == "length" else UNTIL)
        if not ended.whole:
            return None
        if not watched.logprobs and chain.logprobs:
            watched.read_logprobs()
        texts = converter.by_number
        echoes = bool(self._fields.get("echo"))
        for number, end in cut.items() if not echoes else ():
            sent, python = texts.get(number, ("", ""))
            texts[number] = sent[: end.at] + end.closing, python
        given = chain.decision.answer if isinstance(chain.decision, Give) else None
        media_type = EVENTS if watched.events else JSON
        return Answer(
            "".join(sent for sent, _ in texts.values()),
            "".join(python for _, python in texts.values()),
            given.stopped if given is not None and given.stopped else ended.stopped,
            given.tokens if given is not None else converter.usage.output if converter.usage is not None else None,
            sum(watched.logprobs) / len(watched.logprobs) if watched.logprobs else None,
            len(request.notes) + len(converter.notes),
            seconds,
            model,
            chain.by,
            chain.question.until if cut else None,
            watched.body,
            media_type,
        )

    # ------------------------------------------------------------------------------------------------- what the client gets

    async def _start(self, status: int, headers: Headers, notes: int, unconverted: str = "") -> None:
        if self._decisions:
            headers = [*headers, (POLICIES_HEADER, _shown(self._decisions).encode())]
        await super()._start(status, headers, notes, unconverted)

    async def _send_or_hold(self, message: Message) -> None:
        if self._held is None:
            await self._send_directly(message)
            return
        self._held.append(message)
        self._held_size += len(message.get("body", b""))
        if self._held_size > self._settings.max_answer:
            await self._let_go()

    async def _let_go(self) -> None:
        """Send what is held."""
        held, self._held = self._held, None
        for message in held or ():
            await self._send_directly(message)

    async def _account(self, seconds: float) -> None:
        if self._fields:  # policies were asked
            await self._is_kept()
            if self._given:
                self._proxy.metrics.avoided(self._chain.by, await asyncio.to_thread(self._tokens_avoided))
        await super()._account(seconds)
        if self._answer is not None and (unspent := self._unspent(self._answer.texts.sent)):
            self._proxy.metrics.unspent(unspent, model=self._request.model)

    def _unspent(self, sent: list[str]) -> int:
        """The tokens of ``max_tokens`` that an answer was not given because the code that was asked for had ended."""
        fields = self._fields
        limit = fields.get("max_completion_tokens") or fields.get("max_tokens")
        ended = self._request.ends and all(end.at is not None for end in self._request.ends.values())
        if not ended or not isinstance(limit, int) or not wants_events(fields) or self._given:
            return 0
        count, _ = counter(self._settings.count_tokens)
        return max(0, min(limit, _MOST_TOKENS) * len(self._request.ends) - count("".join(sent)))


def _key_headers(key: str, location: Location) -> Headers:
    if not key:
        return []
    return [(b"x-api-key", key.encode())] if location.path.startswith("/messages") else [(b"authorization", b"Bearer " + key.encode())]


def _shown(reasons: list[str]) -> str:
    """Reasons as the value of a header: printable ASCII, all else in percent, and not too long.

    >>> _shown(["cache: hit", "stop: until the block ends; 5 %"]), len(_shown(["x" * 150] * 20))
    ('cache: hit; stop: until the block ends%3B 5 %25', 1024)
    """
    text = "; ".join(quote(reason[:_LONGEST_REASON], safe=_PLAIN, errors="replace") for reason in reasons)
    return _HALF_ESCAPE.sub("", text[:_LONGEST_HEADER]).strip()

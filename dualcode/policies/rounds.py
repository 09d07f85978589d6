"""The calls that one question takes under policies, for the wrapper."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import replace

from dualcode.backends.protocol import Backend, Request
from dualcode.calls import Call, Result
from dualcode.conversion.streams import Unchanged
from dualcode.policies.chain import Chain
from dualcode.policies.protocol import Answer, Ask, Give, Question, Refuse
from simpy_grammar.errors import BackendError

REFUSED = "refused"


class Rounds:
    """The calls of one question, one after the other (see ``dualcode.calls.Exchange``).

    Args:
        chain: the policies, which have seen the question.
        call_of: makes the call for a question; with a backend that gives a policy's answer, or ``None`` for a model.
        model_of: the model that a question is for.
        question: the question as the person asked it.
    """

    def __init__(
        self,
        chain: Chain,
        call_of: Callable[[Question, Backend | None], Call],
        model_of: Callable[[Question], Backend],
        question: Question,
    ) -> None:
        self._chain = chain
        self._call_of = call_of
        self._model_of = model_of
        self._question = question
        self.result: Result | None = None
        self.call = self._next()

    @property
    def holds(self) -> bool:
        """Whether the person gets no piece before the call has ended."""
        return self.call.holds

    def again(self) -> bool:
        """Show the policies what the call gave; say whether another is to be made."""
        call, found = self.call, self.call.result
        if found is None:
            return False
        spent = call.request.spent
        answer = Answer(
            found.raw_text,
            found.text,
            found.usage.stopped,
            spent.tokens,
            spent.logprob,
            len(found.notes),
            found.usage.model_seconds,
            self._question.model,
            self._chain.by,
            self._question.until,
        )
        if not self._chain.ended(answer):
            self.call = self._next()
            return True
        if call.holds:
            call.check()
        self.result = replace(found, policies=tuple(self._chain.reasons))
        return False

    def failed(self, error: BackendError) -> bool:
        """Whether another call is to be made, after this one has failed."""
        if not self.call.holds or self._chain.failed(error):
            return False
        self.call = self._next()
        return True

    def _next(self) -> Call:
        """The next call that can be made: a model that cannot do the task at all fails before its call."""
        while True:
            try:
                return self._decided()
            except BackendError as error:
                if not self._chain.holds or self._chain.failed(error):
                    raise

    def _decided(self) -> Call:
        decision, self._question = self._chain.decision, self._chain.question
        if isinstance(decision, Ask):
            call = self._call_of(self._question, None)
            call.request.logprobs = self._chain.logprobs
        else:
            model = self._model_of(self._question)
            answer = decision.answer if isinstance(decision, Give) else Answer("", stopped=REFUSED)
            self._question = replace(self._question, until=self._question.until or answer.until)
            call = self._call_of(self._question, Given(model, answer))
            call.given = True
            if isinstance(decision, Refuse):
                call.stream = Unchanged()
        call.holds = self._chain.holds
        return call


class Given:
    """A backend that gives an answer which is there already.

    Args:
        model: the model in whose place it stands; it counts tokens.
        answer: the answer, in the words of the model.
    """

    def __init__(self, model: Backend, answer: Answer) -> None:
        self.tasks = model.tasks
        self.count = model.count
        self._answer = answer

    def run(self, request: Request) -> Generator[str, None, None]:
        """The answer."""
        request.spent.stopped, request.spent.tokens = self._answer.stopped, self._answer.tokens
        if self._answer.text:
            yield self._answer.text

    async def arun(self, request: Request) -> AsyncGenerator[str, None]:
        """The same for asyncio."""
        for piece in self.run(request):
            yield piece

"""What servers report about the tokens that they spent: each API, whole answers and events, and values that make no sense."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualcode.reported_usage import SHAPES, ReportedUsage, UsageReader, reported_usage
from dualcode.usage import SessionUsage, Usage, reported_by

CHAT = {"prompt_tokens": 90, "completion_tokens": 7, "total_tokens": 97, "prompt_tokens_details": {"cached_tokens": 64, "audio_tokens": 0}}
RESPONSES = {"input_tokens": 90, "input_tokens_details": {"cached_tokens": 64}, "output_tokens": 7, "total_tokens": 97}
MESSAGES = {"input_tokens": 20, "cache_creation_input_tokens": 6, "cache_read_input_tokens": 64, "output_tokens": 7}
EXPECTED = ReportedUsage(uncached=26, cached=64, output=7)


@pytest.mark.parametrize(
    ("path", "usage", "expected"),
    [
        ("/chat/completions", CHAT, EXPECTED),
        ("/completions", CHAT, EXPECTED),
        ("/responses", RESPONSES, EXPECTED),
        ("/messages", MESSAGES, ReportedUsage(uncached=26, cached=64, written_to_cache=6, output=7)),
    ],
)
def test_a_whole_answer(path: str, usage: dict[str, Any], expected: ReportedUsage) -> None:
    found = reported_usage(path, {"id": "1", "usage": usage})
    assert found == expected
    assert found is not None and found.uncached + found.cached == 90


def read(path: str, *events: dict[str, Any]) -> ReportedUsage | None:
    reader = UsageReader(path)
    for event in events:
        reader.add(event)
    return reader.usage


def test_the_last_chunk_of_a_chat() -> None:
    assert read("/chat/completions", {"choices": [{"delta": {}}], "usage": None}, {"choices": [], "usage": CHAT}) == EXPECTED


def test_sums_so_far_are_not_added() -> None:
    """vLLM can report in every chunk."""
    chunks = [{"usage": {"prompt_tokens": 90, "completion_tokens": tokens}} for tokens in (1, 2, 7)]
    assert read("/chat/completions", *chunks) == ReportedUsage(uncached=90, output=7)


@pytest.mark.parametrize("end", ["response.completed", "response.incomplete"])
def test_the_event_that_ends_a_response(end: str) -> None:
    events = [
        {"type": "response.created", "response": {"id": "1", "usage": None}},
        {"type": "response.output_text.delta", "delta": "usage"},
        {"type": end, "response": {"id": "1", "usage": RESPONSES}},
    ]
    assert read("/responses", *events[:2]) is None
    assert read("/responses", *events) == EXPECTED


def test_the_events_of_a_message() -> None:
    start = {"type": "message_start", "message": {"usage": {**MESSAGES, "output_tokens": 1}}}
    end = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 7}}
    expected = ReportedUsage(uncached=26, cached=64, written_to_cache=6, output=7)
    assert read("/messages", start, {"type": "ping"}, end) == expected
    again = {**end, "usage": {**MESSAGES, "cache_creation_input_tokens": 0}}
    assert read("/messages", start, again) == expected
    unknown_at_first = {"type": "message_start", "message": {"usage": {"input_tokens": 0, "output_tokens": 0}}}
    assert read("/messages", unknown_at_first, {**end, "usage": MESSAGES}) == expected


def test_an_answer_that_reports_nothing() -> None:
    for path in (*SHAPES, "/embeddings"):
        assert reported_usage(path, {"choices": []}) is None
    assert reported_usage("/embeddings", {"usage": CHAT}) is None


@pytest.mark.parametrize("value", [-1, "90", 1e3, True, None, 10**30, [90], {"cached_tokens": 1}, float("nan")])
def test_values_that_make_no_sense_are_not_counted(value: Any) -> None:
    assert reported_usage("/chat/completions", {"usage": {"prompt_tokens": value, "completion_tokens": 7}}) == ReportedUsage(output=7)
    assert reported_usage("/chat/completions", {"usage": {**CHAT, "prompt_tokens_details": value}}) in (
        ReportedUsage(uncached=90, output=7),
        ReportedUsage(uncached=89, cached=1, output=7),
    )
    for path in SHAPES:
        assert reported_usage(path, {"usage": value, "message": value, "response": value}) is None


def test_more_cached_tokens_than_tokens() -> None:
    found = reported_usage("/chat/completions", {"usage": {"prompt_tokens": 9, "prompt_tokens_details": {"cached_tokens": 64}}})
    assert found == ReportedUsage(uncached=0, cached=9)


NAMES = sorted({name for usage in (CHAT, RESPONSES, MESSAGES) for name in usage} | {"cached_tokens", "usage", "message", "response"})
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(SHAPES)), st.lists(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=4), max_size=4))
def test_any_json_gives_counts_or_nothing(path: str, events: list[dict[str, Any]]) -> None:
    found = read(path, *events)
    if found is not None:
        assert min(found.uncached, found.cached, found.written_to_cache, found.output) >= 0
        assert found.written_to_cache <= found.uncached
        assert found.uncached + found.cached + found.output > 0


# ------------------------------------------------------------------------------------------------------------ wrapper


class Part:
    """An object of OpenAI's client."""

    def __init__(self, usage: Any) -> None:
        self.usage = usage


class Counts:
    def model_dump(self) -> dict[str, Any]:
        return CHAT


def test_the_objects_of_the_client() -> None:
    assert reported_by([Part(None), Part(Counts()), object()]) == EXPECTED
    assert reported_by([]) is None


def test_a_session_adds_what_was_reported() -> None:
    session = SessionUsage()
    session.add(Usage("chat", 80, 100, 10, 20, reported=EXPECTED))
    assert session.summary().endswith("; the server counts 26 uncached and 64 cached tokens in, 7 out")
    session.add(Usage("chat", 80, 100, 10, 20, reported=EXPECTED))
    session.add(Usage("chat", 80, 100, 10, 20))
    assert session.total.reported == EXPECTED + EXPECTED
    assert session.summary().endswith("52 uncached and 128 cached tokens in, 14 out, in 2 of the calls")
    assert '"cached": 128' in session.to_json()


def test_an_estimate_says_how_far_off_it_may_be() -> None:
    session = SessionUsage()
    session.add(Usage("chat", 80, 100, 10, 20, estimated=True))
    line = session.summary()
    assert line.startswith("1 call: about 120 -> 90 tokens (25.0 % saved) (estimated for cl100k_base, within ")
    assert " points), in 100 -> 80" in line

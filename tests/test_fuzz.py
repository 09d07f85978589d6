"""The kept corpus of the fuzzer, every input through its target: what was found once stays found, without atheris too."""

from __future__ import annotations

from itertools import islice

import pytest

from fuzz import corpus
from fuzz.minimise import minimise
from fuzz.mutations import inputs
from fuzz.properties import TARGETS


@pytest.mark.parametrize("target", TARGETS)
def test_the_kept_corpus_holds(target: str) -> None:
    inputs = corpus.kept(target)
    assert len(inputs) >= 50, "a corpus that is worth keeping"
    for data in inputs:
        try:
            TARGETS[target](data)
        except Exception as error:
            raise AssertionError(f"{target}({data!r})") from error


@pytest.mark.parametrize("target", TARGETS)
def test_the_seeds_hold(target: str) -> None:
    inputs = list(corpus.seeds(target))[::7]
    assert len(inputs) >= 100
    for data in inputs:
        TARGETS[target](data)


def test_a_target_notices_what_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    import transpiler

    monkeypatch.setattr(transpiler, "encode", lambda *args, **options: "x=2")
    with pytest.raises(AssertionError):
        TARGETS["decode"](b"\0x=1")
    with pytest.raises(AssertionError):
        TARGETS["encode"](b"\0x = 1\n")


@pytest.mark.parametrize("target", TARGETS)
def test_drawn_inputs_hold(target: str) -> None:
    start = [*corpus.kept(target), *list(corpus.seeds(target))[::7]]
    drawn = list(islice(inputs(start, corpus.dictionary(target), seed=7, longest=300), len(start) + 150))
    assert drawn[: len(start)] == start
    assert len(set(drawn[len(start) :]) - set(start)) >= 130, "mutations make new inputs"
    for data in drawn[len(start) :]:
        TARGETS[target](data)


def test_drawn_inputs_depend_on_the_seed_alone() -> None:
    one, same, other = (list(islice(inputs([b"x = 1", b"f()"], [b"<in>"], seed=seed, longest=9), 50)) for seed in (1, 1, 2))
    assert one == same != other
    assert max(map(len, one)) == 9


def test_minimising_keeps_what_reaches_more() -> None:
    inputs = [b"\0x=1", b"\0y=1", b"\0<pass>", b"\0<pass><pass>"]
    assert minimise("decode", inputs) == [b"\0x=1", b"\0<pass>", b"\0<pass><pass>"]


def test_a_corpus_is_read_as_it_was_written(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    monkeypatch.setattr(corpus, "KEPT", tmp_path)
    inputs = [bytes(range(256)), b"", b"\n"]
    corpus.keep("decode", inputs)
    assert corpus.kept("decode") == [b"", b"\n", bytes(range(256))]

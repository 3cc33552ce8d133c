"""What simulated answers are made of, and the messages of the AWS event stream."""

from __future__ import annotations

import re

import pytest
from botocore.eventstream import EventStreamBuffer
from hypothesis import given
from hypothesis import strategies as st

from harness.simulators import CODE_WORD, compose, encode_message
from harness.simulators.answers import Pace

GOLDEN = (
    "Certainly, kestrel4127 it is, before anything else. In this vignette, déjà vu included, the subject of old stone "
    "bridges takes the leading part. Nothing about the subject of old stone bridges is as simple as the first page "
    "suggests. For a start, compare the subject of old stone bridges with whatever you already understand."
)
GOLDEN_SECONDS = 3.255798

prompts = st.one_of(
    st.text(),
    st.from_regex(CODE_WORD, fullmatch=True).map(lambda code: f"Begin with {code}, then write about old bridges."),
)


@given(prompts)
def test_the_pieces_join_to_the_text(prompt: str) -> None:
    """Nothing is lost between the pieces, and each has its moment."""
    answer = compose(prompt)
    assert "".join(answer.pieces) == answer.text
    assert all(answer.pieces)
    assert len(answer.gaps) == len(answer.pieces)


@given(prompts)
def test_an_answer_depends_on_its_prompt_alone(prompt: str) -> None:
    """The same prompt gets the same answer at the same pace."""
    assert compose(prompt) == compose(prompt)


@given(st.from_regex(CODE_WORD, fullmatch=True), st.text(alphabet="abc xyz,.", max_size=80))
def test_an_answer_is_of_the_agreed_length_and_says_the_code_word_first(code: str, rest: str) -> None:
    """40 to 60 words in tens of pieces, the code word once and in the first sentence, one word beyond ASCII."""
    answer = compose(f"Begin with {code}. Write about {rest}")
    assert 40 <= len(answer.text.split()) <= 60
    assert len(answer.pieces) >= 40
    assert answer.text.count(code) == 1
    assert code in answer.text.split(". ")[0]
    assert not answer.text.isascii()


@given(prompts, st.integers(1, 400))
def test_an_answer_is_about_as_long_as_it_is_asked_to_be(prompt: str, words: int) -> None:
    """Two sentences are the least and ten the most, and one more than is needed is never said."""
    answer = compose(prompt, words=words)
    sentences = answer.text.split(". ")
    assert 2 <= len(sentences) <= 10
    assert len(answer.text.split()) >= words or len(sentences) == 10
    assert len(sentences) == 2 or len(". ".join(sentences[:-1]).split()) < words


@given(prompts)
def test_the_pace_keeps_its_bounds(prompt: str) -> None:
    """The first byte comes after 250 to 450 ms, the pieces 20 to 60 ms apart."""
    answer = compose(prompt)
    assert 0.25 <= answer.first <= 0.45
    assert answer.gaps[0] == 0
    assert all(0.02 <= gap <= 0.06 for gap in answer.gaps[1:])


def test_the_text_is_the_same_on_every_machine() -> None:
    """A golden answer: the words do not depend on Python's own random numbers or hashes."""
    answer = compose("Begin with the code word kestrel4127, then write about old stone bridges.")
    assert answer.text == GOLDEN
    assert round(answer.lasts, 6) == GOLDEN_SECONDS


def test_several_code_words_are_all_repeated() -> None:
    """A prompt that was joined from several keeps all their code words, in order."""
    first = compose("otter1111 and badger2222 and otter1111").text.split(". ")[0]
    assert re.findall(CODE_WORD, first) == ["otter1111", "badger2222"]


def test_an_answer_grows_with_time() -> None:
    """Before the first byte there is nothing; at the end there is everything; one piece more at each gap."""
    answer = compose("otter1111", pace=Pace(first=(100, 100), between=(10, 10)))
    assert answer.said_after(0.0999) == ()
    assert answer.said_after(0.1001) == answer.pieces[:1]
    assert answer.said_after(0.1251) == answer.pieces[:3]
    assert answer.said_after(answer.lasts) == answer.pieces


@given(
    st.dictionaries(st.text(alphabet="abcdefgh:-", min_size=1, max_size=40), st.text(max_size=200), max_size=5),
    st.binary(max_size=2000),
)
def test_botocore_decodes_what_is_encoded(headers: dict[str, str], payload: bytes) -> None:
    """Headers and payload come out of botocore's decoder, checksums and all, as they went in."""
    buffer = EventStreamBuffer()
    buffer.add_data(encode_message(headers, payload) + encode_message({}, b""))
    first, second = list(buffer)
    assert (first.headers, first.payload) == (headers, payload)
    assert (second.headers, second.payload) == ({}, b"")


def test_a_header_that_is_too_long_is_refused() -> None:
    """A name has at most 255 bytes and a value at most 65535."""
    for headers in ({"n" * 256: "v"}, {"n": "v" * 65536}):
        with pytest.raises(ValueError, match="too long"):
            encode_message(headers, b"")

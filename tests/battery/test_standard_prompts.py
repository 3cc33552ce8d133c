"""
The standard prompts and the code words by which they are recognised.
"""

from __future__ import annotations

import base64
import gzip
import json
import pickle
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from vcr.request import Request

from harness.battery.prompts import PROMPTS
from harness.marks import CODE_WORD, carried, code_word
from harness.tape.reading import readable

WORDS = [code_word(prompt) or "" for prompt in PROMPTS]
TOKENS = st.text("abcdefghijklmnopqrstuvwxyz", min_size=4, max_size=9)


def test_each_prompt_has_one_code_word_of_its_own() -> None:
    """
    Three prompts, three code words, and none stands in another prompt.
    """
    found = [CODE_WORD.findall(prompt) for prompt in PROMPTS]
    assert [len(words) for words in found] == [1, 1, 1]
    assert len({words[0] for words in found}) == len(PROMPTS)
    assert [[word in prompt for prompt in PROMPTS] for word in WORDS] == [
        [True, False, False],
        [False, True, False],
        [False, False, True],
    ]


def test_each_prompt_asks_for_a_long_answer() -> None:
    """
    A prompt asks for enough text that a stream of it has many pieces.
    """
    assert all("eighty words" in prompt for prompt in PROMPTS)


@given(st.sets(st.integers(0, 2)), st.randoms(use_true_random=False))
def test_a_request_carries_what_its_text_holds(chosen: set[int], random: object) -> None:
    """
    Whichever prompts a text holds, in whatever order, these are the ones that it carries.
    """
    order = list(chosen)
    random.shuffle(order)  # type: ignore[attr-defined]  # hypothesis gives a Random
    assert carried(" / ".join(PROMPTS[one] for one in order), PROMPTS) == tuple(sorted(chosen))


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (json.dumps({"prompt": PROMPTS[0]}).encode(), {}),
        (json.dumps({"messages": [{"role": "user", "content": [{"text": PROMPTS[0]}]}]}).encode(), {}),
        (json.dumps({"body": json.dumps({"prompt": PROMPTS[0]})}).encode(), {}),
        (json.dumps({"body": base64.b64encode(PROMPTS[0].encode()).decode()}).encode(), {}),
        (json.dumps({"body": base64.encodebytes(pickle.dumps([[], {"prompt": PROMPTS[0]}])).decode()}).encode(), {}),
        (json.dumps({"prompt": PROMPTS[0], "name": "é" * 24}, ensure_ascii=False).encode(), {}),
        (gzip.compress(json.dumps({"prompt": PROMPTS[0]}).encode()), {"content-encoding": "gzip"}),
        (f"prompt={quote_plus(PROMPTS[0])}&n=1".encode(), {}),
        (f"--x\r\ncontent-disposition: form-data\r\n\r\n{PROMPTS[0]}\r\n--x--".encode(), {}),
    ],
    ids=["json", "messages", "json-in-json", "base64", "pickle", "beside-accents", "gzip", "form", "multipart"],
)
def test_a_prompt_is_recognised_however_it_is_packed(body: bytes, headers: dict[str, str]) -> None:
    """
    JSON, JSON in JSON, base64, pickles, gzip, forms and multipart bodies carry the prompt that was put into them.
    """
    assert carried(readable(Request("POST", "http://h/v1", body, headers)), PROMPTS) == (0,)


def test_an_address_carries_a_prompt_too() -> None:
    """
    A prompt in a query is carried like one in a body.
    """
    request = Request("GET", f"http://h/v1?q={quote(PROMPTS[2])}", None, {})
    assert carried(readable(request), PROMPTS) == (2,)


OWN = ("Why?", "Why not?", "Say: why, and why not?")


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (["Why?"], (0,)),
        (["Why not?"], (1,)),
        (["Why?", "Why not?"], (0, 1)),
        (["Say: why, and why not?"], (2,)),
        (list(OWN), (0, 1, 2)),
        (["something else"], ()),
    ],
)
def test_own_prompts_are_told_apart_though_one_contains_another(sent: list[str], expected: tuple[int, ...]) -> None:
    """
    An input that stands in another counts only where it also stands by itself.
    """
    assert carried(json.dumps(sent), OWN) == expected


@given(
    st.lists(st.lists(TOKENS, min_size=3, max_size=6).map(" ".join), min_size=3, max_size=3, unique=True),
    st.sets(st.integers(0, 2)),
)
def test_own_prompts_are_recognised_by_their_text(inputs: list[str], chosen: set[int]) -> None:
    """
    Prompts without code words are carried where they were sent, whatever escapes and marks stand around them.
    """
    squeezed = ["".join(one.split()) for one in inputs]
    assume(not any(a in b for a in squeezed for b in squeezed if a is not b))
    text = json.dumps([f"<|1|>\n\n{inputs[one]}<|2|>" for one in sorted(chosen)])
    assert carried(text, inputs) == tuple(sorted(chosen))


def test_a_prompt_in_another_script_survives_escapes() -> None:
    """
    A prompt of accents and other scripts is recognised in a body that escapes them.
    """
    own = ("Où est le phare ?", "灯台はどこですか", "Где маяк?")
    request = Request("POST", "http://h/", json.dumps({"prompts": list(own)}).encode(), {})
    assert carried(readable(request), own) == (0, 1, 2)


def test_prompts_of_no_letters_are_carried_by_nothing() -> None:
    """
    A prompt of marks alone cannot be recognised, and nothing is claimed of it.
    """
    assert carried("?!", ("?!", "…", "--")) == ()

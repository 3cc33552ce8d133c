"""Answers whose values no standard frames, against what comes out: they are read, or nothing is said of them."""

from __future__ import annotations

import json
from base64 import b64encode
from itertools import cycle
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote
from xml.sax.saxutils import escape

import pytest
from stories import ANSWERS, Story, pieces_of

from harness import frames
from harness.verdicts.documents import documents
from harness.verdicts.judge import judge
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

TEXT: Final = ANSWERS[0]
PIECES: Final = pieces_of(TEXT)
ODD: Final = 'Ein Über-Bär 😀👨‍👩‍👧 cafe\u0301 ﬁne {1} [2] 50 % “quoted” "so" 日本語 ' + TEXT


def _invoke(body: bytes, output: str) -> Verdict:
    story = Story(Capability.INVOKE).begin()
    request = story.send()
    story.head(request, [body], kind="application/octet-stream").arrive(request, 0).end(request)
    return judge(Capability.INVOKE, story.give(output).events).verdict


def _values(text: Sequence[str]) -> Iterator[str]:
    return (json.dumps({"response": piece, "n": 7}, ensure_ascii=False) for piece in text)


def _one_behind_the_other(text: Sequence[str]) -> bytes:
    return "".join(_values(text)).encode()


def _over_several_lines(text: Sequence[str]) -> bytes:
    return "\n".join(json.dumps({"response": piece}, indent=2) for piece in text).encode()


def _behind_lengths(text: Sequence[str]) -> bytes:
    return b"".join(len(one.encode()).to_bytes(4) + one.encode() for one in _values(text))


def _behind_lengths_from_the_right(text: Sequence[str]) -> bytes:
    return b"".join(len(one.encode()).to_bytes(4, "little") + one.encode() for one in _values(text))


def _behind_lengths_in_digits(text: Sequence[str]) -> bytes:
    return "".join(f"{len(one)}:{one}," for one in _values(text)).encode()


def _closed_by_nul(text: Sequence[str]) -> bytes:
    return "".join(f"{one}\0" for one in _values(text)).encode()


def _behind_separators(text: Sequence[str]) -> bytes:
    return "".join(f"\x1e{one}\n" for one in _values(text)).encode()


def _behind_letters_of_their_kind(text: Sequence[str]) -> bytes:
    rows = [
        f"0:{json.dumps(piece)}\ng:{json.dumps(thought)}\n" for piece, thought in zip(text, cycle("hm"), strict=False)
    ]
    return "".join(['f:{"messageId": "m-1"}\n', *rows, 'd:{"finishReason": "stop"}\n']).encode()


def _of_several_parts(text: Sequence[str]) -> bytes:
    head = "--edge\r\nContent-Type: application/json\r\n\r\n"
    return "".join([*(f"{head}{one}\r\n" for one in _values(text)), "--edge--\r\n"]).encode()


def _as_calls_of_a_function(text: Sequence[str]) -> bytes:
    return "".join(f"<script>tell({one});</script>\n" for one in _values(text)).encode()


def _words_closed_by_nul(text: Sequence[str]) -> bytes:
    return "".join(f"{piece}\0" for piece in text).encode()


def _by_channels(text: Sequence[str]) -> bytes:
    thoughts = [{"channel": "analysis", "text": thought} for thought in ("I ", "see ", "a ", "lamp.")]
    told = [*thoughts, *({"channel": "final", "text": piece} for piece in text)]
    return "".join(f"data: {json.dumps(one)}\n\n" for one in told).encode()


def _ended_by_a_mark(text: Sequence[str]) -> bytes:
    return "".join([*text, "<END>"]).encode()


def _tokens_of_sentence_piece(text: Sequence[str]) -> bytes:
    return "".join(f"data: {json.dumps({'token': piece.replace(' ', chr(0x2581))})}\n\n" for piece in text).encode()


def _strings_of_json(text: Sequence[str]) -> bytes:
    return "".join(f"data: {json.dumps(one)}\n\n" for one in _values(text)).encode()


def _json_in_base64(text: Sequence[str]) -> bytes:
    return "".join(f"data: {b64encode(one.encode()).decode()}\n\n" for one in _values(text)).encode()


def _lists_of_places(text: Sequence[str]) -> bytes:
    return "".join(f"{json.dumps(['token', piece])}\n" for piece in text).encode()


def _lists_of_words(text: Sequence[str]) -> bytes:
    return "".join(f"data: {json.dumps(list(text[at : at + 5]))}\n\n" for at in range(0, len(text), 5)).encode()


def _packets_of_socket_io(text: Sequence[str]) -> bytes:
    return "\n".join([*(f'42["token",{one}]' for one in _values(text)), '42["end"]']).encode()


def _in_envelopes_with_flags(text: Sequence[str]) -> bytes:
    told = [*((b"\0", one.encode()) for one in _values(text)), (b"\2", b"{}")]
    return b"".join(flags + len(one).to_bytes(4) + one for flags, one in told)


def _in_binary_messages(text: Sequence[str]) -> bytes:
    return b"".join(frames.encode(frames.Frame(one.encode(), is_text=False)) for one in _values(text))


def _in_utf_16(text: Sequence[str]) -> bytes:
    return "".join(text).encode("utf-16-le")


def _quoted(text: Sequence[str]) -> bytes:
    return "".join(f"data: {quote(piece)}\n\n" for piece in text).encode()


def _marked_up(text: Sequence[str]) -> bytes:
    return "".join(["<?xml version='1.0'?>\n<a>", *(f"<t>{escape(piece)}</t>" for piece in text), "</a>"]).encode()


WIRES: Final = (
    _one_behind_the_other, _over_several_lines, _behind_lengths, _behind_lengths_from_the_right,
    _behind_lengths_in_digits, _closed_by_nul, _behind_separators, _behind_letters_of_their_kind, _of_several_parts,
    _in_binary_messages, _in_utf_16, _quoted, _marked_up, _as_calls_of_a_function, _words_closed_by_nul, _by_channels,
    _ended_by_a_mark, _tokens_of_sentence_piece, _strings_of_json, _json_in_base64, _lists_of_places, _lists_of_words,
    _packets_of_socket_io, _in_envelopes_with_flags,
)  # fmt: skip


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.__name__.strip("_"))
def test_the_answer_is_found_in_any_frame(wire: Callable[[Sequence[str]], bytes]) -> None:
    """
    The same text is native, whatever characters it holds; without its end, doubled or exchanged it is broken.
    """
    outputs = (TEXT, TEXT[:-20], f"{TEXT} {TEXT}", "Something else entirely was never said by it.")
    odd = [ODD[at : at + 3] for at in range(0, len(ODD), 3)]

    assert [_invoke(wire(PIECES), one) for one in outputs] == [Verdict.NATIVE, *[Verdict.BROKEN] * 3]
    assert _invoke(wire(odd), ODD) is Verdict.NATIVE


@pytest.mark.parametrize("blank", ["\\n", "<br>", "<br/>", "<n>", "\n"])
def test_white_space_may_be_written_out(blank: str) -> None:
    """
    An event that is one line cannot hold a line end; whoever puts one in its place has lost nothing.
    """
    said = ["One line", blank, "and another", blank, blank, "and the last."]
    body = "".join(f"data: {json.dumps({'text': one})}\n\n" for one in said).encode()

    assert _invoke(body, "One line\nand another\n\nand the last.") is Verdict.NATIVE
    assert _invoke(body, "".join(said)) is Verdict.NATIVE
    assert _invoke(body, "One line\nand another") is Verdict.BROKEN


@pytest.mark.parametrize(
    "text",
    [
        'Two examples: {"a": "b"} and {"a": "c"}, no more.',
        '{"a": "b"}\n{"a": "c"}\nThese were two examples.',
        '"one", "two", "three"',
        "See [1], or [2], or [3].",
        "1. [lamp](https://example.com)\n2. [lens](https://example.com)",
    ],
)
def test_values_within_words_are_words(text: str) -> None:
    """
    What stands between the values of a text says something.
    """
    assert [one.value for one in documents(text.encode())] == [text]


def test_an_answer_that_was_cut_off_is_read_up_to_there() -> None:
    """
    Also in the middle of a value, or of the frame before it.
    """
    for wire in (_one_behind_the_other, _behind_lengths, _behind_letters_of_their_kind, _of_several_parts, _marked_up):
        body = wire(PIECES)
        whole = _told(body)
        for at in range(len(body) // 2, len(body) // 2 + 60):
            cut = _told(body[:at])
            assert cut[:-1] == whole[: len(cut) - 1]
            assert len(cut) > 3


def _told(body: bytes) -> Sequence[object]:
    found: list[Any] = [one.value for one in documents(body)]
    # a document in XML is one, of many texts
    return list(found[0]["/a/t"]) if len(found) == 1 else found


def test_a_channel_is_given_whole_and_what_tells_of_the_end_is_none() -> None:
    """
    Whoever drops the thoughts has lost nothing; whoever drops the last piece has, whatever stands beside it.
    """
    for told in ("null", ""):
        rows = [{"text": piece, "finish": told} for piece in PIECES]
        rows[-1]["finish"] = "stop"
        body = "".join(f"data: {json.dumps(row)}\n\n" for row in rows).encode()
        assert _invoke(body, "".join(PIECES[:-1])) is Verdict.BROKEN
    assert _invoke(_by_channels(PIECES), f"I see a lamp. {TEXT}") is Verdict.NATIVE
    assert _invoke(_by_channels(PIECES), f"I see a lamp. {TEXT[:-20]}") is Verdict.BROKEN


def test_of_a_binary_format_that_nobody_knows_nothing_is_said() -> None:
    """
    Its answer cannot be told from another one, so that the cell is unknown.
    """
    body = b"".join(b"\x81\xa8response" + bytes([0xA0 | len(piece.encode())]) + piece.encode() for piece in PIECES)

    assert [_invoke(body, given) for given in (TEXT, TEXT[:-20])] == [Verdict.UNKNOWN] * 2

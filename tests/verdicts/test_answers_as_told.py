"""What comes out against what the upstream said: the same, decorated, or lost, doubled and foreign."""

from __future__ import annotations

import base64
import gzip
import json
import struct
import time
import zlib
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import pytest
from stories import ANSWERS, PROMPTS, Story, answer_json, invoked, pieces_of, sse

from harness.verdicts.documents import documents
from harness.verdicts.judge import judge
from harness.words import Capability, Verdict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TEXT = ANSWERS[0]
PIECES = pieces_of(TEXT)
REASONING = pieces_of("Hm, the person asks for a lighthouse; lamps and lenses come to my mind at once.")
ODD = "Ein Über-Bär 😀👨‍👩‍👧 cafe\u0301 ﬁne … ½ sep\u2028line\u0085next “quoted” 日本語 " + TEXT


def _event(value: object, name: str = "") -> str:
    data = value if isinstance(value, str) else json.dumps(value)
    return (f"event: {name}\n" if name else "") + f"data: {data}\n\n"


def _aws(label: str, payload: bytes) -> bytes:
    headers = b""
    for name, value in ((":event-type", label), (":message-type", "event")):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(value)) + value.encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + payload
    return message + struct.pack(">I", zlib.crc32(message))


def _openai(text: Sequence[str]) -> bytes:
    first = [_event({"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]})]
    rest = [_event({"choices": [{"index": 0, "delta": {"content": piece}}]}) for piece in text]
    usage = _event({"choices": [], "usage": {"total_tokens": 3}})
    return "".join([": PROCESSING\n\n", *first, *rest, usage, _event("[DONE]")]).encode()


def _openai_two(text: Sequence[str]) -> bytes:
    rows = [
        _event({"choices": [{"index": index, "delta": {"content": piece}}]})
        for piece in text
        for index, piece in ((0, piece), (1, piece.upper()))
    ]
    return "".join(rows).encode()


def _responses(text: Sequence[str]) -> bytes:
    rows = [_event({"type": "response.output_text.delta", "delta": piece, "obfuscation": "x7"}) for piece in text]
    whole = "".join(text)
    done = {"type": "response.output_text.done", "text": whole}
    completed = {"type": "response.completed", "response": {"output": [{"content": [{"text": whole}]}]}}
    return "".join([*rows, _event(done), _event(completed)]).encode()


def _anthropic(text: Sequence[str]) -> bytes:
    deltas = [{"type": "thinking_delta", "thinking": piece} for piece in REASONING]
    deltas += [{"type": "text_delta", "text": piece} for piece in text]
    events = [
        _event({"type": "content_block_delta", "index": 1, "delta": delta}, "content_block_delta") for delta in deltas
    ]
    return "".join([*events, _event({"type": "message_stop"}, "message_stop")]).encode()


def _gemini_array(text: Sequence[str]) -> bytes:
    return json.dumps(
        [{"candidates": [{"content": {"parts": [{"text": piece}]}}]} for piece in text], indent=1
    ).encode()


def _ndjson(text: Sequence[str]) -> bytes:
    rows: list[dict[str, Any]] = [{"event_type": "text", "text": piece} for piece in text]
    rows += [{"event_type": "end", "response": {"text": "".join(text)}}]
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def _tgi(text: Sequence[str]) -> bytes:
    rows: list[dict[str, Any]] = [{"token": {"text": piece}, "generated_text": None} for piece in text]
    rows += [{"token": {"text": "</s>"}, "generated_text": "".join(text)}]
    return "".join(f"data:{json.dumps(row)}\n\n" for row in rows).encode()


def _cumulative(text: Sequence[str]) -> bytes:
    return "".join(_event({"completion": "".join(text[: n + 1])}) for n in range(len(text))).encode()


def _lines_of_data(text: Sequence[str]) -> bytes:
    rows = ["".join(f"data: {line}\r\n" for line in json.dumps({"t": piece}, indent=1).split("\n")) for piece in text]
    return b"\xef\xbb\xbf" + "\r\n".join([*(f"id: 7\r\n{row}" for row in rows), "event: done\r\ndata:\r\n"]).encode()


def _words_of_data(text: Sequence[str]) -> bytes:
    return "".join(_event(piece) for piece in text).encode()


def _bedrock(text: Sequence[str]) -> bytes:
    chunks = [base64.b64encode(json.dumps({"outputText": piece}).encode()).decode() for piece in text]
    return b"".join(_aws("chunk", json.dumps({"bytes": chunk}).encode()) for chunk in chunks)


def _converse(text: Sequence[str]) -> bytes:
    return b"".join(
        _aws("contentBlockDelta", json.dumps({"delta": {"text": piece}, "p": "abc"}).encode()) for piece in text
    )


def _agent(text: Sequence[str]) -> bytes:
    trace = _aws("trace", json.dumps({"trace": {"text": "a thought of its own"}}).encode())
    blobs = [base64.b64encode(piece.encode()).decode() for piece in text]
    return trace + b"".join(_aws("chunk", json.dumps({"bytes": blob}).encode()) for blob in blobs) + trace


def _gzip_file(text: Sequence[str]) -> bytes:
    return gzip.compress(_ndjson(text))


def _parts(text: Sequence[str]) -> bytes:
    head = "Content-Type: application/http\r\n\r\nHTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n"
    rows = "".join(f"--b_1\r\n{head}{json.dumps({'text': piece})}\r\n" for piece in text)
    return f"{rows}--b_1--\r\n".encode()


def _xml(text: Sequence[str]) -> bytes:
    rows = "".join(f"<p n='{n}'>{escape(piece)}</p>" for n, piece in enumerate(text))
    return f'<?xml version="1.0"?><answer><id>a-1</id>{rows}</answer>'.encode()


WIRES = [
    _openai, _openai_two, _responses, _anthropic, _gemini_array, _ndjson, _tgi, _cumulative, _lines_of_data,
    _words_of_data, _bedrock, _converse, _agent, _gzip_file, _parts, _xml,
]  # fmt: skip
ODD_WIRES = [wire for wire in WIRES if wire not in (_openai_two, _words_of_data)]


@pytest.mark.parametrize("wire", WIRES, ids=lambda wire: wire.__name__.strip("_"))
def test_the_answer_is_found_in_any_format(wire: Callable[[Sequence[str]], bytes]) -> None:
    """
    The same text is native; without its end, doubled or exchanged it is broken.
    """
    body = wire(PIECES)
    outputs = (TEXT, TEXT[:-20], f"{TEXT} {TEXT}", "Something else entirely was never said by it.", "")

    assert [invoked(body, one) for one in outputs] == [Verdict.NATIVE, *[Verdict.BROKEN] * 4]


@pytest.mark.parametrize("wire", ODD_WIRES, ids=lambda wire: wire.__name__.strip("_"))
@pytest.mark.parametrize("cut", [1, 2, 5])
def test_any_character_may_stand_in_any_place(wire: Callable[[Sequence[str]], bytes], cut: int) -> None:
    """
    Accents, ligatures, emoji of several parts and foreign line ends, also where the pieces part them.
    """
    assert invoked(wire([ODD[at : at + cut] for at in range(0, len(ODD), cut)]), ODD) is Verdict.NATIVE


def test_an_emoji_that_is_cut_into_halves_is_one_again() -> None:
    """
    JSON writes it as two, and a piece may end between them.
    """
    body = b'data: {"t": "Hello \\ud83d"}\n\ndata: {"t": "\\ude00 there, good friend"}\n\n'
    story = Story(Capability.STREAM).begin()
    request = story.send()
    story.head(request, [body]).arrive(request, 0).item("Hello \ud83d").item("\ude00 there, good friend").end(request)
    lines = judge(Capability.STREAM, story.give().events).evidence.timeline.items

    assert invoked(body, "Hello \U0001f600 there, good friend") is Verdict.NATIVE
    assert invoked(body, "Hello \ud83d\ude00 there, good friend") is Verdict.NATIVE
    assert [line.text.encode() for line in lines]


@pytest.mark.parametrize("charset", ["latin-1", "utf-8"])
def test_a_body_that_is_not_utf_8_is_read_as_well(charset: str) -> None:
    """
    Plain text in the older encoding of the web.
    """
    text = f"{TEXT} Façade, naïve, coöperate."

    assert invoked(text.encode(charset), text, f"text/plain; charset={charset}") is Verdict.NATIVE


def test_a_body_cut_inside_of_a_character_is_still_utf_8() -> None:
    """
    One broken character at the end does not turn the others into two each.
    """
    assert documents("Façade über".encode() + "ü".encode()[:1])[0].value.startswith("Façade über")


@pytest.mark.parametrize("text", ['{"code": "kestrel4127", "why": ["a", 1]}', '"quoted, all of it"', "4127", "[1, 2]"])
@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=utf-8"])
def test_plain_text_that_looks_like_json_means_what_it_says(text: str, kind: str) -> None:
    """
    By its type it is text; as the content of an envelope it is text, too.
    """
    assert [invoked(text.encode(), text, kind), invoked(answer_json(text), text)] == [Verdict.NATIVE] * 2


def test_events_without_blank_lines_between_them_are_told_one_by_one() -> None:
    """
    Some servers leave them out, and clients that read by lines do not mind.
    """
    said = ["There", " are", " forty", " things", " here"]
    body = "".join(f"data: {json.dumps({'delta': {'text': word}})}\n" for word in said) + "data: [DONE]\n"

    assert invoked(body.encode(), "".join(said)) is Verdict.NATIVE
    assert invoked(body.encode(), "".join(said[:3])) is Verdict.BROKEN


def test_words_of_an_event_stream_that_look_like_json_are_words() -> None:
    """
    A number among words is a word.
    """
    body = "".join(f"data: {word}\n\n" for word in ("There", "are", "42", '"quoted"', "null", "things", "here"))

    assert invoked(body.encode(), 'There are 42 "quoted" null things here') is Verdict.NATIVE
    assert invoked(body.encode(), 'There are "quoted" null things here') is Verdict.BROKEN


@pytest.mark.parametrize(
    "change",
    [
        str.strip,
        lambda text: f"  {text}\n\n",
        lambda text: text.replace(" ", "\n"),
        lambda text: f"AI: {text}",
        lambda text: f"{text}\n\n-- generated by m-1",
        lambda text: f"Answer #1 >>> {text} <<<",
    ],
)
def test_white_space_and_decoration_are_no_matter(change: Callable[[str], str]) -> None:
    """
    Nothing of the answer is lost or said twice by it.
    """
    assert invoked(answer_json(f"{TEXT}\n"), change(TEXT)) is Verdict.NATIVE


@pytest.mark.parametrize(
    ("said", "given"),
    [
        ("AT&amp;T &lt;b&gt;lights&lt;/b&gt; it &quot;well&quot;", 'AT&T <b>lights</b> it "well"'),
        ("AT&amp;T lights it well", "AT&amp;T lights it well"),
        ("<think>Hm, let me see.</think>\n\nIt is the lamp.", "It is the lamp."),
        ("<think>Hm, let me see.</think>\n\nIt is the lamp.", "Hm, let me see.\n\nIt is the lamp."),
        ("It is the lamp.<|im_end|>", "It is the lamp."),
        ("It is the lamp.</s>", "It is the lamp."),
        ("[[ ## answer ## ]]\nIt is the lamp.\n\n[[ ## completed ## ]]", "It is the lamp."),
        (f"{PROMPTS[0]}\n\nIt is the lamp.", "It is the lamp."),
        (f"{PROMPTS[0]}\n\nIt is the lamp.", f"{PROMPTS[0]}\n\nIt is the lamp."),
        ("It is the lamp.", f"{PROMPTS[0]}\n\nIt is the lamp."),
    ],
)
def test_entities_thoughts_end_marks_and_the_echo_may_go(said: str, given: str) -> None:
    """
    None of them is the answer.
    """
    assert invoked(answer_json(said), given) is Verdict.NATIVE


def test_of_an_answer_in_fields_no_field_may_go() -> None:
    """
    The marks that name them are no part of the answer; what stands between them is.
    """
    said = "[[ ## answer ## ]]\nIt is the lamp.\n\n[[ ## why ## ]]\nNothing else is lit.\n\n[[ ## completed ## ]]"
    assert invoked(answer_json(said), "It is the lamp. Nothing else is lit.") is Verdict.NATIVE
    assert invoked(answer_json(said), "It is the lamp.") is Verdict.BROKEN
    assert invoked(answer_json("See [[ the lamp ]] there."), "See there.") is Verdict.BROKEN


@pytest.mark.parametrize("tags", [("", ""), ("<think>", "</think>"), ("<thinking>", "</thinking>\n")])
@pytest.mark.parametrize("turns", [1, 2])
def test_reasoning_and_answer_may_come_out_together(tags: tuple[str, str], turns: int) -> None:
    """
    In the order in which they were said, with and without tags, also by turns.
    """
    half = [REASONING, REASONING[:4]][:turns], [PIECES, PIECES[:7]][:turns]
    rows, given = [], ""
    for thought, said in zip(*half, strict=True):
        rows += [_event({"delta": {"reasoning_content": piece}}) for piece in thought]
        rows += [_event({"delta": {"content": piece}}) for piece in said]
        given += f"{tags[0]}{''.join(thought)}{tags[1]}{''.join(said)}"

    assert invoked("".join(rows).encode(), given) is Verdict.NATIVE


def test_of_answers_that_events_number_one_will_do_and_not_two_by_turns() -> None:
    """
    Nor is anything lost by an index that only counts the parts, or begins anew with the next answer.
    """
    by_turns = [(number, f"{piece}{mark}") for piece in PIECES for number, mark in enumerate("ab")]
    told = "".join(_event({"index": number, "text": text}) for number, text in by_turns).encode()
    counted = "".join(_event({"index": number, "text": text}) for number, text in enumerate(PIECES)).encode()
    blocks = [int(number % 8 > 4) for number in range(len(PIECES))]
    anew = "".join(_event({"index": block, "text": text}) for block, text in zip(blocks, PIECES, strict=True)).encode()

    assert invoked(told, "".join(f"{piece}a" for piece in PIECES)) is Verdict.NATIVE
    assert invoked(told, "".join(text for _, text in by_turns)) is Verdict.BROKEN
    assert [invoked(body, TEXT) for body in (counted, anew)] == [Verdict.NATIVE] * 2


def test_what_a_form_or_base64_holds_is_the_answer_as_well() -> None:
    """
    Whether the form came whole or in pieces; and a part of it that was lost is lost.
    """
    form = json.dumps({"answer": TEXT, "sure": 0.9})
    whole = answer_json(form)
    pieces = "".join(_event({"delta": form[at : at + 7]}) for at in range(0, len(form), 7)).encode()
    packed = "".join(f"data: {base64.b64encode(piece.encode()).decode()}\n\n" for piece in PIECES).encode()

    for body in (whole, pieces, packed):
        assert [invoked(body, given) for given in (TEXT, TEXT[:-9])] == [Verdict.NATIVE, Verdict.BROKEN]


def test_two_answers_put_together_are_both_upstreams() -> None:
    """
    Put together whole, whichever came first; with a part of one missing it is broken.
    """
    verdicts = []
    for given in (
        f"{ANSWERS[0]}\n\n{ANSWERS[1]}",
        f"{ANSWERS[1]} {ANSWERS[0]}",
        f"{ANSWERS[0]} {ANSWERS[1]} {ANSWERS[0]}",
    ):
        story = Story(Capability.INVOKE).begin()
        for answer in ANSWERS[:2]:
            story.whole(story.send(), answer_json(answer))
        verdicts.append(judge(Capability.INVOKE, story.give(given).events).verdict)

    assert verdicts == [Verdict.NATIVE, Verdict.NATIVE, Verdict.BROKEN]


@pytest.mark.parametrize("value", [None, ""])
def test_nothing_is_no_answer(value: str | None) -> None:
    """
    Neither None nor an empty text.
    """
    assert invoked(answer_json(TEXT), value) is Verdict.BROKEN


def _spoilt(how: str) -> list[str]:
    pieces = list(PIECES)
    match how:
        case "lost":
            del pieces[5]
        case "last lost":
            del pieces[-1]
        case "doubled":
            pieces.insert(5, pieces[4])
        case "swapped":
            pieces[4], pieces[5] = pieces[5], pieces[4]
        case "so far":
            pieces = ["".join(pieces[: n + 1]) for n in range(len(pieces))]
        case "summed up":
            pieces.append("".join(pieces))
    return pieces


@pytest.mark.parametrize("how", ["right", "lost", "last lost", "doubled", "swapped", "so far", "summed up"])
@pytest.mark.parametrize("cumulative", [True, False])
def test_lost_doubled_and_swapped_items_are_broken(how: str, cumulative: bool) -> None:
    """
    Also where the upstream itself repeats the whole text so far, which is not what the caller is to get.
    """
    story = Story(Capability.STREAM).begin()
    request = story.send(stream=True)
    chunks = sse(["".join(PIECES[: n + 1]) for n in range(len(PIECES))] if cumulative else PIECES)
    story.head(request, chunks, kind="text/event-stream")
    items = _spoilt(how)
    for index in range(len(chunks)):
        story.arrive(request, index)
        if index < len(items):
            story.item(items[index])
    verdict = judge(Capability.STREAM, story.end(request).give().events).verdict

    assert verdict is (Verdict.NATIVE if how == "right" else Verdict.BROKEN)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda text: text, Verdict.NATIVE),
        (lambda text: f"AI: {text} -- by m-1", Verdict.NATIVE),
        (lambda text: text[:100_000] + text[100_040:], Verdict.BROKEN),
        (lambda text: text[:100_000] + text[99_900:], Verdict.BROKEN),
        (lambda text: text[::-1], Verdict.BROKEN),
        (lambda text: f"{text} {text}", Verdict.BROKEN),
    ],
)
def test_very_long_answers_are_judged_in_little_time(change: Callable[[str], str], expected: Verdict) -> None:
    """
    Comparing 200 kB by characters would take minutes.
    """
    words = [f"w{number * 7919 % 10007}" for number in range(33_000)]
    text = " ".join(words)
    began = time.process_time()
    verdict = invoked(answer_json(text), change(text))

    assert verdict is expected
    assert time.process_time() - began < 20


def test_many_events_cost_little() -> None:
    """
    Thousands of arrivals and items, each looked at once.
    """
    words: list[Any] = [f"w{number * 7919 % 10007} " for number in range(6_000)]
    chunks = sse(words)
    story = Story(Capability.STREAM).begin()
    request = story.send(stream=True)
    story.head(request, chunks, kind="text/event-stream")
    for index in range(len(chunks)):
        story.arrive(request, index)
        if index < len(words):
            story.item(words[index])
    began = time.process_time()
    verdict = judge(Capability.STREAM, story.end(request).give().events).verdict

    assert verdict is Verdict.NATIVE
    assert time.process_time() - began < 20

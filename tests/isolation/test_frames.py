"""
Frames and orders: what is written on one side is read on the other, wherever the stream is split.
"""

from __future__ import annotations

import os
import threading

from hypothesis import given
from hypothesis import strategies as st

from harness.battery.job import Job, note, read_note
from harness.isolation import traces
from harness.isolation.protocol import Frame, Frames, Order, read_frame, write_all

WORDS = st.text("abcdefghij-", min_size=1, max_size=12)
FRAMES = st.builds(Frame, kind=WORDS, capability=st.one_of(st.just(""), WORDS), payload=st.binary(max_size=200))


@given(st.lists(FRAMES), st.data())
def test_frames_survive_every_split(frames: list[Frame], data: st.DataObject) -> None:
    """
    However the bytes are cut on their way, the same frames come out, in their order.
    """
    stream = b"".join(frame.encode() for frame in frames)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)))))
    reader = Frames()

    found = [
        frame
        for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True)
        for frame in reader.feed(stream[start:end])
    ]

    assert found == frames


@given(FRAMES, FRAMES, st.integers(1, 50))
def test_half_a_frame_is_dropped(whole: Frame, half: Frame, missing: int) -> None:
    """
    A cell that was killed in the middle of a frame loses that one only.
    """
    data = half.encode()

    assert Frames().feed(whole.encode() + data[: max(0, len(data) - missing)]) == [whole]


@given(FRAMES, st.binary(max_size=10))
def test_reading_one_frame_takes_not_a_byte_more(frame: Frame, rest: bytes) -> None:
    """
    What follows an order is left for whoever reads next; a side that is gone reads as None.
    """
    incoming, outgoing = os.pipe()
    try:
        write_all(outgoing, frame.encode() + rest)
        os.close(outgoing)
        assert read_frame(incoming) == frame
        assert os.read(incoming, 100) == rest
        assert read_frame(incoming) is None
    finally:
        os.close(incoming)


def test_more_than_a_pipe_holds_is_written_whole() -> None:
    """
    The writer waits for the reader instead of losing what does not fit.
    """
    incoming, outgoing = os.pipe()
    frame = Frame(kind="interaction", capability="invoke", payload=os.urandom(1 << 20))
    writer = threading.Thread(target=write_all, args=(outgoing, frame.encode()))
    writer.start()
    try:
        assert read_frame(incoming) == frame
    finally:
        writer.join()
        os.close(incoming)
        os.close(outgoing)


@given(WORDS, st.text())
def test_a_note_keeps_its_name_and_its_value(name: str, value: str) -> None:
    """
    The value may hold spaces, lines and anything else that is text.
    """
    value = value.encode("utf-8", "ignore").decode()

    assert read_note(note(name, value)) == (name, value)


@given(st.dictionaries(WORDS, st.one_of(st.none(), st.booleans(), st.integers(), st.text())), st.floats(0.1, 1e6))
def test_an_order_survives_the_journey(options: dict[str, object], timeout: float) -> None:
    """
    Job, capabilities and paths are the same on the other side.
    """
    job = Job(adapter={"target": "a:B", "kwargs": {"x": [1, None]}}, root="/r", options=options, timeout=timeout)
    order = Order(job=job, capabilities=("invoke", "stream"), together=True, output="o", stacks="s", directory="d")

    assert Order.decode(order.encode()) == order


def test_the_entry_and_the_numbers_of_a_job_have_defaults() -> None:
    """
    A job that says nothing runs the battery; an option that is no number is as good as none.
    """
    job = Job(adapter={}, root="", options={"memory": 5, "import_timeout": "soon"})

    assert job.entry == "harness.battery.cell:run"
    assert (job.number("memory", 1.0), job.number("import_timeout", 120.0)) == (5.0, 120.0)


STACK = """Thread 0x00007f01 (most recent call first):
  File "lib/isolation/spawned.py", line 46 in _end_with_parent
  File "lib/threading.py", line 982 in run

Current thread 0x00007f02 (most recent call first):
  File "adapter.py", line 7 in call
  File "lib/isolation/cell.py", line 58 in run_cell
  File "lib/isolation/host.py", line 153 in _become_cell

Thread 0x00007f03 (most recent call first):
  File "adapter.py", line 9 in read

Extension modules: a.b, c.d (total: 2)
"""


def test_a_stack_is_shown_without_the_harness() -> None:
    """
    Its own frames and thread, the addresses and the list of modules say nothing of the adapter.
    """
    assert traces.tidy(STACK + traces.END) == (
        "Current thread #1 (most recent call first):\n"
        '  File "adapter.py", line 7 in call\n'
        "\n"
        "Thread #2 (most recent call first):\n"
        '  File "adapter.py", line 9 in read'
    )

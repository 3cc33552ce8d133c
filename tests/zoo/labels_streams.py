"""Labels of what streams, or seems to."""

from __future__ import annotations

from typing import Final

from specimen import BLOCKS, BROKEN, LATE, NATIVE, ONCE, OTHER, THREAD, UNKNOWN, specimen

STREAMS: Final = (
    specimen("YieldsOnce", "streams:YieldsOnce", "One item is one item.", stream=ONCE),
    specimen("SplitsAfterwards", "streams:SplitsAfterwards", "Chunk count alone proves nothing.", stream=LATE),
    specimen(
        "SplitsWholeAnswer",
        "streams:SplitsWholeAnswer",
        "The exchange shows that no stream was asked for or served; several items after a complete answer.",
        stream=LATE,
    ),
    specimen("CollectsPieces", "streams:CollectsPieces", "Nothing came before the middle.", stream=LATE),
    specimen("SleepsBetween", "streams:SleepsBetween", "The recording's clock decides, not the wall's.", stream=LATE),
    specimen(
        "PlaceholderThenWhole",
        "streams:PlaceholderThenWhole",
        "A placeholder does not count as an item, so one item is left.",
        stream=ONCE,
    ),
    specimen(
        "PlaceholderThenSplit",
        "streams:PlaceholderThenSplit",
        "A placeholder does not count as an item; the others are late.",
        stream=LATE,
    ),
    specimen(
        "PlaceholderThenNative",
        "streams:PlaceholderThenNative",
        "A placeholder does not count, for or against.",
        stream=NATIVE,
    ),
    specimen("BlankThenSplit", "streams:BlankThenSplit", "White space does not count as an item.", stream=LATE),
    specimen("EmptyThenNative", "streams:EmptyThenNative", "Empty items do not count, for or against.", stream=NATIVE),
    specimen(
        "UntilFinishMark-split",
        "streams:UntilFinishMark",
        "An item before the last arrival proves nothing; the middle decides.",
        kwargs={"split": True},
        stream=LATE,
    ),
    specimen(
        "UntilFinishMark-whole",
        "streams:UntilFinishMark",
        "One item is one item, also before the last arrival.",
        kwargs={"split": False},
        stream=ONCE,
    ),
    specimen(
        "HalfBuffered",
        "streams:HalfBuffered",
        "Nothing before the middle and then piece by piece is not incremental.",
        stream=LATE,
    ),
    specimen("LooksAhead", "streams:LooksAhead", "Three pieces behind is before the middle.", stream=NATIVE),
    specimen("Sentences", "streams:Sentences", "The first sentence comes before the middle.", stream=NATIVE),
    specimen("Respaced", "streams:Respaced", "Differences in white space are not a wrong answer.", stream=NATIVE),
    specimen(
        "ThreadAndQueue",
        "streams:ThreadAndQueue",
        "Where a synchronous call reads does not matter; its items are early.",
        stream=NATIVE,
    ),
    specimen("ThreadThenQueue", "streams:ThreadThenQueue", "All items are late.", stream=LATE),
    specimen(
        "FedByOtherLoop",
        "streams:FedByOtherLoop",
        "Where a synchronous call reads does not matter; its items are early.",
        stream=NATIVE,
    ),
    specimen(
        "DrivesALoop",
        "streams:DrivesALoop",
        "A synchronous call may run a loop; its items are early.",
        invoke=NATIVE,
        stream=NATIVE,
    ),
    specimen(
        "ClosesAtFinish",
        "streams:ClosesAtFinish",
        "Closing the connection oneself at the finish mark is fine.",
        stream=NATIVE,
        astream=NATIVE,
    ),
    specimen("ClosesTooEarly", "streams:ClosesTooEarly", "Losing output by it is not.", invoke=BROKEN, stream=BROKEN),
    specimen(
        "Tiny",
        "streams:Tiny",
        "Two arrivals of a stream cannot show streaming; invoke needs none.",
        invoke=NATIVE,
        stream=UNKNOWN,
        astream=UNKNOWN,
    ),
    specimen(
        "StreamsByPolling",
        "streams:StreamsByPolling",
        "A stream made of polls has the polls as arrivals.",
        stream=NATIVE,
        astream=NATIVE,
    ),
    specimen(
        "PollsThenSplits",
        "streams:PollsThenSplits",
        "The polls are the arrivals, and no item came before their middle.",
        stream=LATE,
        astream=LATE,
    ),
    specimen(
        "PollsThenYieldsOnce",
        "streams:PollsThenYieldsOnce",
        "The polls are the arrivals, and one item came after them.",
        stream=ONCE,
        astream=NATIVE,
    ),
)

ASTREAMS: Final = (
    specimen("AsyncYieldsOnce", "astreams:YieldsOnce", "One item is one item.", astream=ONCE),
    specimen("AsyncPrefetches", "astreams:Prefetches", "Nothing came before the middle.", astream=LATE),
    specimen("AsyncSleepsBetween", "astreams:SleepsBetween", "The recording's clock decides.", astream=LATE),
    specimen(
        "AsyncSplitsWholeAnswer",
        "astreams:SplitsWholeAnswer",
        "The exchange shows that no stream was asked for or served; several items after a complete answer.",
        astream=LATE,
    ),
    specimen(
        "AsyncPlaceholderThenSplit",
        "astreams:PlaceholderThenSplit",
        "A placeholder does not count as an item; the others are late.",
        astream=LATE,
    ),
    specimen(
        "AsyncPlaceholderThenNative",
        "astreams:PlaceholderThenNative",
        "A placeholder does not count, for or against.",
        astream=NATIVE,
    ),
    specimen(
        "AsyncUntilFinishMark",
        "astreams:UntilFinishMark",
        "An item before the last arrival proves nothing; the middle decides.",
        astream=LATE,
    ),
    specimen("AsyncLooksAhead", "astreams:LooksAhead", "Three pieces behind is before the middle.", astream=NATIVE),
    specimen("AsyncHalfBuffered", "astreams:HalfBuffered", "Nothing came before the middle.", astream=LATE),
    *(
        specimen(
            f"TaskAndQueue-{client}",
            "astreams:TaskAndQueue",
            "Another task of the same loop is the same loop, and the items are early.",
            kwargs={"aclient": client},
            astream=NATIVE,
        )
        for client in ("httpx", "httpx2", "aiohttp")
    ),
    specimen("TaskThenQueue", "astreams:TaskThenQueue", "All items are late.", astream=LATE),
    *(
        specimen(
            f"ThreadToQueue-{client}",
            "astreams:ThreadToQueue",
            "The items are early, but the bytes came in a thread.",
            kwargs={"client": client},
            astream=THREAD,
        )
        for client in ("requests", "httpx", "http.client")
    ),
    specimen(
        "NextInExecutor",
        "astreams:NextInExecutor",
        "The items are early, but the bytes came in a thread.",
        astream=THREAD,
    ),
    specimen(
        "NextInAnyio",
        "astreams:NextInAnyio",
        "The items are early, but the bytes came in a thread.",
        astream=THREAD,
    ),
    specimen(
        "BufferedInThread",
        "astreams:BufferedInThread",
        "Buffered hurts the caller more than a worker thread.",
        astream=LATE,
    ),
    specimen("AsyncSyncInside", "astreams:SyncInside", "Synchronous I/O on the loop's thread.", astream=BLOCKS),
    specimen(
        "AsyncSyncBufferedInside",
        "astreams:SyncBufferedInside",
        "Blocking the loop hurts more than a single item.",
        astream=BLOCKS,
    ),
    specimen("AsyncSleepsOnLoop", "astreams:SleepsOnLoop", "A synchronous sleep blocks the loop.", astream=BLOCKS),
    specimen(
        "AsyncFromOtherLoop",
        "astreams:FromOtherLoop",
        "The items are early, but the bytes came under another loop.",
        astream=OTHER,
    ),
    specimen(
        "ClosedBehind",
        "closing:ClosedBehind",
        "Reading raises: what was not read when the client closed is lost.",
        stream=BROKEN,
        astream=BROKEN,
    ),
    specimen("NotAGenerator", "astreams:NotAGenerator", "Iterating it raises.", astream=BROKEN),
    specimen("SyncGenerator", "astreams:SyncGenerator", "Iterating it raises.", astream=BROKEN),
)

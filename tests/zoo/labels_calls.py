"""Labels of what awaits, and of what takes three inputs."""

from __future__ import annotations

from typing import Final

from specimen import BLOCKS, BROKEN, CONCURRENT, NATIVE, OTHER, SEQUENTIAL, THREAD, specimen

AWAITS: Final = (
    specimen("ToThread", "awaits:ToThread", "The bytes travel in another thread.", ainvoke=THREAD, abatch=THREAD),
    specimen(
        "OwnPool",
        "awaits:OwnPool",
        "The bytes travel in other threads, which hurts more than concurrent requests.",
        ainvoke=THREAD,
        abatch=THREAD,
    ),
    specimen("AnyioThread", "awaits:AnyioThread", "The bytes travel in another thread.", ainvoke=THREAD),
    specimen("OwnThread", "awaits:OwnThread", "A thread of its own is a worker thread.", ainvoke=THREAD),
    specimen("NestedThreads", "awaits:NestedThreads", "The bytes travel in another thread.", ainvoke=THREAD),
    *(
        specimen(
            f"SyncInside-{client}",
            "awaits:SyncInside",
            "Synchronous I/O on the loop's thread, however it is gathered.",
            kwargs={"client": client},
            ainvoke=BLOCKS,
            abatch=BLOCKS,
        )
        for client in ("requests", "httpx2", "urllib")
    ),
    specimen("SyncListInside", "awaits:SyncListInside", "Synchronous I/O on the loop's thread.", abatch=BLOCKS),
    *(
        specimen(
            f"SleepsInside-{how}",
            "awaits:SleepsInside",
            "A synchronous wait blocks the loop.",
            kwargs={"how": how},
            ainvoke=BLOCKS,
        )
        for how in ("sleep", "event", "join")
    ),
    *(
        specimen(
            name,
            "awaits:AsksTheMachine",
            "A child process that tells what machine this is does none of the call's I/O.",
            kwargs={} if timeout is None else {"timeout": timeout},
            ainvoke=NATIVE,
        )
        for name, timeout in (("AsksTheMachine", None), ("AsksTheMachine-with-a-limit", 5.0))
    ),
    *(
        specimen(
            f"ComputesInside-{name}",
            "awaits:ComputesInside",
            "An `async def` that computes on the event loop blocks it.",
            kwargs={"native_code": native_code},
            ainvoke=BLOCKS,
            abatch=BLOCKS,
        )
        for name, native_code in (("python", False), ("c", True))
    ),
    specimen("ComputesInThread", "awaits:ComputesInThread", "An executor proves nothing.", ainvoke=NATIVE),
    *(
        specimen(
            f"OtherLoop-{client}",
            "awaits:OtherLoop",
            "The bytes travel under another loop.",
            kwargs={"aclient": client},
            ainvoke=OTHER,
            abatch=OTHER,
        )
        for client in ("httpx", "aiohttp")
    ),
    specimen(
        "RunInThread",
        "awaits:RunInThread",
        "A worker thread that runs an event loop of its own is other-loop.",
        ainvoke=OTHER,
    ),
    specimen(
        "ParsesInExecutor",
        "awaits:ParsesInExecutor",
        "An executor proves nothing; the bytes travel on the loop.",
        ainvoke=NATIVE,
        abatch=NATIVE,
    ),
    specimen("InATask", "awaits:InATask", "Another task of the same loop is the same loop.", ainvoke=NATIVE),
    specimen("ImportsLate", "awaits:ImportsLate", "A first import is not the call's work.", ainvoke=NATIVE),
    specimen("NotAwaitable", "awaits:NotAwaitable", "Awaiting it raises.", ainvoke=BROKEN),
    specimen("CoroutineFromSync", "awaits:CoroutineFromSync", "A coroutine is no answer.", invoke=BROKEN),
    specimen("ReturnsAFuture", "awaits:ReturnsAFuture", "Any awaitable will do.", ainvoke=NATIVE),
    specimen("Decorated", "awaits:Decorated", "The bytes decide, not the method's looks.", ainvoke=NATIVE),
)

BATCHES: Final = (
    specimen(
        "TwoRequests", "batches:TwoRequests", "One request carried two inputs or more.", batch=NATIVE, abatch=NATIVE
    ),
    specimen("Pool", "batches:Pool", "One input a request, overlapping.", batch=CONCURRENT),
    specimen(
        "IgnoresMaxConcurrency",
        "batches:Pool",
        "One input a request, overlapping, whatever the limit.",
        kwargs={"ignores_limit": True},
        batch=CONCURRENT,
    ),
    specimen(
        "Sequential",
        "batches:Sequential",
        "One input a request, none overlapping.",
        batch=SEQUENTIAL,
        abatch=SEQUENTIAL,
    ),
    *(
        specimen(
            f"Gather-{client}",
            "batches:Gather",
            "One input a request, overlapping on the loop.",
            kwargs={"aclient": client},
            abatch=CONCURRENT,
        )
        for client in ("httpx", "httpx2", "aiohttp")
    ),
    specimen("GatherInSync", "batches:GatherInSync", "One input a request, overlapping.", batch=CONCURRENT),
    specimen(
        "OneAtATime",
        "batches:OneAtATime",
        "A pool or a gather proves nothing: on the wire no two requests overlap.",
        batch=SEQUENTIAL,
        abatch=SEQUENTIAL,
    ),
    specimen(
        "OneConnection",
        "batches:OneConnection",
        "A gather proves nothing: on the recording's clock no two requests overlap.",
        batch=SEQUENTIAL,
        abatch=SEQUENTIAL,
    ),
    specimen(
        "OpensAllFirst",
        "batches:OpensAllFirst",
        "Requests overlap when they do so on the recording's clock, whoever reads first.",
        batch=CONCURRENT,
        abatch=CONCURRENT,
    ),
    specimen("AsCompleted", "batches:AsCompleted", "Reordered output is broken.", batch=BROKEN, abatch=BROKEN),
    specimen(
        "Staggered",
        "batches:Staggered",
        "Requests overlap when they do so on the recording's clock.",
        batch=CONCURRENT,
        abatch=CONCURRENT,
    ),
    *(
        specimen(f"Outputs-{fault}", "batches:Outputs", why, kwargs={"fault": fault}, batch=BROKEN, abatch=BROKEN)
        for fault, why in (
            ("reversed", "Reordered output is broken."),
            ("lost", "Lost output is broken."),
            ("doubled", "Repeated output is broken."),
            ("repeated", "An output that answers another input is broken."),
            ("blank", "Missing output is broken."),
            ("one", "Three inputs but one output."),
            ("joined", "Three inputs but one output."),
            ("nothing", "Missing output is broken."),
        )
    ),
    specimen("PoolReversed", "batches:PoolReversed", "Reordered output is broken.", batch=BROKEN, abatch=BROKEN),
    specimen(
        "OneChat-same-for-all",
        "batches:OneChat",
        "Three inputs but one answer, repeated: each output answers all three inputs.",
        kwargs={"splits": False},
        batch=BROKEN,
        abatch=BROKEN,
    ),
    specimen(
        "OneChat-taken-apart",
        "batches:OneChat",
        "One inference request carried three inputs, and each output answers its own.",
        kwargs={"splits": True},
        batch=NATIVE,
        abatch=NATIVE,
    ),
    specimen(
        "UploadAndPoll",
        "batches:UploadAndPoll",
        "Uploading the inputs and polling for the answers is one inference request.",
        batch=NATIVE,
        abatch=NATIVE,
    ),
    specimen(
        "UploadInThread",
        "batches:UploadInThread",
        "The upload carries three inputs, but it travels in another thread.",
        batch=NATIVE,
        abatch=THREAD,
    ),
)

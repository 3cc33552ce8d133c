"""Labels of what goes wrong, and of what goes on beside the call."""

from __future__ import annotations

from typing import Final

from specimen import BLOCKS, BROKEN, CONCURRENT, NATIVE, SEQUENTIAL, SHORT, THREAD, UNKNOWN, specimen

BESIDE: Final = (
    specimen(
        "TokenInThread",
        "beside:TokenPerCall",
        "A token request beside the inference request changes nothing.",
        kwargs={"on_loop": False},
        invoke=NATIVE,
        ainvoke=NATIVE,
        astream=NATIVE,
        abatch=NATIVE,
    ),
    specimen(
        "TokenOnLoop",
        "beside:TokenPerCall",
        "Synchronous I/O of any kind on the event loop is blocks-loop.",
        kwargs={"on_loop": True},
        invoke=NATIVE,
        ainvoke=BLOCKS,
        astream=BLOCKS,
        abatch=BLOCKS,
    ),
    specimen(
        "Moderates",
        "beside:Moderates",
        "A moderation request that carries the prompts is not an inference request.",
        all=NATIVE,
        batch=SEQUENTIAL,
        abatch=CONCURRENT,
    ),
    *(
        specimen(
            name,
            "beside:Logs",
            "A log request that carries the prompts is not an inference request, also where it echoes them.",
            kwargs={"echo": echo},
            invoke=NATIVE,
            ainvoke=NATIVE,
            batch=SEQUENTIAL,
            abatch=SEQUENTIAL,
        )
        for name, echo in (("Logs", False), ("LogsEchoed", True))
    ),
    specimen(
        "LogsOnLoop",
        "beside:LogsOnLoop",
        "Synchronous I/O of any kind on the event loop is blocks-loop.",
        ainvoke=BLOCKS,
        astream=BLOCKS,
    ),
    specimen(
        "LogsAsyncAnswersInThread",
        "beside:LogsAsyncAnswersInThread",
        "The inference request decides, and it travels in a thread.",
        ainvoke=THREAD,
    ),
    specimen("PoolThenLog", "beside:PoolThenLog", "The inference requests decide.", batch=CONCURRENT),
    specimen(
        "Retries", "beside:Retries", "Retries that end in an answer change nothing.", all=NATIVE, batch=SEQUENTIAL
    ),
)

FAULTS: Final = (
    *(
        specimen(
            f"Hangs-{how}",
            "faults:Hangs",
            "A call that hangs is broken.",
            kwargs={"how": how},
            timeout=SHORT,
            invoke=BROKEN,
            stream=BROKEN,
        )
        for how in ("python", "c", "lock")
    ),
    specimen(
        "HangsOnLoop",
        "faults:HangsOnLoop",
        "A call that hangs is broken.",
        timeout=SHORT,
        ainvoke=BROKEN,
        astream=BROKEN,
        abatch=BROKEN,
    ),
    specimen(
        "HangsBeforeAsking",
        "faults:HangsBeforeAsking",
        "An adapter that hangs while being recorded was tried, though there is no cassette.",
        timeout=SHORT,
        invoke=BROKEN,
    ),
    *(
        specimen(
            f"Dies-{how}",
            "faults:Dies",
            "A call that crashes is broken.",
            kwargs={"how": how},
            invoke=BROKEN,
            astream=BROKEN,
        )
        for how in ("exit", "exit-0", "sys-exit", "segfault", "abort")
    ),
    *(
        specimen(
            f"Endless-{name}",
            "faults:Endless",
            "A stream that never ends hangs its caller, and repeats what it said.",
            kwargs={"empty": empty},
            timeout=SHORT,
            stream=BROKEN,
            astream=BROKEN,
        )
        for name, empty in (("repeating", False), ("empty", True))
    ),
    specimen(
        "EatsMemory",
        "faults:EatsMemory",
        "A call that crashes is broken; it answers only where nothing stops it.",
        kwargs={"blocks": 96},
        timeout=20.0,
        invoke=BROKEN,
    ),
    specimen(
        "LeavesAThread",
        "faults:LeavesAThread",
        "The call came back with the answer; what stays behind is not the caller's.",
        invoke=NATIVE,
        ainvoke=NATIVE,
    ),
    specimen("Chatty", "faults:Chatty", "What it prints is not its answer.", invoke=NATIVE),
    *(
        specimen(
            f"SwallowsFailure-{name}",
            "faults:SwallowsFailure",
            "An adapter that hides an upstream's failure in the middle is broken.",
            kwargs={"path": path},
            invoke=BROKEN,
            stream=BROKEN,
            astream=BROKEN,
        )
        for name, path in (
            ("cut", "/v1/broken-middle"),
            ("event", "/v1/error-event"),
            ("failed", "/v1/failed-event"),
        )
    ),
    *(
        specimen(
            f"RaisesFailure-{name}",
            "faults:RaisesFailure",
            "An upstream that fails in the middle says nothing about the adapter that tells of it.",
            kwargs={"path": path},
            invoke=UNKNOWN,
            stream=UNKNOWN,
            astream=UNKNOWN,
        )
        for name, path in (
            ("cut", "/v1/broken-middle"),
            ("event", "/v1/error-event"),
            ("failed", "/v1/failed-event"),
        )
    ),
    specimen(
        "UpstreamDown-raises",
        "faults:UpstreamDown",
        "An upstream that fails says nothing about the adapter that tells of it.",
        kwargs={"hides": False},
        invoke=UNKNOWN,
    ),
    specimen(
        "StumblesAfterwards",
        "faults:StumblesAfterwards",
        "A failure after which the upstream answered the input is not what the adapter tells of.",
        invoke=BROKEN,
    ),
    specimen(
        "LookUpRefused",
        "faults:LookUpRefused",
        "A failure is what the adapter tells of, also where others of its inputs were answered.",
        batch=UNKNOWN,
    ),
    specimen(
        "UpstreamDown-hides",
        "faults:UpstreamDown",
        "An adapter that hides an upstream's failure is broken.",
        kwargs={"hides": True},
        invoke=BROKEN,
    ),
)

WRONG: Final = (
    specimen(
        "PickledShort",
        "wrong:PickledShort",
        "A part of the answer is lost, also where the answer stands in a pickle.",
        invoke=BROKEN,
        batch=BROKEN,
    ),
    *(
        specimen(
            f"SpoilsPieces-{fault}", "wrong:SpoilsPieces", why, kwargs={"fault": fault}, stream=BROKEN, astream=BROKEN
        )
        for fault, why in (
            ("dropped", "A lost piece is broken."),
            ("repeated", "A doubled piece is broken."),
            ("unfinished", "A lost piece is broken, also the last."),
            ("swapped", "Reordered output is broken."),
            ("cumulative", "An item that repeats the whole text so far is broken."),
            ("summed-up", "An item that repeats the whole text so far is broken, also the last."),
            ("numbers", "What it joins is not the answer."),
            ("quoted", "What it joins is not the answer: it has other marks between the pieces."),
        )
    ),
    *(
        specimen(
            f"Returns-{what}",
            "wrong:Returns",
            "What it returns is not the upstream's answer.",
            kwargs={"what": what},
            invoke=BROKEN,
            ainvoke=BROKEN,
            batch=BROKEN,
        )
        for what in ("int", "dict", "none", "empty", "object", "invented", "cut", "doubled")
    ),
    specimen(
        "InventsOffline",
        "wrong:InventsOffline",
        "No traffic that the harness can see: all six are unknown, also invoke.",
        all=UNKNOWN,
    ),
    *(
        specimen(
            f"AsksAnew-{name}",
            "wrong:AsksAnew",
            "A request that no recording answers makes the cell unknown, also where an answer is invented.",
            kwargs={"invents": invents},
            replay={"invoke": UNKNOWN, "ainvoke": UNKNOWN},
            invoke=NATIVE,
            ainvoke=NATIVE,
        )
        for name, invents in (("raises", False), ("invents", True))
    ),
)

"""Labels of the adapters that do what they say, and of those that say what they do not."""

from __future__ import annotations

from typing import Final

from specimen import BLOCKED, BROKEN, CONCURRENT, NATIVE, ONCE, SEQUENTIAL, THREAD, UNKNOWN, specimen

HONEST: Final = (
    *(
        specimen(
            f"NativeSync-{client}",
            "honest:NativeSync",
            "An item comes before the middle of the arrivals, and one request carries three inputs.",
            kwargs={"client": client},
            invoke=NATIVE,
            stream=NATIVE,
            batch=NATIVE,
        )
        for client in ("http.client", "urllib", "urllib3", "requests", "httpx", "httpx2")
    ),
    *(
        specimen(
            f"NativeAsync-{client}",
            "honest:NativeAsync",
            "All bytes travel on the battery's loop; items are early; one request carries three inputs.",
            kwargs={"aclient": client},
            ainvoke=NATIVE,
            astream=NATIVE,
            abatch=NATIVE,
        )
        for client in ("httpx", "httpx2", "aiohttp")
    ),
    specimen(
        "Pickled",
        "honest:Pickled",
        "One pickle carries three inputs, another their answers.",
        invoke=NATIVE,
        batch=NATIVE,
    ),
    specimen(
        "PickledInTurn",
        "honest:PickledInTurn",
        "A pickle for each input is a request for each input.",
        invoke=NATIVE,
        batch=SEQUENTIAL,
    ),
    specimen("OpenAISDK", "honest:OpenAISDK", "The SDK streams truly and takes a list prompt.", all=NATIVE),
    *(
        specimen(
            f"Chat-{client}-{aclient}",
            "honest:Chat",
            "NDJSON streams truly; one request an input is sequential in a loop and concurrent in a gather.",
            kwargs={"client": client, "aclient": aclient},
            all=NATIVE,
            batch=SEQUENTIAL,
            abatch=CONCURRENT,
        )
        for client, aclient in (("requests", "aiohttp"), ("http.client", "httpx"), ("httpx", "httpx2"))
    ),
    specimen(
        "Defaults",
        "honest:Defaults",
        "The documented defaults: an executor, one item, a pool; single-item hurts more than worker-thread.",
        invoke=NATIVE,
        ainvoke=THREAD,
        stream=ONCE,
        astream=ONCE,
        batch=CONCURRENT,
        abatch=THREAD,
    ),
    specimen(
        "AsyncDefaults",
        "honest:AsyncDefaults",
        "A native ainvoke makes the gathered batch concurrent on the loop; one item stays one item.",
        invoke=NATIVE,
        ainvoke=NATIVE,
        stream=ONCE,
        astream=ONCE,
        batch=CONCURRENT,
        abatch=CONCURRENT,
    ),
    specimen("Messages", "honest:Messages", "The text of messages and blocks is text.", all=NATIVE),
    specimen(
        "StreamsInside",
        "honest:StreamsInside",
        "Whether invoke asks for a stream is its own affair.",
        invoke=NATIVE,
        ainvoke=NATIVE,
    ),
)

CONSTRUCTION: Final = (
    specimen(
        "SaysSo",
        "construction:SaysSo",
        "NotImplementedError, its subclasses and a missing method are unsupported.",
        invoke=NATIVE,
    ),
    specimen("SaysSoWhenAwaited", "construction:SaysSoWhenAwaited", "NotImplementedError is unsupported."),
    specimen(
        "RaisesOtherwise",
        "construction:RaisesOtherwise",
        "Only NotImplementedError, its subclasses and a missing method are unsupported; to raise is broken.",
        all=BROKEN,
    ),
    *(
        specimen(
            name,
            "construction:ConstructorRaises",
            "It could not be tried because the constructor raises.",
            kwargs={"unsupported": unsupported},
            all=BLOCKED,
        )
        for name, unsupported in (("ConstructorRaises", False), ("ConstructorNotImplemented", True))
    ),
    specimen(
        "ConstructorTalks",
        "construction:ConstructorTalks",
        "Requests of the constructor are not inference requests.",
        all=NATIVE,
    ),
    specimen(
        "FirstUseTalks",
        "construction:FirstUseTalks",
        "A token request beside the inference request changes nothing.",
        all=NATIVE,
    ),
    specimen("Factory", "construction:made_by_factory", "A target may be a factory.", all=NATIVE),
    specimen(
        "MissingDependency",
        "missing:NeedsMore",
        "Not measured: a missing dependency says nothing about the adapter.",
        all=UNKNOWN,
    ),
)

ESCAPES: Final = (
    specimen(
        "RawSocket",
        "escapes:RawSocket",
        "Traffic that the harness cannot see.",
        invoke=UNKNOWN,
        ainvoke=UNKNOWN,
    ),
    specimen(
        "RawSocketInvents",
        "escapes:RawSocketInvents",
        "Traffic that the harness cannot see.",
        invoke=UNKNOWN,
        ainvoke=UNKNOWN,
    ),
    specimen(
        "InChildPython",
        "escapes:InChildPython",
        "Traffic of child processes counts as not seen.",
        invoke=UNKNOWN,
    ),
    *(
        specimen(
            f"InChildProcess-{method}",
            "escapes:InChildProcess",
            "Traffic of child processes counts as not seen.",
            kwargs={"method": method},
            invoke=UNKNOWN,
        )
        for method in ("fork", "spawn")
    ),
    *(
        specimen(
            f"DialsInReplay-{way}",
            "escapes:DialsInReplay",
            "A request that no recording answers makes the cell unknown, wherever it is sent from.",
            kwargs={"way": way},
            replay={"invoke": UNKNOWN},
            invoke=NATIVE,
        )
        for way in ("itself", "raw", "thread", "child")
    ),
)

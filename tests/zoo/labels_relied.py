"""
Labels of the adapters that keep or break what applications rely on, and which check finds each of them out.

They are not among the specimens that verdicts are held against: what the bad ones do wrong is no verdict's matter, and
whether the outputs of a batch are in order is left to chance by the one that hands them out as they come.
"""

from __future__ import annotations

from typing import Final

from specimen import CONCURRENT, NATIVE, THREAD, Specimen, specimen

STREAMS: Final = ("stream", "astream")
BATCHES: Final = ("batch", "abatch")


def _relied(name: str, why: str, module: str = "relied", **labels: str) -> Specimen:
    words = {"all": NATIVE, "batch": CONCURRENT, "abatch": CONCURRENT, **labels}
    return specimen(name, f"{module}:{name}", why, **words)  # type: ignore[arg-type]  # labels are strings


def _telling(name: str, why: str, target: str | None = None, **more: object) -> Specimen:
    words = {"all": NATIVE, "batch": CONCURRENT, "abatch": CONCURRENT}
    keys = {"usage": {"stream_usage": True}, **more}
    return specimen(name, f"columns:{target or name}", why, more=keys, **words)  # type: ignore[arg-type]  # labels are strings


DEAF: Final = ("NativeSync-http.client", "NativeSync-urllib", "Chat-http.client-httpx")
"""
They read line by line through `http.client`, which takes a chunked answer that breaks off for one that has ended:
CPython's `_peek_chunked` swallows IncompleteRead. The check is right about them, and it is not their doing.
"""

RELIABLE: Final = (
    _relied("Reliable", "One request an input, concurrently; everything else is native."),
    _relied("TellsItsReader", "A reader with a queue streams truly, in a thread or in a task on the loop."),
    _relied("CutsItself", "Where stop is not asked for, nothing is cut off."),
    _relied("KeepsBooks", "A thread that serves no stream goes on after each of them.", "closing"),
    _relied("ClosesItsClient", "Who closes the client closes what it has not read.", "closing"),
    _relied("InAThread", "The synchronous call in an executor.", ainvoke=THREAD, abatch=THREAD),
    _telling("Telling", "Items that say more than their text are items."),
    _telling("PutTogether", "The same, and nobody can add them.", rebuild="zoo_adapters.columns:put_together"),
    _telling("Apart", "The same, and their reader joins the texts.", target="PutTogether"),
    specimen(
        "Unasked",
        "relied:Reliable",
        "Its stream takes no question for the tokens, which its registration does not know.",
        more={"usage": {"stream_usage": True}},
        all=NATIVE,
        batch=CONCURRENT,
        abatch=CONCURRENT,
    ),
    _telling("Guesses", "Nobody asks for the tokens."),
    _telling("Built", "The same, and their package puts them together."),
)
"""They keep everything that the checks ask for."""

UNRELIABLE: Final = (
    _relied("StripsPieces", "Differences in white space are not broken."),
    _relied("EndsQuietly", "A recording without a failure shows none hidden."),
    _relied("KeepsOpen", "The whole answer is read."),
    _relied("ReadsOn", "A reader with a queue streams truly, in a thread or in a task on the loop."),
    _relied("FirstComeFirstServed", "The answers come in the order of the inputs."),
    _relied("OneForAll", "No input fails."),
    _relied("Unlimited", "No limit was asked for."),
    _relied("Apologises", "Nothing is refused."),
    _relied("ForgetsStop", "No stop was asked for."),
    _relied("WillNotStop", "Nobody cancels."),
    _relied("AsksAgain", "Nobody cancels."),
    _telling("ForgetsTheEnd", "Nobody adds the items up."),
    _telling("RunsTogether", "Nobody adds the items up."),
    _telling("EndsOtherwise", "How an answer ended is no verdict's matter."),
    _telling("BuiltWithATail", "Nobody puts the items together."),
    _telling("CountsTwice", "Nobody adds the items up."),
    _telling("AsksNobody", "Nobody adds the items up.", target="Telling", rebuild="zoo_adapters.columns:nobody"),
    _telling("KeepsTheBill", "Nobody asks for the tokens."),
    _telling("TellsAfterwards", "Events are none of the six calls."),
    _telling("TellsAtRandom", "Events are none of the six calls."),
    _telling("LogsHalf", "Logs are none of the six calls."),
    _telling("NeverTires", "The upstream comes to an end."),
    _telling("LeavesQuietly", "The upstream comes to an end."),
)
"""Their verdicts are as good as any; each breaks one thing that a check asks for."""

FOUND_OUT: Final = {
    "StripsPieces": ("stream-joins", STREAMS),
    "EndsQuietly": ("stream-error", STREAMS),
    "KeepsOpen": ("stream-closes", STREAMS),
    "ReadsOn": ("stream-closes", STREAMS),
    "FirstComeFirstServed": ("batch-order", BATCHES),
    "OneForAll": ("batch-survives", BATCHES),
    "Unlimited": ("max-concurrency", BATCHES),
    "Apologises": ("http-status", ("invoke", "ainvoke", "stream", "astream", "batch", "abatch")),
    "ForgetsStop": ("stop", ("invoke", "ainvoke", "stream", "astream", "batch", "abatch")),
    "WillNotStop": ("cancel", ("ainvoke", "astream", "abatch")),
    "AsksAgain": ("cancel", ("ainvoke", "abatch")),
    "ForgetsTheEnd": ("stream-rebuilds", STREAMS),
    "RunsTogether": ("stream-rebuilds", STREAMS),
    "EndsOtherwise": ("stream-rebuilds", STREAMS),
    "BuiltWithATail": ("stream-rebuilds", STREAMS),
    "CountsTwice": ("stream-rebuilds", STREAMS),
    "AsksNobody": ("stream-rebuilds", STREAMS),
    "KeepsTheBill": ("usage-in-streams", STREAMS),
    "TellsAfterwards": ("event-streaming", ("astream",)),
    "TellsAtRandom": ("event-streaming", ("astream",)),
    "LogsHalf": ("event-streaming", ("astream",)),
}
"""Which check finds which adapter out, and in which calls."""

TIRELESS: Final = {
    "NeverTires": "not stopped after 1000 pieces that are the same",
    "LeavesQuietly": "it ends after 50 pieces as if the answer were whole: no exception tells the caller",
}
"""What `loop-guard` says of them; it is tried only where it is asked for, for a guard is no adapter's duty."""

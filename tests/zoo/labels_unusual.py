"""Labels of what asks in unusual ways, and of what only looks like it."""

from __future__ import annotations

from typing import Final

from specimen import BROKEN, CONCURRENT, LATE, NATIVE, UNKNOWN, specimen

UNUSUAL: Final = (
    specimen(
        "Company",
        "unusual:Company",
        "Each request carries all inputs, but leads to one answer; they overlap.",
        batch=CONCURRENT,
        abatch=CONCURRENT,
    ),
    specimen(
        "SendsASet",
        "unusual:SendsASet",
        "What is recorded is asked again, though it was made of a set.",
        invoke=NATIVE,
        astream=NATIVE,
    ),
    specimen("ClosesItsOutput", "unusual:ClosesItsOutput", "What it prints is no part of its answer.", invoke=NATIVE),
    specimen(
        "RetriesTogether",
        "unusual:RetriesTogether",
        "Retries change nothing: the requests that were answered overlap.",
        abatch=CONCURRENT,
    ),
    specimen(
        "AsksOnce",
        "unusual:AsksOnce",
        "Two inputs were never sent; their outputs are no answers to them.",
        batch=BROKEN,
        abatch=BROKEN,
    ),
    specimen(
        "GuessesTheStart",
        "unusual:GuessesTheStart",
        "An item counts if it carries part of the answer; what had not come was guessed.",
        stream=LATE,
        astream=LATE,
    ),
    specimen(
        "AsksTwice",
        "unusual:AsksTwice",
        "The items came from the second answer, before its middle.",
        stream=NATIVE,
        astream=NATIVE,
    ),
    specimen(
        "DrainsThenAsks",
        "unusual:DrainsThenAsks",
        "The items came after all that was streamed, from an answer that was not.",
        stream=LATE,
    ),
    specimen(
        "PollsSeveralJobs",
        "unusual:PollsSeveralJobs",
        "A poll belongs to the job that it names, not to all whose addresses have a part in common with its own.",
        batch=CONCURRENT,
    ),
    specimen(
        "StreamsByPostedPolls",
        "unusual:StreamsByPostedPolls",
        "A stream made of polls has the polls as arrivals, also where they are posted.",
        stream=NATIVE,
    ),
    specimen(
        "StreamsByCursor",
        "unusual:StreamsByCursor",
        "A stream made of polls has the polls as arrivals, also where each brings a part.",
        invoke=NATIVE,
        stream=NATIVE,
    ),
    specimen(
        "StreamsByCursor-loses",
        "unusual:StreamsByCursor",
        "A lost piece is broken, also where a poll brought it.",
        kwargs={"loses": 2},
        invoke=BROKEN,
        stream=BROKEN,
    ),
    specimen(
        "TokenThenRawSocket",
        "escapes:TokenThenRawSocket",
        "The token request is seen, but not what the answer came from.",
        invoke=UNKNOWN,
    ),
)

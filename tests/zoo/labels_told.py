"""Labels of what reads an answer that is told in an unusual form."""

from __future__ import annotations

from typing import Final

from specimen import BROKEN, CONCURRENT, LATE, NATIVE, SEQUENTIAL, specimen

TOLD: Final = (
    specimen(
        "WaitsInLine-comments",
        "told:WaitsInLine",
        "What says nothing is no piece of the answer: the first item came with the answer's first piece.",
        kwargs={"says": "comment"},
        stream=NATIVE,
        astream=NATIVE,
    ),
    specimen(
        "WaitsInLine-status",
        "told:WaitsInLine",
        "A status that is said again is no further piece of the answer.",
        kwargs={"says": "status"},
        stream=NATIVE,
        astream=NATIVE,
    ),
    specimen(
        "WaitsInLine-waits",
        "told:WaitsInLine",
        "Nothing before the middle of the answer itself, however long one waited for it.",
        kwargs={"says": "comment", "waits": True},
        stream=LATE,
        astream=LATE,
    ),
    specimen(
        "SumsUp",
        "told:SumsUp",
        "Who drops the line that says everything again has lost nothing.",
        stream=NATIVE,
    ),
    specimen(
        "SumsUp-repeats",
        "told:SumsUp",
        "An item that repeats the whole text so far is broken.",
        kwargs={"repeats": True},
        stream=BROKEN,
    ),
    specimen(
        "SumsUp-loses",
        "told:SumsUp",
        "A lost piece is lost, also where a later line has it.",
        kwargs={"loses": 2},
        stream=BROKEN,
    ),
    specimen(
        "ToldByTurns",
        "told:ToldByTurns",
        "One request carries all inputs; each answer is what has its number.",
        batch=NATIVE,
    ),
    specimen(
        "ToldByTurns-swaps",
        "told:ToldByTurns",
        "Outputs that are not in order are broken.",
        kwargs={"swaps": True},
        batch=BROKEN,
    ),
    specimen(
        "ToldByTurns-loses",
        "told:ToldByTurns",
        "A lost piece is broken, whatever numbers the pieces.",
        kwargs={"loses": 7},
        batch=BROKEN,
    ),
    specimen(
        "AsksInOne",
        "told:AsksInOne",
        "One answer to several prompts may be taken apart; the marks around its parts may go.",
        batch=NATIVE,
    ),
    specimen(
        "AsksInOne-loses",
        "told:AsksInOne",
        "The end of an answer is no mark between two.",
        kwargs={"loses": True},
        batch=BROKEN,
    ),
    specimen("Nursery", "told:Nursery", "The requests overlap, as trio's tasks.", batch=CONCURRENT),
    specimen(
        "Nursery-waits",
        "told:Nursery",
        "Each answer is awaited before the next request.",
        kwargs={"waits": True},
        batch=SEQUENTIAL,
    ),
)

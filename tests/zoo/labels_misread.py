"""Labels of what takes the wrong thing out of an answer."""

from __future__ import annotations

from typing import Final

from specimen import BROKEN, NATIVE, SEQUENTIAL, specimen

MISREAD: Final = (
    *(
        specimen(
            f"NamesEachEvent-{field}",
            "misread:NamesEachEvent",
            "What each event says again is not the answer, however often it is said.",
            kwargs={"field": field},
            stream=BROKEN,
        )
        for field in ("id", "object")
    ),
    specimen(
        "ReadsTheHistory-question",
        "misread:ReadsTheHistory",
        "The question that is told beside the answer is not the answer.",
        kwargs={"entry": 0},
        invoke=BROKEN,
        batch=BROKEN,
    ),
    specimen(
        "ReadsTheHistory-answer",
        "misread:ReadsTheHistory",
        "The answer is the answer wherever it is told.",
        kwargs={"entry": -1},
        invoke=NATIVE,
        batch=SEQUENTIAL,
    ),
    *(
        specimen(
            f"SortsPieces-{keeps}",
            "misread:SortsPieces",
            "A piece of an answer is not the answer, also where one stream brings several.",
            kwargs={"keeps": keeps},
            batch=NATIVE if keeps == "all" else BROKEN,
        )
        for keeps in ("all", "first", "last")
    ),
)

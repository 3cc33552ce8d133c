"""The texts of an answer in XML."""

from __future__ import annotations

from contextlib import suppress
from typing import Final
from xml.parsers.expat import ExpatError, ParserCreate

_DECLARATION: Final = "<?xml"


def elements(text: str) -> list[tuple[str, str]]:
    """
    Return the path and the text of each element that has one, as far as the answer goes; nothing where it is no XML.

    It has to say that it is: models write tags of their own within plain answers.
    """
    if not text.lstrip().startswith(_DECLARATION):
        return []
    # expat itself refuses entities that grow without end, and loads none from elsewhere
    parser = ParserCreate("utf-8")
    parser.buffer_text = True
    found: list[tuple[str, str]] = []
    path: list[str] = []
    parser.StartElementHandler = lambda name, _: path.append(name)
    parser.EndElementHandler = lambda _: path.pop()
    parser.CharacterDataHandler = lambda words: found.append(("/".join(path), words))
    with suppress(ExpatError):
        parser.Parse(text.lstrip().encode(), False)  # noqa: FBT003 - it takes its arguments by their place
    return found

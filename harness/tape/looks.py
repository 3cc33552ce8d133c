"""
What only looks like a secret: a random value beside a name that says so, or in the middle of prose.

Identifiers are random as well, and every provider's answer has some. So randomness alone accuses nothing: it has to
stand where a credential would, or where words are expected.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from harness.tape.credentials import Known, entropy, is_placeholder, is_telling, looks_random

if TYPE_CHECKING:
    from collections.abc import Iterator

_NAMED: Final = re.compile(
    rb"(?<![\w.-])([\w.\-]{0,40}(?i:key|token|secret|passw(?:or)?d|passphrase|credentials?|auth|authorization|bearer|pwd))"
    rb"[\"'\\]{0,3}(?:\s{0,3}(?:=>|:=|=|:)|\s(?:is|was))[\s\"'\\]{0,4}([A-Za-z0-9_\-.~+/=%|]{16,})"
)
_PROSE: Final = re.compile(rb"(?<=[A-Za-z,.:;] )[`'(<]?([A-Za-z0-9_\-+/=]{24,200})(?![A-Za-z0-9_\-+/=@])")
_BITS: Final = 4.0
"""Bits a character; of 24 random letters and digits 99 in 100 have more, of words joined by lines almost none."""
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_CALLED_PUBLIC: Final = re.compile(
    rb"(?i)(?:\bids?|identifier|request|trace|digest|sha-?\d*|hash|etag|version|revision|commit|fingerprint|run|event|model"
    rb"|build|data|boundary)[\"'`)]*\s*(?:is|was|no\.?|of)?[\s:=#(]*[`'\"(<]?$"
)
_IS_PUBLIC: Final = re.compile(r"(?i)(?:req|request|resp|chatcmpl|cmpl|msg|run|call|toolu|fp|gen|trace|id|ft|file)[-_]")
_BEFORE: Final = 24
_FORM: Final = re.compile(r"[+=&]")
_FORM_WORD: Final = re.compile(r"[A-Z]?[a-z]*\d{0,4}")
"""A word as forms join them: of a random value, no part between its signs is one."""


def random_looking(data: bytes) -> Iterator[Known]:
    """
    Find random values that stand where a credential would, or among words.
    """
    for hit in _NAMED.finditer(data):
        value = hit[2].decode("latin-1").rstrip(".")
        if looks_random(value) and not _UUID.fullmatch(value) and is_telling(hit[1].decode("latin-1")):
            yield Known("a random value with a credential's name", hit.start(2), hit.end(2))
    for hit in _PROSE.finditer(data):
        before = data[max(0, hit.start(1) - _BEFORE) : hit.start(1)]
        if _is_token(hit[1].decode("latin-1")) and not _CALLED_PUBLIC.search(before):
            yield Known("a random value among words", hit.start(1), hit.end(1))


def _is_token(value: str) -> bool:
    kinds = (re.search(pattern, value) for pattern in ("[a-z]", "[A-Z]", "[0-9]"))
    return (
        all(kinds)
        and entropy(value) > _BITS
        and looks_random(value)
        and not _UUID.fullmatch(value)
        and not _IS_PUBLIC.match(value)
        and not is_placeholder(value)
        and not all(_FORM_WORD.fullmatch(word) for word in _FORM.split(value))
    )

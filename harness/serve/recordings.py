"""What is served: the recordings of many cassettes as one, and how often each was played."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from harness.serve.errors import EmptyFolderError, NothingServableError
from harness.tape import cassette as files
from harness.tape.recorded import cassette_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from vcr.cassette import Cassette

    from harness.tape.recorded import Interaction

MATCH_ON: Final = ("method", "path", "query", "body")
"""The tape's own, without what pointing a client at loopback changes: scheme, host and port."""
_SERVED: Final = frozenset({"http", "https"})


@dataclass(frozen=True, slots=True)
class Place:
    """
    Say where a recording stands.

    Attributes:
        file: the cassette.
        number: the interaction in it, from 1.
        asked: method and address of its request.
    """

    file: str
    number: int
    asked: str

    def __str__(self) -> str:
        return f"{self.file}, interaction {self.number}"


@dataclass(frozen=True, slots=True)
class Recordings:
    """
    Hold everything that can be played.

    Attributes:
        cassette: all of it, in the order of the files.
        places: where each interaction of the cassette comes from.
        unserved: how many interactions are no HTTP: gRPC, websockets, engines.
        plays: how often each interaction was played.
    """

    cassette: Cassette
    places: tuple[Place, ...]
    unserved: int = 0
    plays: Counter[int] = field(default_factory=Counter)

    @property
    def origins(self) -> frozenset[str]:
        """
        Return scheme and host of every recorded request.
        """
        return frozenset("{0.scheme}://{0.netloc}".format(urlsplit(request.uri)) for request, _ in self.cassette.data)


def load(named: Iterable[Path], match_on: Sequence[str] | None = None) -> Recordings:
    """
    Return the recordings of cassettes, and of folders of cassettes.

    Args:
        named: files, and folders in which every `.yaml` file, at any depth, is a cassette.
        match_on: names of matchers; None for those of the tape without scheme, host and port.

    Raises:
        EmptyFolderError: a folder holds no cassette.
        UnknownMatcherError: a name in `match_on` is no matcher's.
        NothingServableError: not one request of HTTP is recorded.
        CassetteError: a file is missing, cannot be read, or cannot be trusted.
    """
    names = MATCH_ON if match_on is None else tuple(match_on)
    everything = [one for path in _files(named) for one in _interactions(path, names)]
    served = [(place, pair) for place, pair in everything if urlsplit(pair[0].uri).scheme.lower() in _SERVED]
    if not served:
        raise NothingServableError(
            "nothing in these cassettes can be served: not one HTTP request is recorded",
            where=", ".join(map(str, named)),
            hint="gRPC, websockets and engines are replayed in the adapter's own process only",
        )
    cassette = cassette_of([pair for _, pair in served], names)
    return Recordings(cassette, tuple(place for place, _ in served), len(everything) - len(served))


def _interactions(path: Path, match_on: Sequence[str]) -> list[tuple[Place, Interaction]]:
    data: list[tuple[Any, dict[str, Any]]] = files.load(path, match_on=match_on).data
    return [
        (Place(str(path), number, f"{request.method} {request.uri}"), (request, response))
        for number, (request, response) in enumerate(data, 1)
    ]


def _files(named: Iterable[Path]) -> list[Path]:
    found: dict[Path, None] = {}
    for path in named:
        inside = sorted(path.rglob("*.yaml")) if path.is_dir() else [path]
        if not inside:
            raise EmptyFolderError(
                "there is no cassette in this folder", where=str(path), hint="cassettes are files named *.yaml"
            )
        found.update(dict.fromkeys(inside))
    return list(found)

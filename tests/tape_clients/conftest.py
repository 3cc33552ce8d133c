"""What the tests of the taps share: the upstream, and a way to record and to replay."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import trustme
from upstream_server import NEVER, Upstream, running

from harness.events import Arrival, Item
from harness.tape import cassette as files
from harness.tape import clients
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.secrets import Secrets
from harness.tape.tape import Recorder, Tape, current
from harness.words import Capability

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass
class Deck:
    """
    Record and replay in one folder.
    """

    folder: Path
    tapes: list[Tape] = field(default_factory=list)

    @contextmanager
    def recording(self, name: str = "cell", **options: Any) -> Iterator[Tape]:
        """
        Record what is asked for, and write it.
        """
        kept: list[Any] = []
        tape = Tape(Log(), Gate(Capability.INVOKE), on_interaction=lambda *pair: kept.append(pair), **options)
        with tape.insert():
            yield tape
        files.save(self.path(name), kept, Secrets())

    @contextmanager
    def replaying(self, name: str = "cell", **options: Any) -> Iterator[Tape]:
        """
        Replay what was written.
        """
        tape = Tape(Log(), Gate(Capability.INVOKE), cassette=files.load(self.path(name)), **options)
        with tape.insert():
            yield tape

    def path(self, name: str = "cell") -> Path:
        """
        Return where a recording is.
        """
        return self.folder / f"{name}.yaml"


def mark(item: Any) -> None:
    """
    Note in the current tape's log that the caller has an item.
    """
    tape = current()
    if tape is not None:
        tape.log.add(Item, text=str(item), type=type(item).__name__)


def in_step(tape: Tape) -> list[bool]:
    """
    Tell, for each arrival, whether an item was seen before the next.
    """
    seen: list[bool] = []
    for event in tape.log.events:
        if isinstance(event, Arrival):
            seen.append(False)
        elif isinstance(event, Item) and seen:
            seen[-1] = True
    return seen


@pytest.fixture(autouse=True, scope="session")
def _tapped() -> None:
    clients.install()


@pytest.fixture
def deck(tmp_path: Path) -> Deck:
    return Deck(tmp_path)


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def authority_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


@pytest.fixture
def paced_recording(monkeypatch: pytest.MonkeyPatch) -> Any:
    """
    Let an upstream send its next piece when the last one was recorded, so that none are joined on the way.
    """

    @contextmanager
    def pacing(upstream: Upstream) -> Iterator[None]:
        original = Recorder.arrived

        def arrived(recorder: Recorder, data: bytes) -> bool:
            wanted = original(recorder, data)
            upstream.note_item()
            return wanted

        upstream.restart(in_step=True, give_up=NEVER)
        with monkeypatch.context() as patch:
            patch.setattr(Recorder, "arrived", arrived)
            yield
        upstream.restart(in_step=False)

    return pacing


__all__ = ["Deck", "in_step", "mark", "running"]


@pytest.fixture
def steps() -> Any:
    return in_step


@pytest.fixture
def marked() -> Any:
    return mark

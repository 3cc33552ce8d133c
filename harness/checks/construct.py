"""The entry of a cell that only makes an instance, and says which of the six calls it has."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from harness.adapters.adapter import Adapter
from harness.adapters.build import build
from harness.adapters.missing import MissingDependency
from harness.battery.calls import files_at, raised
from harness.battery.job import note
from harness.errors import UserError
from harness.events import Constructed, Missing, Raised, encode
from harness.tape import clients
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.tape import Tape
from harness.words import Capability

if TYPE_CHECKING:
    from harness.battery.job import Job, Send

ENTRY = "harness.checks.construct:run"


def run(job: Job, capability: Capability, send: Send) -> None:
    """
    Make an instance, with no upstream to talk to, and send what came of it.
    """
    clients.install()
    adapter = Adapter.from_dict(job.adapter)
    log = Log(lambda event: send("event", encode(event)))
    with Tape(log, Gate(capability), missing="nothing is recorded yet").insert():
        try:
            instance = _built(adapter)
        except MissingDependency as error:
            log.add(Missing, what="module", name=error.told)
        except UserError as error:
            send("note", note("problem", str(error)))
        except BaseException as error:  # noqa: BLE001 - whatever the constructor raises is what it did
            log.add(Raised, **raised(error, "construction", files_at(adapter.target)))
        else:
            cls = type(instance)
            log.add(Constructed, module=cls.__module__, qualname=cls.__qualname__)
            send("note", note("calls", " ".join(one for one in Capability if callable(getattr(instance, one, None)))))


def _built(adapter: Adapter) -> Any:  # noqa: ANN401 - any class
    async def inside() -> Any:  # noqa: ANN401 - as above
        return build(adapter)

    try:
        return build(adapter)
    except RuntimeError:
        # some constructors need a running loop
        return asyncio.run(inside())

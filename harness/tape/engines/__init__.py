"""
The engine tap: where an adapter meets an engine inside of its own process.

An adapter that is registered with an `engine` table gets the modules named there through handles. While
recording, a handle passes everything on to the real engine and keeps what came back; in replay it answers
from the cassette, and neither the engine nor its weights are needed. A call of a *seam* is a request like
any other, with arrivals; whatever else is done with the engine's objects is kept beside it.
"""

from __future__ import annotations

from harness.tape.engines.modules import finish, provide
from harness.tape.engines.spec import EngineSpec, Seam

__all__ = ["EngineSpec", "Seam", "finish", "provide"]

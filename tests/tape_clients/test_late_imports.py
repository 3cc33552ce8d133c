"""Client libraries that are imported late: vcrpy brings none along, and the tap is there before the first request."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from typing import Final

import pytest

from harness.tape.lean import PATCHED

IMPORTS_VCRPY: Final = """
import sys
from harness.tape import lean
lean.leave_clients_out()
import harness.battery.cell, harness.tape.clients
harness.tape.clients.install()
import vcr
print(*sorted(set(sys.argv[1:]) & {name.partition(".")[0] for name in sys.modules}))
for name in sys.argv[1:]:
    __import__(name)
"""
REQUESTS: Final = {
    "urllib3": "urllib3.PoolManager().request('GET', url, retries=False)",
    "requests": "requests.get(url)",
    "httpx": "httpx.get(url)",
    "httpx2": "httpx2.get(url)",
    "aiohttp": "asyncio.run(fetch())",
}
ASKS: Final = """
import asyncio, importlib, sys
from harness.tape import clients
from harness.tape.gate import Gate
from harness.tape.log import Log
from harness.tape.tape import Tape
from harness.words import Capability

url = "http://127.0.0.1:9/never"

async def fetch():
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return await answer.text()

clients.install()
with Tape(Log(), Gate(Capability.INVOKE), missing="nothing was recorded here").insert():
    assert LIBRARY not in sys.modules
    globals()[LIBRARY] = importlib.import_module(LIBRARY)
    try:
        REQUEST
    except Exception as error:
        print(type(error).__name__, error)
"""


def _run(script: str, *arguments: str) -> str:
    done = subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_vcrpy_brings_no_client_library_along_and_keeps_none_away():
    """
    In a process of the harness none of those that vcrpy would patch is there, and each can be imported afterwards.
    """
    installed = [name for name in sorted(PATCHED) if importlib.util.find_spec(name) is not None]
    assert len(installed) > 3

    assert not _run(IMPORTS_VCRPY, *installed)
    # and without the harness's word it brings them, or there would be nothing to leave out
    assert _run(IMPORTS_VCRPY.replace("lean.leave_clients_out()", ""), *installed)


@pytest.mark.parametrize("library", REQUESTS)
def test_a_library_that_is_imported_within_a_call_is_tapped(library: str):
    """
    Its first request gets to the tape, which refuses what it has no recording of.
    """
    pytest.importorskip(library)
    script = f"from harness.tape import lean\nlean.leave_clients_out()\n{ASKS}"

    said = _run(script.replace("LIBRARY", repr(library)).replace("REQUEST", REQUESTS[library]))

    assert "nothing was recorded here" in said

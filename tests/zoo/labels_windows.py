"""Labels of streams that are gathered by a clock of the adapter's own."""

from __future__ import annotations

from typing import Final

from specimen import LATE, NATIVE, ONCE, THREAD, specimen

_IN_TIME: Final = "At the pace at which the answer came, the caller has an item before its middle."

WINDOWS: Final = (
    specimen("LooksAtTheClock", "windows:LooksAtTheClock", _IN_TIME, stream=NATIVE, astream=NATIVE),
    specimen("SetsATimer", "windows:SetsATimer", _IN_TIME, stream=NATIVE, astream=NATIVE),
    specimen("LongWindow", "windows:LongWindow", "The span ends after the answer.", stream=ONCE),
    specimen("WindowsAfterwards", "windows:WindowsAfterwards", "No item comes before the last arrival.", stream=LATE),
    specimen("WindowsInAThread", "windows:WindowsInAThread", "In time, but in a worker thread.", astream=THREAD),
)

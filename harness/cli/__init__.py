"""The command `harness`."""

from __future__ import annotations

import sys

from harness.tape import lean

_MEASURING = frozenset({"check", "record", "run"})
_DOING_WITHOUT = frozenset({"-h", "--help", "--spawn"})


def main() -> None:
    """
    Run the command line and exit with its status.
    """
    lean.leave_clients_out()
    try:
        if sys.argv[1:2] and sys.argv[1] in _MEASURING and _DOING_WITHOUT.isdisjoint(sys.argv):
            from harness.cli import starting  # noqa: PLC0415 - as below, and only for those commands

            starting.begin()
        from harness.cli.app import run  # noqa: PLC0415 - Ctrl-C may come while it is being imported

        status = run()
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)

"""The command `harness`."""

from __future__ import annotations

import sys

from harness.tape import lean


def main() -> None:
    """
    Run the command line and exit with its status.
    """
    lean.leave_clients_out()
    try:
        from harness.cli.app import run  # noqa: PLC0415 - Ctrl-C may come while it is being imported

        status = run()
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)

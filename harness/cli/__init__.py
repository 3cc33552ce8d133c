"""The command `harness`."""

from __future__ import annotations

import sys


def main() -> None:
    """
    Run the command line and exit with its status.
    """
    try:
        from harness.cli.app import run  # noqa: PLC0415 - Ctrl-C may come while it is being imported

        status = run()
    except KeyboardInterrupt:
        status = 130
    sys.exit(status)

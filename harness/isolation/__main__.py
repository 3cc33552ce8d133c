"""
Where the processes of this package begin: `python -m harness.isolation zygote …`, or `spawned`.
"""

from __future__ import annotations

import sys
from importlib import import_module

from harness.tape import lean

if __name__ == "__main__":
    # before anything that they import has imported vcrpy
    lean.leave_clients_out()
    import_module(f"harness.isolation.{sys.argv[1]}").main(sys.argv[2:])

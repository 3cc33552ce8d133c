"""How long checks wait for what may never come."""

from __future__ import annotations

from typing import Final

SLICE: Final = 0.01
"""Seconds of one slice of waiting."""
NEVER: Final = 300
"""
Slices of waiting after which something is called never: forty times what native adapters needed on a machine with twice
as many busy processes as cores. They are counted, so that a starved process gets proportionally longer.
"""

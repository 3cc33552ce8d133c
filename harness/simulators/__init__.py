"""Providers that answer on loopback: one server, and a file of data for each wire format it speaks."""

from __future__ import annotations

from harness.simulators.answers import CODE_WORD, Answer, compose
from harness.simulators.eventstream import encode_message
from harness.simulators.folder import load_shapes, with_those_beside
from harness.simulators.shapes import Shape
from harness.simulators.simulator import Simulator
from harness.simulators.tables import ShapeError

__all__ = [
    "CODE_WORD",
    "Answer",
    "Shape",
    "ShapeError",
    "Simulator",
    "compose",
    "encode_message",
    "load_shapes",
    "with_those_beside",
]

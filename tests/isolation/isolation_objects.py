"""
A module that an argument of an adapter comes from; it knows which process imported it.
"""

from __future__ import annotations

import os

IMPORTED_BY = os.getpid()

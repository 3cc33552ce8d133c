"""
See `atls`.
"""

from __future__ import annotations


class Validator:
    """
    Stand for what checks an attestation.
    """

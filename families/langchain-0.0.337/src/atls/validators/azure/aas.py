"""
See `atls`.
"""

from __future__ import annotations

from atls.validators import Validator

PUBLIC_JKUS: tuple[str, ...] = ()


class AciValidator(Validator):
    """
    Stand for the validator of one cloud.
    """

    def __init__(self, jkus: object) -> None:
        self.jkus = jkus

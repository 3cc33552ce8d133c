"""
One line of an exception says what is wrong, and not only how much.
"""

from __future__ import annotations

from typing import Self

import pytest
from pydantic import BaseModel, ValidationError, model_validator
from pydantic import v1 as version_1

from harness.verdicts.headlines import first_line


class Keyless(BaseModel):
    """
    A model that wants a key, as LangChain's do.
    """

    model: str = "toy"
    key: str = ""

    @model_validator(mode="after")
    def wants_a_key(self) -> Self:
        """
        Refuse to be without.
        """
        if not self.key:
            raise ValueError("Did not find toy_key, please set TOY_KEY")
        return self


class Old(version_1.BaseModel):
    """
    A model of pydantic 1, as LangChain's were.
    """

    size: int = 0

    @version_1.root_validator(skip_on_failure=True)
    def wants_a_size(cls, values: dict[str, object]) -> dict[str, object]:  # noqa: N805 - pydantic 1 gives the class
        """
        Refuse to be empty.
        """
        if not values["size"]:
            raise ValueError("Did not find toy_size, please set TOY_SIZE")
        return values


@pytest.mark.parametrize(
    ("model", "values", "said"),
    [
        (Keyless, {}, "1 validation error for Keyless: Value error, Did not find toy_key, please set TOY_KEY"),
        (
            Keyless,
            {"model": 1, "key": 2},
            "2 validation errors for Keyless: model: Input should be a valid string",
        ),
        (Old, {}, "1 validation error for Old: Did not find toy_size, please set TOY_SIZE"),
        (Old, {"size": "big"}, "1 validation error for Old: size: value is not a valid integer"),
    ],
)
def test_what_pydantic_counts_is_said(model: type, values: dict[str, object], said: str) -> None:
    """
    The first of the faults stands beside their number, without the code and the input, which may hold a key.
    """
    with pytest.raises((ValidationError, version_1.ValidationError)) as caught:
        model(**values)

    assert first_line(str(caught.value)) == said


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("one", "one"),
        ("\n one\ntwo", "one"),
        ("it cannot be:\n\n  no such model\nthree", "it cannot be: no such model"),
        ("it cannot be:", "it cannot be:"),
        ("", ""),
        ("3 validation errors for Empty", "3 validation errors for Empty"),
        ("x" * 400, "x" * 300 + "…"),
    ],
)
def test_other_messages_say_their_first_line(message: str, said: str) -> None:
    """
    A line that ends in a colon takes the next one with it; nothing else does.
    """
    assert first_line(message) == said

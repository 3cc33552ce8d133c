"""What came of a check, as it travels from its process to whoever asked."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from harness.words import State

__all__ = ["Result", "Source", "State"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """
    Hold how one check ended for one call.

    Attributes:
        check: its name.
        state: how it ended.
        findings: a sentence for each thing that is not as promised.
        why: why it was skipped, switched off or failed itself.
        lasting: it was skipped for a reason that a new process would have as well.
        figure: what was measured, in a few words, for a cell of a table; empty where there is none.
        told: the same in a sentence.
    """

    check: str
    state: State
    findings: tuple[str, ...] = ()
    why: str = ""
    lasting: bool = False
    figure: str = ""
    told: str = ""

    def encode(self) -> str:
        """
        Return the result as a line of JSON.
        """
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> Result:
        """
        Return the result that `encode` wrote.
        """
        values = json.loads(text)
        return cls(**{**values, "state": State(values["state"]), "findings": tuple(values["findings"])})


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """
    Say where in an adapter's source a call is to be found.

    Attributes:
        path: the file; relative to the project where it stands in it.
        line: from 1.
        text: that line.
        inherited: the class that the adapter has the call from; None where it writes the method itself, or lacks it.
    """

    path: str
    line: int
    text: str
    inherited: str | None = None

    def encode(self) -> str:
        """
        Return the place as a line of JSON.
        """
        return json.dumps(asdict(self))

    @classmethod
    def decode(cls, text: str) -> Source:
        """
        Return the place that `encode` wrote.
        """
        return cls(**json.loads(text))

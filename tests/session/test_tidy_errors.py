"""
What an error says in a report: nothing of the machine, nothing secret, and whose fault it was.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.events import Constructed, Raised, Started, Where
from harness.isolation.outcome import Outcome
from harness.session.cells import fault_of, judged
from harness.session.tidy import tidy
from harness.tape.secrets import secrets_of
from harness.words import Capability, Verdict

ROOT = Path("/home/somebody/project")
HERE = Where(1)
INSTALLED = "site-packages"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('File "/home/somebody/project/pkg/llm.py", line 3', 'File "pkg/llm.py", line 3'),
        (f'File "/srv/env/lib/python3.12/{INSTALLED}/httpx/_api.py", line 3', 'File "httpx/_api.py", line 3'),
        ('File "/usr/lib/python3/dist-packages/six.py", line 3', 'File "six.py", line 3'),
        ('File "/usr/lib/python3.12/asyncio/runners.py", line 3', 'File "python3.12/asyncio/runners.py", line 3'),
        ('File "/srv/checkout/harness/battery/calls.py", line 3', 'File "harness/battery/calls.py", line 3'),
        ('File "/elsewhere/of/mine/pkg/llm.py", line 3', 'File "pkg/llm.py", line 3'),
        ("<Client object at 0x7f21c02b1d90>", "<Client object at 0x…>"),
        ("POST http://example.com/v1/chat/run.py gave 0x1F", "POST http://example.com/v1/chat/run.py gave 0x1F"),
        ("nothing to tidy: a/b c", "nothing to tidy: a/b c"),
    ],
)
def test_places_and_addresses_are_taken_out(text: str, expected: str) -> None:
    """
    Paths are told from the project, the package or their last folder on; numbers and web addresses stay.
    """
    assert tidy(text, ROOT) == expected


KEY = "k7Vq9zLw2Xb4Tn8Rj3Ys6Pd1"


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_given_secret_is_masked_wherever_it_stands(before: str, after: str) -> None:
    """
    The value of an argument that is a key does not come through, whatever stands around it.
    """
    told = tidy(f"{before} {KEY} {after} {KEY}", ROOT, secrets_of({}, {"api_key": KEY}))
    assert KEY not in told
    assert told.count("REDACTED") >= 2


def test_a_fault_of_the_harness_is_nobodys_verdict() -> None:
    """
    Whatever the events say, a cell in which the harness failed is unknown, with the reason and the traceback.
    """
    fault = "Traceback (most recent call last):\n  File ...\nKeyError: 'arrivals'\n"
    events = (
        Constructed(at=0, real=0, where=HERE, module="m", qualname="C"),
        Started(at=0, real=0, where=HERE, capability="invoke", inputs=("a",)),
        Raised(
            at=0, real=0, where=HERE, phase="call", type="ValueError", message="", unsupported=False, traceback="own"
        ),
    )
    outcome = Outcome(events=events, notes={"fault": fault})
    for replayed in (True, False):
        judgement = judged(Capability.INVOKE, outcome, provenance=None, attempt=None, replayed=replayed)
        assert (judgement.verdict, judgement.mechanism) == (Verdict.UNKNOWN, None)
        assert judgement.reason == "not measured: the harness itself failed, not the adapter: KeyError: 'arrivals'"
        assert judgement.evidence.error == fault


@pytest.mark.parametrize(("notes", "expected"), [({}, None), ({"fault": ""}, "the harness itself failed")])
def test_a_fault_without_words_is_one_too(notes: dict[str, str], expected: str | None) -> None:
    """
    No note is no fault; an empty one is.
    """
    assert fault_of(Outcome(notes=notes)) == expected

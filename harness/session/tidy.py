"""What an error says without the machine that it happened on, and without secrets: it is reported and committed."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Final

from harness.adapters.build import expanded_env
from harness.adapters.variables import expand
from harness.errors import RegistrationError
from harness.tape.secrets import Secrets, hits, secrets_of

if TYPE_CHECKING:
    from pathlib import Path

    from harness.adapters.adapter import Adapter

_ADDRESS: Final = re.compile(r"0x[0-9a-fA-F]{5,}")
_INSTALLED: Final = re.compile(r"[^\s\"'(<]*/(?:site|dist)-packages/")
_STANDARD_LIBRARY: Final = re.compile(r"[^\s\"'(<]*/lib/(?=python3\.\d+/)")
_OWN: Final = re.compile(r"[^\s\"'(<]*/(?=harness/(?:battery|isolation|tape|adapters)/)")


_ELSEWHERE: Final = re.compile(r"(?<![\w./:-])/(?:[^\s\"'/:]+/)+(?=[^\s\"'/:]+/[^\s\"'/:]+\.py\b)")
_MASK: Final = b"REDACTED"


def tidy(text: str, root: Path, secrets: Secrets | None = None) -> str:
    """
    Return a text without secrets and addresses, its paths relative to the project or to where packages are installed.

    Args:
        text: an error, a traceback or a stack.
        root: the project's directory.
        secrets: values that must not be told; what looks like a secret is not told anyway.
    """
    text = _masked(text, secrets or Secrets()).replace(f"{root}/", "")
    for pattern in (_INSTALLED, _STANDARD_LIBRARY, _OWN, _ELSEWHERE):
        text = pattern.sub("", text)
    return _ADDRESS.sub("0x…", text)


def secrets_among(adapter: Adapter) -> Secrets:
    """
    Return what must never be told of an adapter's arguments and environment.
    """
    try:
        kwargs = {name: expand(value, adapter.place) for name, value in adapter.kwargs.items()}
        env = expanded_env(adapter)
    except RegistrationError:
        # a variable that is not set holds no secret
        kwargs, env = {}, {}
    return secrets_of({**os.environ, **env}, kwargs)


def _masked(text: str, secrets: Secrets) -> str:
    data = text.encode("utf-8", "surrogatepass")
    spans = sorted({(start, end) for _, start, end in hits(data, secrets)})
    parts, done = [], 0
    for start, end in spans:
        if start >= done:
            parts += [data[done:start], _MASK]
        done = max(done, end)
    return b"".join([*parts, data[done:]]).decode("utf-8", "surrogatepass")

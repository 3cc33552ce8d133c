"""Certificates in replay: what clients read unasked is left unread, and what an adapter gives is read as ever."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import trustme

if TYPE_CHECKING:
    from pathlib import Path


def _stored(code: str) -> str:
    script = (
        "import ssl, certifi; from harness.tape import certificates; certificates.leave_unread();"
        f"context = ssl.create_default_context(); {code}; print(context.cert_store_stats()['x509'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


@pytest.mark.parametrize("code", ["", "context.load_verify_locations(certifi.where())", "context.load_default_certs()"])
def test_a_bundle_that_clients_read_unasked_is_left_unread(code: str) -> None:
    """
    The system's and certifi's bundles leave a context empty; no TLS is spoken in replay.
    """
    assert _stored(code or "pass") == "0"


def test_what_an_adapter_gives_is_read_as_ever(tmp_path: Path) -> None:
    """
    An authority of one's own is in the context, and a path that leads nowhere raises as it does live.
    """
    bundle = tmp_path / "own.pem"
    trustme.CA().cert_pem.write_to_path(str(bundle))
    assert _stored(f"context.load_verify_locations({str(bundle)!r})") == "1"
    assert _stored(f"context.load_verify_locations(cadata={bundle.read_text()!r})") == "1"
    assert "FileNotFoundError" in _stored("context.load_verify_locations('/nowhere/own.pem')")

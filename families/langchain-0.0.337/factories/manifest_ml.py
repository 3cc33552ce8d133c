"""
The client that ManifestWrapper wraps.
"""

from __future__ import annotations

from manifest import Manifest


def client() -> Manifest:
    """
    Return a client of OpenAI's completions; it takes its key from the environment.
    """
    return Manifest(client_name="openai")

"""Clients of the proxy, each with the calls that it has: OpenAI's SDK, and plain HTTP."""

from __future__ import annotations

from proxy_clients.plain import HTTPX
from proxy_clients.sdk import OpenAISDK, OpenAIStreams

__all__ = ["HTTPX", "OpenAISDK", "OpenAIStreams"]

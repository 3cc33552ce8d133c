"""
A stand-in for the library of Cerebrium.

The function that the adapter imports was in releases of 2023 that are gone; what it sent is known from there.
"""

from __future__ import annotations

from typing import Any

import requests


def model_api_request(model_endpoint: str, data: dict[str, Any], api_key: str) -> dict[str, Any]:
    """
    Ask a model that is deployed at an address.
    """
    answer = requests.post(model_endpoint, json=data, headers={"Authorization": api_key}, timeout=30)
    return {"status_code": answer.status_code, "data": answer.json()}

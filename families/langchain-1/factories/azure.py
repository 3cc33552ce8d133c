"""
The credential by which Azure AI's models are asked without a key.
"""

from __future__ import annotations

import os

from azure.identity import ClientSecretCredential


def credential() -> ClientSecretCredential:
    """
    Return what an application signs in with, as LangChain's page does it: a synchronous credential.
    """
    secret = os.environ.get("AZURE_CLIENT_SECRET", "placeholder")
    return ClientSecretCredential(
        "00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002", secret
    )

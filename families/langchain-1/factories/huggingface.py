"""
The endpoint that ChatHuggingFace wraps.
"""

from __future__ import annotations

from langchain_huggingface import HuggingFaceEndpoint


def endpoint() -> HuggingFaceEndpoint:
    """
    Return a model that one serves oneself, with text-generation-inference.
    """
    return HuggingFaceEndpoint(endpoint_url="https://tgi.example.com", task="text-generation")

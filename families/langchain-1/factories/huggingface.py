"""
What ChatHuggingFace wraps.
"""

from __future__ import annotations

import os

from langchain_huggingface import HuggingFaceEndpoint


def endpoint() -> HuggingFaceEndpoint:
    """
    Return a model that one serves oneself, with text-generation-inference.
    """
    return HuggingFaceEndpoint(endpoint_url="https://tgi.example.com", task="text-generation")


def of_the_hub() -> HuggingFaceEndpoint:
    """
    Return a model of the Hub, which one of its providers serves.
    """
    token = os.environ.get("HF_TOKEN", "hf_placeholder")
    return HuggingFaceEndpoint(
        repo_id="Qwen/Qwen2.5-72B-Instruct", task="text-generation", provider="together", huggingfacehub_api_token=token
    )

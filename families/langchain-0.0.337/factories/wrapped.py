"""
What is wrapped by an adapter that talks to no model of its own.
"""

from __future__ import annotations

from langchain.llms.openai import OpenAI


def openai() -> OpenAI:
    """
    Return the family's own adapter of OpenAI's completions; it takes its key from the environment.
    """
    return OpenAI(model_name="gpt-3.5-turbo-instruct", openai_api_base="https://api.openai.com/v1", max_retries=0)

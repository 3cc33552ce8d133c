"""
What SelfHostedPipeline and SelfHostedHuggingFaceLLM run on: a machine whose server is reached through an open port.

runhouse looks such a machine up by its name, in the folder `rh` of the family, where its configuration was saved.
"""

from __future__ import annotations

from typing import Any

import runhouse


def cluster() -> Any:  # noqa: ANN401 - runhouse has no types
    """
    Return a machine that is not brought up and not logged in to.
    """
    return runhouse.cluster(name="gpu", host=["localhost:50052"], ssh_creds={})


def load_pipeline() -> Any:  # noqa: ANN401 - whatever the machine can run
    """
    Return a pipeline, on the machine. Here it is never called.
    """
    from transformers import pipeline  # noqa: PLC0415 - installed there, not here

    return pipeline("text-generation", model="gpt2")


def generate(pipeline: Any, prompt: str, stop: list[str] | None = None) -> str:  # noqa: ANN401 - as above
    """
    Return what a pipeline says, on the machine. Here it is never called.

    It is handed the reference that the adapter holds, and fetches what that stands for.
    """
    text: str = pipeline.fetch()(prompt, stop=stop)[0]["generated_text"]
    return text[len(prompt) :]

"""
What the adapters of SageMaker leave to their user: the format of the deployed model.
"""

from __future__ import annotations

import json
from typing import IO

from langchain_aws.llms.sagemaker_endpoint import LLMContentHandler


class TextGeneration(LLMContentHandler):
    """
    Speak as the text-generation containers of Hugging Face do; after the example in the adapter's docstring.
    """

    content_type = "application/json"
    accepts = "application/json"

    def transform_input(self, prompt: str, model_kwargs: dict[str, object]) -> bytes:
        """
        Return the body of a request.
        """
        return json.dumps({"inputs": prompt, "parameters": model_kwargs}).encode()

    def transform_output(self, output: IO[bytes]) -> str:
        """
        Return the text of an answer.
        """
        return str(json.loads(output.read().decode())[0]["generated_text"])

"""
What the adapters of SageMaker leave to their user: the format of the deployed model.

Both speak as the text-generation containers of Hugging Face do. An answer comes as a file, a stream as its lines.
"""

from __future__ import annotations

import json
from typing import IO, Any

from langchain_aws.chat_models.sagemaker_endpoint import ChatModelContentHandler
from langchain_aws.llms.sagemaker_endpoint import LLMContentHandler
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage


class TextGeneration(LLMContentHandler):
    """
    Speak the format of the path `/generate`; after the example in the adapter's docstring.
    """

    content_type = "application/json"
    accepts = "application/json"

    def transform_input(self, prompt: str, model_kwargs: dict[str, object]) -> bytes:
        """
        Return the body of a request.
        """
        return json.dumps({"inputs": prompt, "parameters": model_kwargs}).encode()

    def transform_output(self, output: bytes | IO[bytes]) -> str:
        """
        Return the text of an answer, or of a line.
        """
        if isinstance(output, bytes):
            return str(_event(output).get("token", {}).get("text", ""))
        return str(json.loads(output.read())[0]["generated_text"])


class Messages(ChatModelContentHandler):
    """
    Speak the format of the Messages API.
    """

    content_type = "application/json"
    accepts = "application/json"

    def transform_input(self, prompt: list[dict[str, Any]], model_kwargs: dict[str, object]) -> bytes:
        """
        Return the body of a request.
        """
        return json.dumps({"messages": prompt, **model_kwargs}).encode()

    def transform_output(self, output: bytes | IO[bytes]) -> BaseMessage:
        """
        Return the message of an answer, or the part of it that a line brings.
        """
        if isinstance(output, bytes):
            choices = _event(output).get("choices", [])
            return AIMessageChunk(content=choices[0]["delta"]["content"] if choices else "")
        return AIMessage(content=json.loads(output.read())["choices"][0]["message"]["content"])


def _event(line: bytes) -> dict[str, Any]:
    data = line.removeprefix(b"data:").strip()
    return json.loads(data) if data.startswith(b"{") else {}

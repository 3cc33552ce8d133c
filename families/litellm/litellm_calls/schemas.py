"""
What LiteLLM makes when it is first needed, made once for the six calls of an adapter.

pydantic builds a model's schema for the first instance: a fifth of the processor time of a streamed call.
"""

from __future__ import annotations

from litellm.types.utils import (
    CompletionTokensDetailsWrapper,
    ModelResponse,
    ModelResponseStream,
    TextCompletionResponse,
    Usage,
)
from litellm.utils import get_bundled_model_cost_map

for make in (ModelResponse, ModelResponseStream, TextCompletionResponse, Usage, CompletionTokensDetailsWrapper):
    make()
get_bundled_model_cost_map()

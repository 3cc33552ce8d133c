"""Six of langchain-tests' own tests, over cassettes: invoke, ainvoke, stream, astream, batch, abatch."""

from __future__ import annotations

import os
from typing import Any

import pytest
from langchain_openai import ChatOpenAI
from langchain_tests.integration_tests import ChatModelIntegrationTests

pytestmark = pytest.mark.vcr


@pytest.fixture(scope="module")
def vcr_config() -> dict[str, Any]:
    """
    Match on what tells the six apart, and keep no header.
    """
    return {"match_on": ["method", "path", "body"], "filter_headers": [("authorization", None)]}


class TestChatOpenAI(ChatModelIntegrationTests):
    """
    Run what langchain-tests has for a chat model.
    """

    @property
    def chat_model_class(self) -> type[ChatOpenAI]:
        """
        Return the adapter.
        """
        return ChatOpenAI

    @property
    def chat_model_params(self) -> dict[str, Any]:
        """
        Return its arguments; while recording, the address is a simulator's.
        """
        address = os.environ.get("UPSTREAM", "http://api.openai.com")
        return {"model": "gpt-4o-mini", "api_key": "placeholder", "base_url": f"{address}/v1", "max_retries": 0}

"""What overriding alone says, on class trees of the shapes that frameworks have."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, Protocol, TypeVar

import pytest

from harness import Capability, Verdict
from harness.adapters.reflect import reflected

T = TypeVar("T")


class Runnable(Generic[T], ABC):  # noqa: PYI059 - in the order that the framework has
    @abstractmethod
    def invoke(self, text): ...

    async def ainvoke(self, text): ...

    def stream(self, text): ...

    async def astream(self, text): ...

    def batch(self, texts): ...

    async def abatch(self, texts): ...


class BaseLLM(Runnable[str], ABC):
    def invoke(self, text): ...

    async def ainvoke(self, text): ...

    def stream(self, text): ...

    async def astream(self, text): ...

    def batch(self, texts): ...

    async def abatch(self, texts): ...

    @abstractmethod
    def _generate(self, prompts): ...

    async def _agenerate(self, prompts): ...

    def _stream(self, prompt): ...

    async def _astream(self, prompt): ...

    @property
    @abstractmethod
    def _llm_type(self): ...


class LLM(BaseLLM):
    @abstractmethod
    def _call(self, prompt): ...

    async def _acall(self, prompt): ...

    def _generate(self, prompts): ...

    async def _agenerate(self, prompts): ...


class CallOnly(LLM):
    _llm_type = "call"

    def _call(self, prompt): ...


class Streaming(CallOnly):
    async def _acall(self, prompt): ...

    def _stream(self, prompt): ...

    async def _astream(self, prompt): ...


class BaseOpenAI(BaseLLM):
    _llm_type = "openai"

    def _generate(self, prompts): ...

    async def _agenerate(self, prompts): ...

    def _stream(self, prompt): ...


class OpenAI(BaseOpenAI):
    pass


class Common(ABC):  # noqa: B024 - such mixins exist
    def _astream(self, prompt):
        return [prompt]


class WithMixin(Common, CallOnly):
    pass


class Plain:
    def invoke(self, text): ...

    def stream(self, text): ...

    batch = None


class Speaks(Protocol):
    def stream(self, text): ...


class Spoken(Speaks):
    def invoke(self, text): ...


@pytest.mark.parametrize(
    ("cls", "native", "unsupported"),
    [
        (CallOnly, "invoke", ""),
        (Streaming, "invoke ainvoke stream astream", ""),
        (BaseOpenAI, "invoke ainvoke stream batch abatch", ""),
        (OpenAI, "invoke ainvoke stream batch abatch", ""),
        (WithMixin, "invoke astream", ""),
        (LLM, "invoke", ""),
        (Plain, "invoke stream", "ainvoke astream batch abatch"),
        (Spoken, "invoke", "ainvoke astream batch abatch"),
        (object, "", "invoke ainvoke stream astream batch abatch"),
    ],
)
def test_overriding_decides_what_is_reflected(cls, native, unsupported):
    """
    A hook of a class that can be instantiated is native, one of abstract classes alone a fallback, none unsupported.
    """
    expected = dict.fromkeys(Capability, Verdict.FALLBACK)
    expected |= {Capability(name): Verdict.NATIVE for name in native.split()}
    expected |= {Capability(name): Verdict.UNSUPPORTED for name in unsupported.split()}

    assert reflected(cls) == expected


@pytest.mark.parametrize("generation", ["pydantic", "pydantic.v1"])
def test_pydantic_classes_are_read_like_others(generation):
    """
    Their metaclass keeps the abstract methods as abc does.
    """
    base = pytest.importorskip(generation).BaseModel
    framework = type("Framework", (base, BaseLLM), {"__module__": __name__})
    own = {"__module__": __name__, "_generate": lambda *_: None, "_llm_type": property(lambda _: "own")}
    concrete = type("Concrete", (framework,), own)

    assert reflected(framework)[Capability.BATCH] is Verdict.FALLBACK
    assert reflected(concrete)[Capability.BATCH] is Verdict.NATIVE
    assert reflected(concrete)[Capability.ABATCH] is Verdict.FALLBACK

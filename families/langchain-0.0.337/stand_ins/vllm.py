"""
A stand-in for vLLM: its two classes that the adapter needs, over transformers.

Only needed while recording, with transformers and torch.
"""

from __future__ import annotations

from dataclasses import dataclass

from transformers import AutoModelForCausalLM, AutoTokenizer


class SamplingParams:
    """
    Keep how to sample.
    """

    def __init__(self, *, max_tokens: int, temperature: float, **_: object) -> None:
        self.max_tokens = max_tokens
        self.temperature = temperature


@dataclass(frozen=True)
class CompletionOutput:
    """
    Hold one answer.
    """

    index: int
    text: str


@dataclass(frozen=True)
class RequestOutput:
    """
    Hold the answers to one prompt.
    """

    prompt: str
    outputs: list[CompletionOutput]


class LLM:
    """
    Generate for a list of prompts at once.
    """

    def __init__(self, model: str, **_: object) -> None:
        self._tokenizer = AutoTokenizer.from_pretrained(model)
        self._model = AutoModelForCausalLM.from_pretrained(model)

    def generate(self, prompts: list[str], sampling_params: SamplingParams) -> list[RequestOutput]:
        """
        Return the answers in the order of the prompts.
        """
        asked = self._tokenizer(prompts, return_tensors="pt", padding=True)
        length, warmth = sampling_params.max_tokens, sampling_params.temperature
        ids = self._model.generate(**asked, max_new_tokens=length, temperature=warmth, do_sample=True, pad_token_id=0)
        texts = self._tokenizer.batch_decode(ids[:, asked["input_ids"].shape[1] :], skip_special_tokens=True)
        pairs = zip(prompts, texts, strict=True)
        return [RequestOutput(prompt, [CompletionOutput(0, text)]) for prompt, text in pairs]

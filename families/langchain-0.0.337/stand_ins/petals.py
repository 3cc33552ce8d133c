"""
A stand-in for Petals: a model in this process instead of one that is spread over peers.

Only needed while recording, with transformers and torch.
"""

from __future__ import annotations

from transformers import AutoModelForCausalLM


class AutoDistributedModelForCausalLM(AutoModelForCausalLM):
    """
    Load a model by its name, as Petals does.
    """

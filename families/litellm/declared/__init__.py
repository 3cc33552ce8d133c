"""
What LiteLLM itself says of its streams, asked for every registered model by LiteLLM's own method.
"""

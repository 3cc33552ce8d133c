"""What is asked of an adapter: the six calls, with prompts whose answers can be recognised."""

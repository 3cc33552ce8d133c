"""Recording and replay: what adapters talk to instead of their upstream."""

"""Engines with tiny random weights, made on the spot while recording; nothing here is needed in replay."""

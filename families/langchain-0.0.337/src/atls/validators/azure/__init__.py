"""
See `atls`.
"""

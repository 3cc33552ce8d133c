"""
What some adapters of the family leave to their user: a wrapped model, and the format of a deployed one.
"""

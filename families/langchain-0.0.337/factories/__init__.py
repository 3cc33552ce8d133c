"""
What has to be built before some adapters can be: arguments that are objects.
"""

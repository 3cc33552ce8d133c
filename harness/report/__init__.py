"""
A matrix in, text out: JSON, Markdown, the terminal, one offline page, badges.

Each module is imported by its own name, so that who only reads a matrix pays for no template engine.
"""

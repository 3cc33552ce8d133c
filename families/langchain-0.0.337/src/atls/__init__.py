"""
The names that opaqueprompts imports from pyatls, which can no longer be had.

Only to be imported: with OPAQUEPROMPTS_CLIENT_ATLS_ENABLED=false nothing of the attested transport is called.
"""

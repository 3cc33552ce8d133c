"""A module that takes a moment to import, as machine-learning libraries do."""

from __future__ import annotations

import hashlib

DIGEST = hashlib.pbkdf2_hmac("sha256", b"zoo", b"salt", 300_000)

"""What credentials look like: by the name of a field, and by the value itself."""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

REDACTED: Final = "REDACTED"

_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
_ALWAYS: Final = frozenset(
    "secret secrets password passwd passphrase passcode pwd credential credentials authorization authentication auth"
    " oauth bearer cookie cookies signature sig hmac jwt apikey accesskey secretkey privatekey authtoken accesstoken"
    " refreshtoken idtoken sessiontoken sessionid clientsecret csrf xsrf sas".split()
)
_NEEDED: Final = frozenset("signature sig hmac auth oauth authentication sas csrf xsrf".split())
"""Names that answers use for what a client reads on: a signed thought, for one, is sent back as it is."""
_LAST: Final = frozenset({"key", "token", "session", "private"})
_PLURAL: Final = frozenset({"keys", "tokens"})
_GRANTS: Final = frozenset(
    "api access id refresh client secret session auth bearer private security account subscription master service"
    " deploy personal".split()
)
"""Before `key` or `token` these make a credential also where the plain word is an ordinary one."""
_HARMLESS: Final = frozenset(
    "max min stop eos bos pad unk sep cls mask next page continuation image special start end new prompt completion"
    " total cached first last begin sort partition primary foreign object cache public group idempotency json map"
    " previous prev".split()
)
_DESCRIBES: Final = frozenset(
    "type types mode method scheme url uri endpoint expires expiry expiration in at count counts limit enabled"
    " required version algorithm length size region usage budget ids".split()
)
"""As last words these say something about a credential instead of being one."""
_COMPOUNDS: Final = ("apikey", "accesskey", "secretkey", "privatekey", "authtoken", "accesstoken", "clientsecret")


@lru_cache(maxsize=4096)
def _words(name: str) -> tuple[str, ...]:
    return tuple(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=4096)
def is_credential(name: str) -> bool:
    """
    Tell whether a field of a request, a header, a variable or an argument is named like a credential.
    """
    words = _words(name)
    if not words or words[-1] in _DESCRIBES:
        return False
    if len(words) > 1 and words[-1] == "id":
        words = words[:-1]
    last, before = words[-1], words[-2:-1]
    if last in _LAST and not _HARMLESS.intersection(before):
        return True
    if last in _PLURAL and _GRANTS.intersection(before):
        return True
    return any(word in _ALWAYS or word.endswith(_COMPOUNDS) for word in words)


@lru_cache(maxsize=4096)
def is_granted(name: str) -> bool:
    """
    Tell whether a field of an answer is named like a credential that nobody needs to replay it.

    Stricter than `is_credential`: answers have tokens that are words and keys that are names.
    """
    words = _words(name)
    if not is_credential(name):
        return False
    if words[-1] == "id":
        words = words[:-1]
    if words[-1] in _LAST | _PLURAL:
        return bool(_GRANTS.intersection(words[-2:-1]))
    return any((word in _ALWAYS and word not in _NEEDED) or word.endswith(_COMPOUNDS) for word in words)


@lru_cache(maxsize=4096)
def is_telling(name: str) -> bool:
    """
    Tell whether a random value beside a name is a credential, in whatever syntax the two stand.
    """
    if is_granted(name):
        return True
    words = _words(name)
    return bool(words) and words[-1] in {"key", "token"} and is_credential(name)


_PUBLIC: Final = frozenset(
    "model models version prompt prompts deployment engine endpoint revision digest hash checksum sha path paths file"
    " dir root home name".split()
)


@lru_cache(maxsize=4096)
def is_public(name: str) -> bool:
    """
    Tell whether a variable or an argument is named like something that may look random and is no secret.

    Fine-tuned models and pinned versions carry digests, for one.
    """
    return not _PUBLIC.isdisjoint(_words(name))


_SHORTEST: Final = 20
_LONGEST: Final = 1024
"""Characters; what is longer and has no blank is data, a picture for one."""
_BITS: Final = 3.5
_TOKEN: Final = re.compile(r"[A-Za-z0-9_\-.~+/=:%|]+")
_NAME_PART: Final = re.compile(r"[A-Za-z]{1,16}(?:\d{1,3}[A-Za-z]{0,2})?|v?\d{1,8}[A-Za-z]{0,3}|", re.IGNORECASE)


def looks_random(value: str) -> bool:
    """
    Tell whether a value looks like a token: long, one word, letters and digits mixed, and random.
    """
    if not _SHORTEST <= len(value) <= _LONGEST or not _TOKEN.fullmatch(value):
        return False
    if "://" in value or not (re.search(r"\d", value) and re.search(r"[A-Za-z]", value)):
        return False
    # names of models and paths: every part is a word, a version or a size
    if all(_NAME_PART.fullmatch(part) for part in re.split(r"[-._:/@+]", value)):
        return False
    return entropy(value) > _BITS and not is_placeholder(value)


def entropy(value: str) -> float:
    """
    Return the bits that each character of a value tells, by how often it has which.
    """
    size = len(value)
    return -sum(count / size * math.log2(count / size) for count in Counter(value).values())


_STAND_INS: Final = frozenset(
    "placeholder dummy fake test tests testing tested example empty none null key keys api apikey token secret sk my"
    " your the a an is not real no here changeme change me redacted foo bar baz mock sample demo local password value"
    " anything unused default xxx user username for pytest ci".split()
)
_COUNTED: Final = "01234567890123456789"
_FEW: Final = 3
_TEMPLATE: Final = re.compile(r"<.*>|\$\{.*\}|\{\{.*\}\}|redactedx*", re.IGNORECASE | re.DOTALL)


@lru_cache(maxsize=4096)
def is_placeholder(value: str) -> bool:
    """
    Tell whether a value stands where a credential would, and is none.
    """
    if len(set(value)) <= _FEW or _TEMPLATE.fullmatch(value) or "EXAMPLE" in value:
        return True
    parts = re.findall(r"[a-z]+|[0-9]+|[^\x00-\x7f]+", value.lower())
    return all(part in _STAND_INS or part in _COUNTED or set(part) <= {"x"} for part in parts)


class Known(NamedTuple):
    """
    A credential of a known kind: where it stands in the data.
    """

    kind: str
    start: int
    end: int


class _Kind(NamedTuple):
    name: str
    triggers: tuple[bytes, ...]
    """Literals to look for first: a search for a literal costs a hundredth of one for the pattern."""
    pattern: re.Pattern[bytes]


def _kind(name: str, triggers: str, pattern: str) -> _Kind:
    return _Kind(name, tuple(trigger.encode() for trigger in triggers.split("|")), re.compile(pattern.encode()))


_START: Final = r"(?<![A-Za-z0-9])"
_KINDS: Final = (
    _kind("Anthropic key", "sk-ant-", _START + r"sk-ant-[A-Za-z0-9_-]{16,}"),
    _kind("OpenAI key", "sk-", _START + r"sk-(?:proj-|svcacct-|admin-|or-v1-)?(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}"),
    _kind("AWS access key", "AKIA|ASIA", _START + r"A[KS]IA[0-9A-Z]{16}(?![A-Za-z0-9])"),
    _kind(
        "AWS secret key",
        "ecretAccessKey|secret_access_key|SECRET_ACCESS_KEY",
        r"(?i:secret_?access_?key)[\"'\\\s:=>]{1,8}([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    ),
    _kind("Google key", "AIza", _START + r"AIza[0-9A-Za-z_-]{35}"),
    _kind("Google token", "ya29.", _START + r"ya29\.[0-9A-Za-z_-]{20,}"),
    _kind("GitHub token", "ghp_|gho_|ghu_|ghs_|ghr_", _START + r"gh[pousr]_[A-Za-z0-9]{30,}"),
    _kind("GitHub token", "github_pat_", _START + r"github_pat_[A-Za-z0-9_]{22,}"),
    _kind("GitLab token", "glpat-", _START + r"glpat-[A-Za-z0-9_-]{16,}"),
    _kind("Slack token", "xox", _START + r"xox[abeoprs]-[A-Za-z0-9-]{10,}"),
    _kind("Hugging Face token", "hf_", _START + r"hf_[A-Za-z0-9]{30,}"),
    _kind("Replicate token", "r8_", _START + r"r8_[A-Za-z0-9]{30,}"),
    _kind("Groq key", "gsk_", _START + r"gsk_[A-Za-z0-9]{32,}"),
    _kind("Perplexity key", "pplx-", _START + r"pplx-[A-Za-z0-9]{32,}"),
    _kind("xAI key", "xai-", _START + r"xai-[A-Za-z0-9]{32,}"),
    _kind("NVIDIA key", "nvapi-", _START + r"nvapi-[A-Za-z0-9_-]{32,}"),
    _kind("Fireworks key", "fw_", _START + r"fw_(?=[A-Za-z]*\d)[A-Za-z0-9]{20,}"),
    _kind("Stripe key", "_live_|_test_", _START + r"[sr]k_(?:live|test)_[0-9A-Za-z]{16,}"),
    _kind("JSON web token", "eyJ", _START + r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    _kind(
        "private key",
        "PRIVATE KEY",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:\\[nr]|[A-Za-z0-9+/=\s])*(?:-----END [A-Z ]*PRIVATE KEY-----)?",
    ),
    _kind("bearer token", "earer ", _START + r"[Bb]earer +([A-Za-z0-9._~+/=-]{16,})"),
    _kind("basic credentials", "asic ", _START + r"[Bb]asic +([A-Za-z0-9+/]{8,}={0,2})"),
    _kind("password in an address", "://", r"://[^\s/@:\"'\\]*:([^\s/@\"'\\]{3,})@"),
)


_TRIGGERS: Final = tuple(dict.fromkeys(trigger for kind in _KINDS for trigger in kind.triggers))


def known(data: bytes) -> list[Known]:
    """
    Find credentials of well-known providers and forms.
    """
    for trigger in _TRIGGERS:
        if trigger in data:
            return [found for kind in _KINDS for found in _of_kind(kind, data)]
    return []


def _of_kind(kind: _Kind, data: bytes) -> Iterator[Known]:
    if not any(trigger in data for trigger in kind.triggers):
        return
    group = 1 if kind.pattern.groups else 0
    for found in kind.pattern.finditer(data):
        text = found[group].decode("latin-1")
        if not is_placeholder(text) and (kind.name != "basic credentials" or _is_pair(text)):
            yield Known(kind.name, found.start(group), found.end(group))


def _is_pair(text: str) -> bool:
    try:
        decoded = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error:
        return False
    return b":" in decoded and decoded.isascii() and decoded.decode().isprintable()

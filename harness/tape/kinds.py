"""
Further kinds of credentials that the scan of a finished recording knows: who issues them, how they begin, what follows.

The figures (prefixes, alphabets, lengths) are those that the issuers document, and that the public detectors gitleaks
and detect-secrets go by. `credentials.known` has the kinds that are taken out of every request, in replay as well;
these are looked for only where something is about to be written, because each costs a search.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final, NamedTuple

from harness.tape.credentials import Known, entropy, is_placeholder

_WORD: Final = "[A-Za-z0-9_-]"
_ALNUM: Final = "[A-Za-z0-9]"
_HEX: Final = "[a-f0-9]"
_LEAST_BITS: Final = 2.5
"""Bits a character of what follows the prefix: an example of one letter is none, a real one has three and more."""


class _Kind(NamedTuple):
    name: str
    prefix: str
    rest: str


_RUN: Final = re.compile(rb"(.)\1{7}")
_KINDS: Final = tuple(
    _Kind(*row)
    for row in (
        ("1Password token", "ops_eyJ", f"{_WORD}{{100,}}"),
        ("age key", "AGE-SECRET-KEY-1", "[QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L]{58}"),
        ("Airtable token", "pat", f"{_ALNUM}{{14}}\\.{_HEX}{{64}}"),
        ("Alibaba access key", "LTAI", f"{_ALNUM}{{17,21}}"),
        ("Artifactory key", "AKCp", f"{_ALNUM}{{10,}}"),
        ("Atlassian token", "ATATT3", "[A-Za-z0-9_=-]{60,}"),
        ("AWS access key", "ABIA", "[A-Z0-9]{16}"),
        ("AWS access key", "ACCA", "[A-Z0-9]{16}"),
        ("AWS Bedrock key", "ABSK", "[A-Za-z0-9+/]{100,}={0,2}"),
        ("AWS Bedrock key", "bedrock-api-key-", "[A-Za-z0-9+/=-]{20,}"),
        ("Azure storage key", "AccountKey=", "[A-Za-z0-9+/]{86}=="),
        ("Bitbucket token", "ATBB", f"{_ALNUM}{{24,}}"),
        ("Cerebras key", "csk-", f"{_ALNUM}{{32,}}"),
        ("Clojars token", "CLOJARS_", f"{_ALNUM}{{60}}"),
        ("Databricks token", "dapi", f"{_HEX}{{32}}(?:-\\d)?"),
        ("DigitalOcean token", "doo_v1_", f"{_HEX}{{64}}"),
        ("DigitalOcean token", "dop_v1_", f"{_HEX}{{64}}"),
        ("DigitalOcean token", "dor_v1_", f"{_HEX}{{64}}"),
        ("Docker token", "dckr_pat_", f"{_WORD}{{20,}}"),
        ("Doppler token", "dp.pt.", f"{_ALNUM}{{40,}}"),
        ("Duffel token", "duffel_live_", "[A-Za-z0-9_=-]{43}"),
        ("Dynatrace token", "dt0c01.", "[A-Z0-9]{24}\\.[A-Z0-9]{64}"),
        ("EasyPost key", "EZAK", f"{_ALNUM}{{54}}"),
        ("Facebook token", "EAA", f"[MC]{_ALNUM}{{100,}}"),
        ("Fly.io token", "fo1_", f"{_WORD}{{43}}"),
        ("Fly.io token", "fm1", "[ar]_[A-Za-z0-9+/]{100,}={0,3}"),
        ("GitLab token", "gldt-", f"{_WORD}{{20,}}"),
        ("GitLab token", "glrt-", f"{_WORD}{{20,}}"),
        ("GitLab token", "glptt-", f"{_HEX}{{40}}"),
        ("GitLab token", "glsoat-", f"{_WORD}{{20,}}"),
        ("GitLab token", "gloas-", f"{_WORD}{{64}}"),
        ("Google client secret", "GOCSPX-", f"{_WORD}{{28}}"),
        ("Google refresh token", "1//0", f"{_WORD}{{40,}}"),
        ("Grafana token", "glc_", "[A-Za-z0-9+/]{32,}={0,3}"),
        ("Grafana token", "glsa_", f"{_ALNUM}{{32}}_[A-Fa-f0-9]{{8}}"),
        ("Hugging Face token", "api_org_", "[A-Za-z]{34}"),
        ("Infracost key", "ico-", f"{_ALNUM}{{32}}"),
        ("LangSmith key", "lsv2_pt_", f"{_HEX}{{32}}_{_HEX}{{10}}"),
        ("LangSmith key", "lsv2_sk_", f"{_HEX}{{32}}_{_HEX}{{10}}"),
        ("Langfuse key", "sk-lf-", "[a-f0-9-]{36}"),
        ("Linear key", "lin_api_", f"{_ALNUM}{{40}}"),
        ("Mailgun key", "key-", f"{_HEX}{{32}}"),
        ("Netlify token", "nfp_", f"{_ALNUM}{{36}}"),
        ("New Relic key", "NRAK-", f"{_ALNUM}{{27}}"),
        ("Notion token", "ntn_", f"\\d{{11}}{_ALNUM}{{35}}"),
        ("npm token", "npm_", f"{_ALNUM}{{36}}"),
        ("OpenShift token", "sha256~", f"{_WORD}{{43}}"),
        ("PlanetScale token", "pscale_tkn_", "[A-Za-z0-9=._-]{32,64}"),
        ("PlanetScale password", "pscale_pw_", "[A-Za-z0-9=._-]{32,64}"),
        ("Pinecone key", "pcsk_", f"{_WORD}{{50,}}"),
        ("Postman key", "PMAK-", f"{_HEX}{{24}}-{_HEX}{{34}}"),
        ("Prefect key", "pnu_", f"{_ALNUM}{{36}}"),
        ("Pulumi token", "pul-", f"{_HEX}{{40}}"),
        ("Python package index token", "pypi-AgE", f"{_WORD}{{50,}}"),
        ("ReadMe key", "rdme_", "[a-z0-9]{70}"),
        ("RubyGems key", "rubygems_", f"{_HEX}{{48}}"),
        ("RunPod key", "rpa_", f"{_ALNUM}{{40,}}"),
        ("SendGrid key", "SG.", f"{_WORD}{{20,24}}\\.{_WORD}{{39,50}}"),
        ("Sendinblue key", "xkeysib-", f"{_HEX}{{64}}-{_ALNUM}{{16}}"),
        ("Sentry token", "sntrys_", "eyJ[A-Za-z0-9+/=_]{40,}"),
        ("Sentry token", "sntryu_", f"{_HEX}{{64}}"),
        ("Shippo token", "shippo_live_", f"{_HEX}{{40}}"),
        ("Shopify token", "shpat_", "[A-Fa-f0-9]{32}"),
        ("Shopify secret", "shpss_", "[A-Fa-f0-9]{32}"),
        ("Slack token", "xapp-", "\\d-[A-Z0-9]+-\\d+-[a-z0-9]+"),
        ("Slack webhook", "hooks.slack.com/services/", "[A-Za-z0-9+/]{40,}"),
        ("Sourcegraph token", "sgp_", "[A-Fa-f0-9_]{40,}"),
        ("Square token", "sq0csp-", f"{_WORD}{{43}}"),
        ("Square token", "EAAA", f"{_WORD}{{60}}"),
        ("Stripe key", "rk_prod_", f"{_ALNUM}{{10,99}}"),
        ("Stripe webhook secret", "whsec_", "[A-Za-z0-9+/=]{32,}"),
        ("Supabase token", "sbp_", f"{_HEX}{{40}}"),
        ("Tavily key", "tvly-", f"{_WORD}{{32,}}"),
        ("Telegram token", "bot", "\\d{5,16}:A[A-Za-z0-9_-]{34}"),
        ("Together key", "tgp_v1_", f"{_WORD}{{43}}"),
        ("Twilio key", "SK", f"{_HEX}{{32}}"),
        ("Typeform token", "tfp_", f"{_WORD}{{40,}}"),
        ("Vault token", "hvs.", f"{_WORD}{{24,}}"),
        ("Vault token", "hvb.", f"{_WORD}{{24,}}"),
        ("Vercel key", "vck_", f"{_ALNUM}{{24,}}"),
        ("Volcengine access key", "AKLT", f"{_ALNUM}{{20,}}"),
        ("Voyage key", "pa-", f"{_WORD}{{43}}"),
        ("Yandex key", "AQVN", f"{_WORD}{{35,38}}"),
        ("Yandex token", "t1.", f"[A-Z0-9a-z_-]+=*\\.{_WORD}{{86}}={{0,2}}"),
        ("Yandex token", "y0_", f"{_WORD}{{50,}}"),
    )
)
"""Sorted by issuer. A kind without a prefix of its own (32 hexadecimal digits, say) looks like any identifier."""


@lru_cache(maxsize=1)
def _compiled() -> tuple[tuple[str, bytes, re.Pattern[bytes]], ...]:
    return tuple(
        (
            one.name,
            one.prefix.encode(),
            re.compile(f"(?<![A-Za-z0-9_]){re.escape(one.prefix)}({one.rest})(?![A-Za-z0-9])".encode()),
        )
        for one in _KINDS
    )


def rare(data: bytes) -> list[Known]:
    """
    Find credentials of the further kinds.
    """
    return [
        Known(name, hit.start(), hit.end())
        for name, prefix, pattern in _compiled()
        if prefix in data
        for hit in pattern.finditer(data)
        if _is_real(hit[1].decode("latin-1")) and not _is_padded(hit[0], pattern)
    ]


def _is_real(rest: str) -> bool:
    return entropy(rest) >= _LEAST_BITS and not is_placeholder(rest)


def _is_padded(found: bytes, pattern: re.Pattern[bytes]) -> bool:
    """
    Tell whether a find is only long enough by a run of one character in it, as pictures in base64 have them.

    The colour profile of most photographs holds what would be the token of an issuer whose tokens have no fixed length.
    """
    run = _RUN.search(found)
    return run is not None and pattern.match(found[: run.start()]) is None

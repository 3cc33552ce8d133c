"""Which values are secrets, and what the scan knows without being told."""

from __future__ import annotations

import base64

import pytest

from harness.tape.secrets import Secrets, scan, secrets_of

KEY = "k7F9zX2qW8eR7tY5uI3o"


class Hidden:
    """
    Hide a value as pydantic's SecretStr does.
    """

    def get_secret_value(self) -> str:
        """
        Return the value.
        """
        return "hidden-value-0815"


def test_values_are_secret_by_name_or_by_looks() -> None:
    """
    Claim: nested arguments, addresses and hidden values are searched; harmless ones are left.
    """
    found = secrets_of(
        {"MY_API_KEY": "by-name-in-env", "HOME": "/home/somebody/else", "PWD": "/home/somebody", "X": KEY},
        {
            "api_key": "by-name-in-kwargs",
            "headers": {"Authorization": "Bearer deep-1234"},
            "model": "meta-llama/Llama-3.1-70B",
            "base_url": "https://user:in%20address@api.example.com/?token=in-the-query",
            "list": [{"password": "in-a-list"}],
            "hidden": Hidden(),
            "model_id": "ft:gpt-3.5-turbo-0613:acme::8AbCdEf9GhIj",
            "max_tokens": 100,
        },
    )
    assert set(found.values) == {
        "by-name-in-env", KEY, "by-name-in-kwargs", "Bearer deep-1234", "deep-1234", "in address", "in-the-query",
        "in-a-list", "hidden-value-0815",
    }  # fmt: skip
    assert dict(zip(found.values, found.names, strict=True))[KEY] == "X"


@pytest.mark.parametrize(
    "value",
    ["placeholder", "test", "fake", "EMPTY", "k", "dummy-api-key", "sk-xxxxxxxxxxxxxxxx", "test-key-1234",
     "your-api-key", "changeme", "<your key here>", "${OPENAI_API_KEY}", "AKIAIOSFODNN7EXAMPLE", "short",
     "not-a-real-key"],
)  # fmt: skip
def test_placeholders_are_no_secrets(value: str) -> None:
    """
    Claim: replaying with a placeholder does not redact the word everywhere.
    """
    assert secrets_of({"API_KEY": value}, {"api_key": value}).values == ()


def test_secrets_do_not_show_their_values() -> None:
    """
    Claim: a traceback or a log that prints them gives nothing away.
    """
    secrets = Secrets(values=(KEY,), names=("X",))
    assert KEY not in repr(secrets)
    assert KEY not in str(secrets)


JWT = ".".join(
    base64.urlsafe_b64encode(part).decode().rstrip("=") for part in (b'{"alg":"HS256"}', b'{"sub":"12345"}', b"signed")
)
KNOWN = {
    "OpenAI": "sk-" + "aB3" * 16,
    "OpenAI project": "sk-proj-" + "aB3_" * 12,
    "Anthropic": "sk-ant-api03-" + "aB3-" * 12,
    "AWS access": "AKIA" + "QWERTYUIOPASDF12",
    "AWS session": "ASIA" + "QWERTYUIOPASDF12",
    "AWS secret": 'SecretAccessKey: "' + "aB3/" * 10 + '"',
    "Google": "AIza" + "aB3-_" * 7,
    "Google OAuth": "ya29." + "aB3-_" * 7,
    "GitHub": "ghp_" + "aB3" * 12,
    "GitHub fine": "github_pat_" + "aB3_" * 12,
    "GitLab": "glpat-" + "aB3-" * 5,
    "Slack": "xoxb-1234567890-abcdef",
    "Hugging Face": "hf_" + "aBc" * 12,
    "Replicate": "r8_" + "aB3" * 12,
    "Groq": "gsk_" + "aB3" * 17,
    "Stripe": "sk_live_" + "aB3" * 8,
    "JWT": JWT,
    "private key": "-----BEGIN RSA PRIVATE KEY-----\nMIIabc123\n-----END RSA PRIVATE KEY-----",
    "bearer": "Authorization: Bearer " + KEY,
    "basic": "Authorization: Basic " + base64.b64encode(b"user:hunter2x").decode(),
    "address": "postgres://user:hunter2x@db.example/x",
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_kinds_are_found_wherever_they_stand(name: str) -> None:
    """
    Claim: in text, in quotes and in `!!binary`; the finding names the line and never the secret.
    """
    text = KNOWN[name]
    folded = base64.encodebytes(b"\xff" + text.encode()).decode().replace("\n", "\n    ")
    quoted = text.replace("\n", "\\n").replace('"', '\\"')
    for document, line in (
        (f"a: 1\nb: |\n  {text}".replace("\n", "\n  ").replace("\n  b", "\nb"), 3),
        (f'a: 1\nb: "{quoted}"\n', 2),
        (f"a: 1\nb: !!binary |\n    {folded}\n", 2),
    ):
        findings = scan(document, Secrets())
        assert findings, document
        assert findings[0].line == line
        assert all(text not in str(finding) for finding in findings)


@pytest.mark.parametrize(
    "text",
    ["disk-and-task-list", "Basic instructions follow", "a bearer of good news comes along",
     "eyJhbGciOiJIUzI1NiJ9 only", "Authorization: Bearer REDACTED", "https://a.example/@user:x",
     "sk-learn-is-a-library-for-everything",
     "key: REDACTEDxxxxxxxxxxxxxxxxxxxxxxxx", "AKIAIOSFODNN7EXAMPLE",
     "mailto:a@b.example, see http://x.example:80/a@b"],
)  # fmt: skip
def test_innocent_text_is_not_called_a_secret(text: str) -> None:
    """
    Claim: words that only resemble credentials do not stop a recording.
    """
    assert scan(f"a: {text!r}\n", Secrets()) == []


def test_a_value_that_yaml_folds_or_escapes_is_found() -> None:
    """
    Claim: the scan reads values, not only lines.
    """
    secret = "se\u00fccret-with-umlaut-\U0001f600-9"
    document = 'a: 1\nb: "x se\\xFCcret-with-um\\\n  laut-\\U0001F600-9"\n'
    findings = scan(document, Secrets(values=(secret,), names=("MY_KEY",)))
    assert [(item.kind, item.line) for item in findings] == [("the value of MY_KEY", 2)]
    assert secret not in str(findings)

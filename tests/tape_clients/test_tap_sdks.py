"""The SDKs that adapters are made of, in the version that is installed."""

from __future__ import annotations

import asyncio
import json
import ssl
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest
from upstream_server import MANNERS, WORDS, running

from harness.events import Arrival, Sent

if TYPE_CHECKING:
    from collections.abc import Callable

    import trustme

QUESTION = [{"role": "user", "content": "Say the words."}]


def _openai(url: str, mark: Callable[[str], None]) -> None:
    openai = pytest.importorskip("openai")
    client = openai.OpenAI(base_url=url, api_key="placeholder", max_retries=0)
    for chunk in client.chat.completions.create(model="m", messages=QUESTION, stream=True):
        mark(chunk.choices[0].delta.content or "")


def _openai_async(url: str, mark: Callable[[str], None]) -> None:
    openai = pytest.importorskip("openai")

    async def ask() -> None:
        client = openai.AsyncOpenAI(base_url=url, api_key="placeholder", max_retries=0)
        try:
            async for chunk in await client.chat.completions.create(model="m", messages=QUESTION, stream=True):
                mark(chunk.choices[0].delta.content or "")
        finally:
            await client.close()

    asyncio.run(ask())


def _said(event: Any) -> str:
    text = getattr(event, "completion", None) or getattr(getattr(event, "delta", None), "text", None)
    return text or ""


def _anthropic_options(client: Any) -> tuple[Any, dict[str, Any]]:
    # the messages API is younger than November 2023
    if hasattr(client, "messages"):
        return client.messages, {"messages": QUESTION, "max_tokens": 100}
    return client.completions, {"prompt": "\n\nHuman: Say the words.\n\nAssistant:", "max_tokens_to_sample": 100}


def _anthropic(url: str, mark: Callable[[str], None]) -> None:
    anthropic = pytest.importorskip("anthropic")
    client = anthropic.Anthropic(base_url=url, api_key="placeholder", max_retries=0)
    api, options = _anthropic_options(client)
    for event in api.create(model="m", stream=True, **options):
        mark(_said(event))


def _anthropic_async(url: str, mark: Callable[[str], None]) -> None:
    anthropic = pytest.importorskip("anthropic")

    async def ask() -> None:
        client = anthropic.AsyncAnthropic(base_url=url, api_key="placeholder", max_retries=0)
        api, options = _anthropic_options(client)
        try:
            async for event in await api.create(model="m", stream=True, **options):
                mark(_said(event))
        finally:
            await client.close()

    asyncio.run(ask())


def _aws(service: str, url: str, **config: Any) -> Any:
    boto3 = pytest.importorskip("boto3")
    config_of = pytest.importorskip("botocore.config").Config
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id="placeholder",
        aws_secret_access_key="placeholder",
        config=config_of(retries={"max_attempts": 0}, **config),
    )


def _bedrock(url: str, mark: Callable[[str], None]) -> None:
    answer = _aws("bedrock-runtime", url).invoke_model_with_response_stream(modelId="m", body=b'{"prompt": "words"}')
    for event in answer["body"]:
        mark(json.loads(event["chunk"]["bytes"])["completion"])


SDKS = {
    "openai": _openai,
    "openai async": _openai_async,
    "anthropic": _anthropic,
    "anthropic async": _anthropic_async,
    "bedrock": _bedrock,
}


@pytest.mark.parametrize("name", SDKS)
def test_an_sdk_streams_on_replay_as_it_does_live(
    name: str, deck: Any, paced_recording: Any, marked: Callable[[Any], None], steps: Callable[[Any], list[bool]]
) -> None:
    """
    The same words come out live, recording and replayed; on replay each event before the next is handed out.
    """
    live: list[str] = []
    recorded: list[str] = []
    replayed: list[str] = []

    def take(text: str) -> None:
        replayed.append(text)
        marked(text)

    with running() as upstream:
        SDKS[name](upstream.url, live.append)
        with paced_recording(upstream), deck.recording():
            SDKS[name](upstream.url, recorded.append)
    with deck.replaying() as tape:
        SDKS[name](upstream.url, take)

    assert "".join(live) == "".join(WORDS)
    assert live == recorded == replayed
    sent = [event for event in tape.log.events if isinstance(event, Sent)]
    assert len(sent) == 1
    arrivals = [event for event in tape.log.events if isinstance(event, Arrival)]
    assert len(arrivals) >= len(WORDS)
    # an event or two without text may stand at either end
    assert steps(tape)[3 : len(WORDS) - 1] == [True] * (len(WORDS) - 4)


def _outcome(name: str, url: str) -> tuple[str, str | None]:
    """
    Return the words that came out of a stream, and what it was that ended it before its end.
    """
    words: list[str] = []
    try:
        SDKS[name](url, words.append)
    except Exception as error:  # noqa: BLE001 - which it is differs from SDK to SDK
        status = getattr(error, "status_code", None)
        return "".join(words), f"{type(error).__name__} {status}: {error}"
    return "".join(words), None


ENDS = {"refused": "", "cut": "".join(WORDS[:7])}
"""What comes out at least before something goes wrong; everything else comes out whole."""


@pytest.fixture
def trusted(authority: trustme.CA, authority_file: str, monkeypatch: pytest.MonkeyPatch) -> ssl.SSLContext:
    """
    Give what a server needs for TLS, and let the SDKs trust it.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    for variable in ("SSL_CERT_FILE", "AWS_CA_BUNDLE"):
        monkeypatch.setenv(variable, authority_file)
    return context


WAYS = [(name, manner) for name in SDKS for manner in (*MANNERS[1:], "tls")]
# botocore takes gzip off no stream: live it cannot read what, stored decoded, it can read on replay
WAYS.remove(("bedrock", "gzip"))


@pytest.mark.parametrize(("name", "manner"), WAYS)
def test_an_sdk_ends_on_replay_as_it_does_live(name: str, manner: str, deck: Any, trusted: ssl.SSLContext) -> None:
    """
    However an answer is framed, packed, moved, refused or cut: the same words, or the SDK's same error, come out live,
    while recording and with the network gone. TLS is spoken while recording, and not needed on replay.
    """
    with running(trusted if manner == "tls" else None) as upstream:
        upstream.manner = manner
        live = _outcome(name, upstream.url)
        with deck.recording():
            recorded = _outcome(name, upstream.url)
    with deck.replaying():
        replayed = _outcome(name, upstream.url)

    assert live == recorded == replayed
    words, error = replayed
    # those of 2023 follow no redirect, and botocore follows none but of S3
    if manner in ENDS or (manner == "moved" and error is not None):
        assert error is not None
        assert words.startswith(ENDS.get(manner, ""))
        assert manner == "cut" or "401" in error or "307" in error or "Moved" in error
    else:
        assert replayed == ("".join(WORDS), None)


def _asks_openai(url: str) -> Callable[[str], str]:
    client = pytest.importorskip("openai").OpenAI(base_url=url, api_key="placeholder", max_retries=0)

    def ask(text: str) -> str:
        answer = client.chat.completions.create(model="m", messages=[{"role": "user", "content": text}])
        return str(answer.choices[0].message.content)

    return ask


def _asks_anthropic(url: str) -> Callable[[str], str]:
    client = pytest.importorskip("anthropic").Anthropic(base_url=url, api_key="placeholder", max_retries=0)

    def ask(text: str) -> str:
        if hasattr(client, "messages"):
            told = client.messages.create(model="m", max_tokens=9, messages=[{"role": "user", "content": text}])
            return str(told.content[0].text)
        prompt = f"\n\nHuman: {text}\n\nAssistant:"
        told = client.completions.create(model="m", max_tokens_to_sample=9, prompt=prompt).completion
        return str(told).removeprefix("\n\nHuman: ").removesuffix("\n\nAssistant:")

    return ask


def _asks_bedrock(url: str) -> Callable[[str], str]:
    client = _aws("bedrock-runtime", url)

    def ask(text: str) -> str:
        answer = client.invoke_model(modelId="m", body=json.dumps({"prompt": text}))["body"].read()
        return str(json.loads(answer)["completion"])

    return ask


ASKS = {"openai": _asks_openai, "anthropic": _asks_anthropic, "bedrock": _asks_bedrock}


@pytest.mark.parametrize("name", ASKS)
def test_eight_threads_of_one_sdk_get_their_own_answers_and_none_from_the_network(name: str, deck: Any) -> None:
    """
    480 questions of 8 threads to one client: each gets the answer to its own, the running upstream sees no request.
    """
    questions = [f"question {number}" for number in range(480)]
    with running() as upstream:
        with deck.recording():
            recorded = list(map(ASKS[name](upstream.url), questions))
        seen = len(upstream.requests)
        with deck.replaying(), ThreadPoolExecutor(8) as pool:
            replayed = list(pool.map(ASKS[name](upstream.url), questions))
        assert len(upstream.requests) == seen
    assert questions == recorded == replayed


def test_s3_uploads_that_wait_for_100_continue_do_not_hang(deck: Any) -> None:
    """
    A put with "Expect: 100-continue" and a get work live, recording and on replay.
    """

    def use(url: str) -> tuple[str | None, int]:
        s3 = _aws("s3", url, s3={"addressing_style": "path"})
        tag = s3.put_object(Bucket="bucket", Key="key", Body=b"y" * 1000).get("ETag")
        return tag, len(s3.get_object(Bucket="bucket", Key="key")["Body"].read())

    with running() as upstream:
        live = use(upstream.url)
        with deck.recording():
            recorded = use(upstream.url)
    with deck.replaying():
        replayed = use(upstream.url)
    assert live[1] == recorded[1] == replayed[1] == 100_000
    # scrubbing leaves the tag out of the file
    assert live[0] == recorded[0]


def _three_times(deck: Any, use: Callable[[str], Any]) -> tuple[list[Any], list[int]]:
    """
    Return what came of a call live, recording and on replay, and how many requests the upstream had seen after each.
    """
    with running() as upstream:
        results, seen = [use(upstream.url)], [len(upstream.requests)]
        with deck.recording():
            results.append(use(upstream.url))
        seen.append(len(upstream.requests))
        with deck.replaying():
            results.append(use(upstream.url))
        return results, [*seen, len(upstream.requests)]


def test_s3_follows_a_bucket_to_its_region(deck: Any) -> None:
    """
    A 301 names the region, and botocore itself asks again, signed for it: both requests are recorded and replayed.
    """

    def use(url: str) -> bytes:
        s3 = _aws("s3", url, s3={"addressing_style": "path"})
        body: bytes = s3.get_object(Bucket="moved", Key="key")["Body"].read()
        return body

    results, seen = _three_times(deck, use)

    assert results == [b"found"] * 3
    assert seen == [2, 4, 4]


def test_bedrock_follows_no_redirect(deck: Any) -> None:
    """
    Redirects of urllib3 are switched off in botocore, which has its own for S3 alone: a 307 is an error like any other.
    """
    errors = pytest.importorskip("botocore.exceptions")

    def use(url: str) -> tuple[int, str]:
        with pytest.raises(errors.ClientError) as caught:
            _aws("bedrock-runtime", url).invoke_model(modelId="moved", body=b"{}")
        told = caught.value.response
        return told["ResponseMetadata"]["HTTPStatusCode"], told["Error"]["Message"]

    results, seen = _three_times(deck, use)

    assert results == [(307, "it moved")] * 3
    assert seen == [1, 2, 2]

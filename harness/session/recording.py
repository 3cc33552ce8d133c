"""Which recordings are kept, and what is noted of those that are not."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from harness.battery.prompts import VERSION
from harness.errors import UserError
from harness.events import Died, Item, Missing, Returned
from harness.session.answers import silent_upstream, waits_for_answer
from harness.session.attempts import Attempt, forget_attempt, write_attempt
from harness.session.made import Made, count
from harness.session.tidy import secrets_among
from harness.tape.recorded import Stamp, parse, save_recording
from harness.tape.secrets import hits, tells_secret
from harness.tape.tally import tally
from harness.verdicts.exchanges import exchanges
from harness.verdicts.failures import standing_failure
from harness.verdicts.judge import judge
from harness.words import Verdict

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from harness.adapters.adapter import Adapter
    from harness.cells import Judgement
    from harness.isolation.outcome import Outcome
    from harness.session.settings import Settings
    from harness.tape.recorded import Interaction
    from harness.tape.tally import Tally
    from harness.words import Capability, Upstream


class Recording:
    """
    Keep one adapter's recordings.

    Args:
        adapter: whose they are; the secrets among its arguments are scrubbed.
        settings: whether failed answers are kept.
        upstream: what answered.
        clean: takes out of an error what must not be committed.
    """

    def __init__(
        self, adapter: Adapter, settings: Settings, upstream: Upstream | None, clean: Callable[[str], str]
    ) -> None:
        self._secrets = secrets_among(adapter)
        self._clean = clean
        self._settings = settings
        self._upstream = upstream

    def keep(self, path: Path, capability: Capability, outcome: Outcome) -> tuple[str | None, Made]:
        """
        Write a cell's cassette, or note why there is none.

        Returns:
            what kept the cassette from being written, for the user; None where nothing did. And what the cell took.
        """
        why = self._keep(path, capability, outcome)
        written = self._tally(outcome) if outcome.interactions and why is None else None
        return why, count(outcome.events, written, repeats_secrets=self._repeats_secrets(outcome))

    def _keep(self, path: Path, capability: Capability, outcome: Outcome) -> str | None:
        judgement = judge(capability, outcome.events)
        trouble = standing_failure(exchanges(outcome.events), outcome.events)
        if (silence := silent_upstream(outcome)) is not None:
            return f"{silence} (--timeout gives it longer)"
        if outcome.interactions and judgement.verdict is Verdict.BROKEN and _breaks_off(outcome):
            self._note(path, judgement, outcome, trouble)
            return f"its process ended in the middle of an answer: {judgement.reason}"
        if not outcome.interactions:
            self._note(path, judgement, outcome, trouble)
            return None if trouble is None else f"the upstream failed: {trouble}"
        if trouble and not judgement.verdict.works and not self._settings.keep_errors:
            return f"the upstream failed: {trouble} (--keep-errors keeps such an answer)"
        if judgement.verdict is Verdict.BROKEN and _sent_elsewhere(outcome) and not self._settings.keep_errors:
            return "the upstream sent it elsewhere, and it did not follow (--keep-errors keeps such an answer)"
        return self._save(path, outcome)

    def _save(self, path: Path, outcome: Outcome) -> str | None:
        if hits("/".join(path.parts[-3:]).encode(), self._secrets):
            return (
                "the name of the adapter or of its family, which names the file, looks like a secret: give it another"
            )
        stamp = Stamp(
            recorded=_now(),
            upstream=None if self._upstream is None else self._upstream.value,
            versions=_versions(outcome),
            battery=VERSION,
        )
        try:
            save_recording(path, _interactions(outcome), self._secrets, stamp, by_looks=self._settings.entropy)
        except UserError as error:
            return str(error)
        forget_attempt(path)
        return None

    def _repeats_secrets(self, outcome: Outcome) -> bool:
        bodies = [answer["body"].get("string") or b"" for _, answer in _interactions(outcome)]
        items = [one.text or "" for one in outcome.events if isinstance(one, Item)]
        returned = [text or "" for one in outcome.events if isinstance(one, Returned) for text in one.texts]
        texts = [one.encode("utf-8", "surrogatepass") for one in ("".join(items), *returned)]
        return any(tells_secret(one, self._secrets) for one in dict.fromkeys([*bodies, b"".join(bodies), *texts]))

    def _tally(self, outcome: Outcome) -> Tally:
        return tally(_interactions(outcome), self._secrets)

    def _note(self, path: Path, judgement: Judgement, outcome: Outcome, trouble: str | None) -> None:
        # these say the same again in replay, from what is installed and written there
        undone = judgement.verdict in {Verdict.UNSUPPORTED, Verdict.BLOCKED} or _lacks_module(outcome)
        if path.exists() or trouble or undone or not outcome.events:
            return
        error = judgement.evidence.error
        attempt = Attempt(
            recorded=_now(),
            verdict=judgement.verdict,
            reason=self._clean(judgement.reason),
            error=self._clean(error) if error else None,
        )
        write_attempt(path, attempt)


def _interactions(outcome: Outcome) -> list[Interaction]:
    return [one for text in outcome.interactions for one in parse(text)]


def _breaks_off(outcome: Outcome) -> bool:
    """
    Tell whether the process ended while an answer was read: a replay would miss that answer, and blame the recording.
    """
    return waits_for_answer(outcome) and any(isinstance(event, Died) for event in outcome.events)


def _sent_elsewhere(outcome: Outcome) -> bool:
    """
    Tell whether every prompt was answered with an address and nothing else: a wrong `base_url`, most of the time.
    """
    asked = [one.status for one in exchanges(outcome.events) if one.sent.carries]
    return bool(asked) and all(status // 100 == 3 for status in asked)  # noqa: PLR2004 - redirects


def _lacks_module(outcome: Outcome) -> bool:
    return any(isinstance(event, Missing) and event.what == "module" for event in outcome.events)


def _now() -> str:
    return datetime.now(UTC).replace(microsecond=0).isoformat().replace("+00:00", "Z")


def _versions(outcome: Outcome) -> dict[str, str]:
    prefix = "distribution."
    found = {name.removeprefix(prefix): value for name, value in outcome.notes.items() if name.startswith(prefix)}
    return dict(sorted(found.items()))

"""
Answers that follow from the prompt, and nothing else.

The same prompt gets the same text, cut into the same pieces at the same pace, on every machine
and with every version of Python; another prompt gets another. So a recording can be made again,
and whether an adapter mixed up its answers shows.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

CODE_WORD: Final = r"\b[a-z]{5,9}[0-9]{4}\b"
"""What a code word looks like, where nobody says otherwise."""

_FEWEST_WORDS: Final = 42
_LONGEST_PIECE: Final = 8
_TOPIC_WORDS: Final = 4

_OPENINGS: Final = (
    "The code word you gave me is {codes}, so here we go",
    "You asked me to repeat {codes}, which I gladly do",
    "Let me begin with {codes}, just as you wanted",
    "Certainly, {codes} it is, before anything else",
)
_BARE_OPENINGS: Final = (
    "Here is what comes to mind",
    "Let me think about that for a moment",
    "That is a good question to begin with",
    "There is more than one way to answer this",
)
# Each has one word that is not ASCII, so that encodings are exercised in every answer.
_ACCENTED: Final = (
    "Somebody in a café once told me that {topic} rewards patience",
    "A naïve view of {topic} misses most of what matters",
    "Put as a cliché, {topic} is what you make of it",
    "In this vignette, déjà vu included, {topic} takes the leading part",
)
_MIDDLES: Final = (
    "People who know {topic} well rarely agree on the details",
    "There are old stories about {topic}, and a few are even true",
    "What surprises newcomers is how quietly {topic} changes over the years",
    "If you look closely, {topic} turns out to be rather orderly",
    "Most of what we know about {topic} was found by accident",
    "Nothing about {topic} is as simple as the first page suggests",
    "In short, {topic} is worth an afternoon; perhaps a whole week",
    "For a start, compare {topic} with whatever you already understand",
)
_TOPICS: Final = (
    # not the "about" of "about eighty words"
    re.compile(r"\babout (?!\S+ (?:words|sentences|lines)\b)\s*([^\s.,;:!?\"\\][^.,;:!?\"\n\\]*)"),
    re.compile(r"\b(?:how|why) ((?:an?|the) \w+|\w+ \w+)"),
)
_COMMON: Final = frozenset(
    "about after again answer before code could every explain from give have human into just more other please repeat "
    "say sentence sentences should some than that their them then there these they this three word words what when "
    "where which while will with without would write your assistant exactly first least".split()
)
_TOKEN: Final = re.compile(r"\s*\w+|\s*[^\w\s]+|\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """
    Say how fast a provider answers, in milliseconds (least, most).

    Attributes:
        first: until the first byte.
        between: between two pieces.
    """

    first: tuple[float, float] = (250, 450)
    between: tuple[float, float] = (20, 60)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """
    Keep what a provider says to one prompt, and when.

    Attributes:
        index: the prompt's place among those of its request.
        pieces: the text, cut like tokens.
        first: seconds until the first piece.
        gaps: seconds before each piece, counted from the one before; the first is 0.
    """

    prompt: str
    index: int
    text: str
    pieces: tuple[str, ...]
    first: float
    gaps: tuple[float, ...]

    @property
    def tokens(self) -> int:
        """
        Return how many tokens a provider would bill for the answer.
        """
        return len(self.pieces)

    @property
    def prompt_tokens(self) -> int:
        """
        Return how many tokens a provider would bill for the prompt.
        """
        return len(_TOKEN.findall(self.prompt))

    @property
    def lasts(self) -> float:
        """
        Return the seconds until the last piece.
        """
        return self._moments()[-1]

    def said_after(self, seconds: float) -> tuple[str, ...]:
        """
        Return the pieces that exist so many seconds after the question.
        """
        return self.pieces[: bisect.bisect_right(self._moments(), seconds)]

    def _moments(self) -> list[float]:
        return list(itertools.accumulate(self.gaps[1:], initial=self.first))


def compose(
    prompt: str, *, index: int = 0, code_word: str = CODE_WORD, words: int | None = None, pace: Pace | None = None
) -> Answer:
    """
    Answer one prompt in 40 to 60 words, or as many as are asked for; the first sentence repeats its code word once.

    Args:
        prompt: what was asked, with or without a provider's wrapping.
        index: the prompt's place among those of its request.
        code_word: the regular expression that code words match.
        words: how many words the answer has at least, where that is not the usual number; two sentences it always has.
        pace: how fast the provider is.
    """
    pace = pace or Pace()
    draws = _draws(prompt)
    codes = list(dict.fromkeys(re.findall(code_word, prompt)))
    text = _text(codes, _topic(re.sub(code_word, " ", prompt)), draws, words or _FEWEST_WORDS)
    pieces = tuple(_pieces(text, codes))
    return Answer(
        prompt=prompt,
        index=index,
        text=text,
        pieces=pieces,
        first=_between(pace.first, draws),
        gaps=(0.0, *(_between(pace.between, draws) for _ in pieces[1:])),
    )


def _draws(seed: str) -> Iterator[int]:
    """
    Yield whole numbers below 2**32 that depend on the seed alone.
    """
    for turn in itertools.count():
        digest = hashlib.sha256(f"{turn}\n{seed}".encode()).digest()
        yield from (int.from_bytes(digest[at : at + 4]) for at in range(0, len(digest), 4))


def _between(bounds: tuple[float, float], draws: Iterator[int]) -> float:
    least, most = bounds
    return (least + (most - least) * next(draws) / 2**32) / 1000


def _pick(choices: Sequence[str], draws: Iterator[int]) -> str:
    return choices[next(draws) % len(choices)]


def _text(codes: Sequence[str], topic: str, draws: Iterator[int], words: int) -> str:
    opening = _pick(_OPENINGS if codes else _BARE_OPENINGS, draws)
    sentences = [opening.format(codes=" and ".join(codes)), _pick(_ACCENTED, draws).format(topic=topic)]
    middles = list(_MIDDLES)
    while middles and sum(len(sentence.split()) for sentence in sentences) < words:
        middle = _pick(middles, draws)
        middles.remove(middle)
        sentences.append(middle.format(topic=topic))
    return " ".join(f"{sentence}." for sentence in sentences)


def _topic(prompt: str) -> str:
    """
    Return what the prompt is about: what follows "about", "how" or "why", else its longest uncommon word.
    """
    found = next((match for pattern in _TOPICS if (match := pattern.search(prompt))), None)
    if found:
        return f"the subject of {' '.join(found[1].split()[:_TOPIC_WORDS])}"
    candidates = [word for word in re.findall(r"[a-z]{4,14}", prompt.lower()) if word not in _COMMON]
    return f"the subject of {max(candidates, key=len)}" if candidates else "the whole matter"


def _pieces(text: str, codes: Sequence[str]) -> Iterator[str]:
    """
    Cut a text like a tokenizer: words with the space before them, long ones and code words in parts.
    """
    for token in _TOKEN.findall(text):
        word = token.lstrip()
        if word in codes or len(word) > _LONGEST_PIECE:
            size = len(token) - len(word) + max(3, len(word) // 3)
            yield token[:size]
            yield from (token[at : at + 4] for at in range(size, len(token), 4))
        else:
            yield token

"""Adapters over the toy engine, honest and not: it is looked at only where they import it."""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import os
import queue
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def text_of(answer):
    """
    Return what an answer says.
    """
    return answer["choices"][0]["text"]


class Plain:
    """
    What most adapters of engines do.
    """

    def __init__(self, path="weights.bin"):
        if importlib.util.find_spec("murmur") is None:
            raise ImportError("murmur is not installed")
        from murmur import Model

        self.client = Model(path)
        self.client.settings.set_threads(2)
        if self.client.kind != "toy" or hasattr(self.client, "nothing") or not isinstance(self.client, Model):
            raise ValueError("this is not the model that was asked for")

    def invoke(self, prompt):
        return text_of(self.client(prompt))

    async def ainvoke(self, prompt):
        return await asyncio.to_thread(self.invoke, prompt)

    def stream(self, prompt):
        for piece in self.client(prompt, stream=True):
            yield text_of(piece)

    async def astream(self, prompt):
        for piece in self.stream(prompt):
            yield piece

    def batch(self, prompts):
        return [one.text for one in self.client.batch(prompts)]

    async def abatch(self, prompts):
        return list(await asyncio.gather(*map(self.ainvoke, prompts)))


class Awaits(Plain):
    async def ainvoke(self, prompt):
        return await self.client.agenerate(prompt)

    async def astream(self, prompt):
        async for word in self.client.aspeak(prompt):
            yield word

    def stream(self, prompt):
        text = self.invoke(prompt)
        yield from (text[place : place + 10] for place in range(0, len(text), 10))

    def batch(self, prompts):
        return [self.invoke(prompt) for prompt in prompts]


class IsCalled(Plain):
    """
    The engine calls a function with each word.
    """

    def invoke(self, prompt):
        words: dict[int, str] = {}

        def put(number, word):
            words[number] = word
            return True

        self.client.tell(prompt, put)
        return "".join(words.values())

    def stream(self, prompt):
        words: queue.Queue[str | None] = queue.Queue()

        def put(_, word):
            words.put(word)
            return True

        def run():
            self.client.tell(prompt, on_word=put)
            words.put(None)

        threading.Thread(target=run).start()
        yield from iter(words.get, None)

    async def astream(self, prompt):
        loop = asyncio.get_running_loop()
        words: asyncio.Queue[str | None] = asyncio.Queue()

        def put(_, word):
            loop.call_soon_threadsafe(words.put_nowait, word)
            return True

        work = loop.run_in_executor(None, self.client.tell, prompt, put)
        work.add_done_callback(lambda _: words.put_nowait(None))
        while (word := await words.get()) is not None:
            yield word

    def batch(self, prompts):
        with ThreadPoolExecutor() as pool:
            return list(pool.map(self.invoke, prompts))


class Streams(Plain):
    """
    The engine writes in a thread what the caller's thread reads.
    """

    def stream(self, prompt):
        from murmur import Streamer

        streamer = Streamer()
        thread = threading.Thread(target=self.client.write, args=(prompt,), kwargs={"streamer": streamer})
        thread.start()
        yield from streamer
        thread.join()

    def batch(self, prompts):
        return ["".join(self.stream(prompt)) for prompt in prompts]

    def invoke(self, prompt):
        settings: Any = self.client.settings
        return prompt + str(settings + 1)


class InNumbers:
    """
    The prompts go in as tokens, and the answers come out as tokens.
    """

    def __init__(self):
        murmur = importlib.import_module("murmur")
        self.tokenizer, self.client = murmur.Tokenizer.load("tokens.json"), murmur.Numbers("weights.bin")

    def invoke(self, prompt):
        return self.batch([prompt])[0]

    def batch(self, prompts):
        asked = [self.tokenizer.encode(prompt)["ids"] for prompt in prompts]
        return [self.tokenizer.decode(one.ids) for one in self.client.complete(asked)]

    async def abatch(self, prompts):
        return self.batch(prompts)


class ByAndBy(InNumbers):
    """
    The engine is asked for one token after the other.
    """

    def stream(self, prompt):
        scores = self.client.begin([*self.tokenizer.encode(prompt)["ids"]])
        while token := self.client.sample(scores):
            scores += 0.5
            yield self.tokenizer.decode([token])

    def invoke(self, prompt):
        return "".join(self.stream(prompt))

    def batch(self, prompts):
        return [self.invoke(prompt) for prompt in prompts]

    async def abatch(self, prompts):
        return await asyncio.to_thread(self.batch, prompts)


class Sorts(Plain):
    """
    It asks in another order than it was asked, and answers in the right one.
    """

    def batch(self, prompts):
        order = sorted(range(len(prompts)), key=prompts.__getitem__)
        found = dict(zip(order, self.client.batch([prompts[place] for place in order]), strict=True))
        return [found[place].text for place in range(len(prompts))]


class Wrong(Plain):
    """
    It loses a piece, mixes answers up and holds back what it has.
    """

    def invoke(self, prompt):
        return text_of(self.client(prompt)).replace("e", "")

    def stream(self, prompt):
        pieces = list(super().stream(prompt))
        yield from pieces

    async def astream(self, prompt):
        for piece in list(self.client(prompt, stream=True))[:-1]:
            yield text_of(piece)

    def batch(self, prompts):
        return [self.client(prompt)["choices"][0]["text"] for prompt in prompts][::-1]

    async def abatch(self, prompts):
        return (await asyncio.to_thread(super().batch, prompts))[::-1]


class Failing(Plain):
    """
    The engine raises; some of it is passed on, and some hidden.
    """

    def invoke(self, prompt):
        return self.client.fail(prompt)

    async def ainvoke(self, prompt):
        try:
            return self.client.fail(prompt)
        except RuntimeError as error:
            return f"sorry: {error}"

    def stream(self, prompt):
        yield from self.client.stumble(prompt)


class OneMore(Plain):
    """
    It does what was not recorded, once the environment says so.
    """

    def invoke(self, prompt):
        if os.environ.get("ONE_MORE"):
            self.client.settings.set_threads(9)
        return super().invoke(prompt)

"""A gRPC peer on loopback, and a program that calls it in every way in which grpcio can."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

PIECES = 12
SERVICE = "/test.v1.Speech/"


def whole(request: bytes, _: Any) -> bytes:
    """
    Answer with one message.
    """
    return b"whole " + request


def pieces(request: bytes, _: Any) -> Iterator[bytes]:
    """
    Answer with several.
    """
    yield from (b"%d %s" % (number, request) for number in range(PIECES))


def fail(request: bytes, context: Any) -> bytes:
    """
    Refuse, with details in both forms.
    """
    context.set_trailing_metadata((("grpc-status-details-bin", b"\x08\x05\x12\x02no"),))
    context.abort(grpc.StatusCode.NOT_FOUND, f"no such thing: {request.decode()}")
    return b""


def snap(request: bytes, context: Any) -> Iterator[bytes]:
    """
    Break off in the middle.
    """
    for number in range(3):
        yield b"%d %s" % (number, request)
    context.abort(grpc.StatusCode.UNAVAILABLE, "the model went away")


def gather(requests: Iterator[bytes], _: Any) -> bytes:
    """
    Answer several messages with one.
    """
    return b"+".join(requests)


def nothing(_: bytes, __: Any) -> Iterator[bytes]:
    """
    Answer with no message at all.
    """
    yield from ()


def slow(_: bytes, context: Any) -> bytes:
    """
    Answer when nobody waits any more.
    """
    gone = threading.Event()
    if context.add_callback(gone.set):
        gone.wait(60)
    return b""


both = threading.Barrier(2, timeout=60)
"""Where two calls that are made at the same time meet."""


def meet(request: bytes, _: Any) -> bytes:
    """
    Answer when another call is there as well.
    """
    both.wait()
    return b"met " + request


class Handler(grpc.GenericRpcHandler):  # type: ignore[misc]  # grpcio has no types
    """
    Know what is answered to which method.
    """

    known = {  # noqa: RUF012 - nothing changes it
        "Whole": grpc.unary_unary_rpc_method_handler(whole),
        "Pieces": grpc.unary_stream_rpc_method_handler(pieces),
        "Fail": grpc.unary_unary_rpc_method_handler(fail),
        "Snap": grpc.unary_stream_rpc_method_handler(snap),
        "Gather": grpc.stream_unary_rpc_method_handler(gather),
        "Slow": grpc.unary_unary_rpc_method_handler(slow),
        "Meet": grpc.unary_unary_rpc_method_handler(meet),
        "Nothing": grpc.unary_stream_rpc_method_handler(nothing),
    }

    def service(self, handler_call_details: Any) -> Any:
        """
        Return what answers a call.
        """
        return self.known.get(handler_call_details.method.removeprefix(SERVICE))


@contextmanager
def serving() -> Iterator[str]:
    """
    Serve at an address until the block ends.
    """
    server = grpc.server(ThreadPoolExecutor(20), handlers=[Handler()])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.stop(None).wait()


def shouted(text: str) -> bytes:
    """
    Be a serializer that shows whether it was used.
    """
    return text.upper().encode()


def heard(data: bytes) -> str:
    """
    Be a deserializer.
    """
    return data.decode() + "!"


def told(error: Any) -> tuple[str, str, bool]:
    """
    Return what an error of gRPC says, and whether it is also the call that failed, as Google's SDKs expect.
    """
    rich = [value for key, value in error.trailing_metadata() or () if key == "grpc-status-details-bin"]
    return error.code().name, error.details(), any(value.startswith(b"\x08\x05") for value in rich)


def failure(call: Any) -> tuple[str, str, bool]:
    """
    Return what a call's error says.
    """
    try:
        call()
    except grpc.RpcError as error:
        return told(error)
    return "none", "", False


def callables(channel: Any) -> dict[str, Any]:
    """
    Return what a generated stub would hold.
    """
    kinds = {"Pieces": "unary_stream", "Snap": "unary_stream", "Nothing": "unary_stream", "Gather": "stream_unary"}
    return {
        name: getattr(channel, kinds.get(name, "unary_unary"))(SERVICE + name, shouted, heard) for name in Handler.known
    }


def say_all(target: str) -> dict[str, Any]:
    """
    Make every kind of synchronous call, and return what came of each.
    """
    with grpc.insecure_channel(target) as channel:
        stub = callables(channel)
        answer, call = stub["Whole"].with_call("b", metadata=(("authorization", "Bearer abcdefghijklmnop1234"),))
        future = stub["Whole"].future("c", timeout=120)
        stream = stub["Pieces"]("d")
        broken: list[str] = []
        return {
            "unary": stub["Whole"]("a", timeout=120),
            "with_call": (answer, call.code().name),
            "future": future.result(timeout=120),
            "future error": failure(lambda: stub["Fail"].future("e").result(timeout=120)),
            "stream": list(stream),
            "stream status": stream.code().name,
            "single-threaded": _single_threaded(target),
            "error": failure(lambda: stub["Fail"]("f")),
            "broken off": failure(lambda: broken.extend(stub["Snap"]("g"))),
            "before it broke": broken,
            "too late": failure(lambda: stub["Slow"]("s", timeout=0.2))[0],
            "empty": list(stub["Nothing"]("h")),
            "gathered": stub["Gather"](iter(["i", "j", "k"])),
            "gathered later": stub["Gather"].future(iter(["l", "m"])).result(timeout=120),
        }


def _single_threaded(target: str) -> list[str]:
    options = [(grpc.experimental.ChannelOptions.SingleThreadedUnaryStream, 1)]
    with grpc.insecure_channel(target, options=options) as channel:
        return list(callables(channel)["Pieces"]("n"))


async def asay_all(target: str) -> dict[str, Any]:
    """
    Make every kind of asynchronous call, and return what came of each.
    """
    async with grpc.aio.insecure_channel(target) as channel:
        stub = callables(channel)
        call = stub["Whole"]("b")
        stream = stub["Pieces"]("d")
        reader = stub["Pieces"]("r")
        broken: list[str] = []
        return {
            "unary": await stub["Whole"]("a", timeout=120),
            "call": (await call, (await call.code()).name, call.done(), call.cancelled()),
            "stream": [item async for item in stream],
            "stream status": (await stream.code()).name,
            "read": await _read(reader),
            "error": await _afailure(stub["Fail"]("f")),
            "broken off": await _afailure(_drain(stub["Snap"]("g"), broken)),
            "before it broke": broken,
            "too late": (await _afailure(stub["Slow"]("s", timeout=0.2)))[0],
            "empty": [item async for item in stub["Nothing"]("h")],
            "gathered": await stub["Gather"](iter(["i", "j", "k"])),
        }


async def _read(call: Any) -> list[str]:
    found = []
    while (item := await call.read()) is not grpc.aio.EOF:
        found.append(item)
    return found


async def _drain(call: Any, into: list[str]) -> None:
    async for item in call:
        into.append(item)  # noqa: PERF401 - what came before an error is wanted too


async def _afailure(awaitable: Any) -> tuple[str, str, bool]:
    try:
        await awaitable
    except grpc.RpcError as error:
        return told(error)
    return "none", "", False


def arun(target: str) -> dict[str, Any]:
    """
    Make every kind of asynchronous call on a loop of its own.
    """
    return asyncio.run(asay_all(target))

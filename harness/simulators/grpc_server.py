"""
The gRPC side of a simulator: one server for all services.

A shape says in JSON what is answered, as it does for HTTP. The messages are made of it by the provider's own
descriptors, which its client library brings along, so that a wrong name is an error here and not in the client.
"""

from __future__ import annotations

import importlib
import json
from typing import TYPE_CHECKING, Any

from harness.errors import LibraryMissingError
from harness.simulators.server import Refusal
from harness.simulators.tables import ShapeError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable

    from harness.simulators.server import Provider
    from harness.simulators.shapes import Route, Shape

_GRACE = 0.2


class GrpcServer:
    """
    Answer calls of gRPC on the running loop.

    Args:
        provider: composes the answers.
        shapes: those of which some routes are gRPC methods.

    Raises:
        LibraryMissingError: grpcio or protobuf is not installed.
        ShapeError: a provider's messages cannot be had.
    """

    def __init__(self, provider: Provider, shapes: Iterable[Shape]) -> None:
        try:
            import grpc  # noqa: PLC0415 - only for shapes that need it
            from google.protobuf import json_format  # noqa: PLC0415 - as above
        except ModuleNotFoundError as error:
            msg = f"the simulators' gRPC server needs {error.name}, which is not installed"
            raise LibraryMissingError(msg, hint="pip install grpcio protobuf") from error
        self._grpc = grpc
        self._json: Any = json_format
        self._provider = provider
        self._methods = {
            one.path: (_message(one, 0), _message(one, 1)) for shape in shapes for one in grpc_routes(shape)
        }
        self._server = grpc.aio.server()

    async def start(self) -> tuple[str, int]:
        """
        Serve, and return the address.
        """
        outer = self

        class Handler(self._grpc.GenericRpcHandler):  # type: ignore[name-defined,misc] # imported where it is needed
            def service(self, handler_call_details: Any) -> Any:  # noqa: ANN401 - grpcio's own
                return outer.handler(handler_call_details)

        self._server.add_generic_rpc_handlers((Handler(),))
        port = self._server.add_insecure_port("127.0.0.1:0")
        await self._server.start()
        return "127.0.0.1", port

    async def stop(self) -> None:
        """
        Serve no longer.
        """
        await self._server.stop(_GRACE)

    def handler(self, details: Any) -> Any:  # noqa: ANN401 - grpcio's own
        """
        Return what answers a call; None for a method that no shape has.

        A method that answers once answers with a stream of one message: on the wire they are the same.
        """
        method = details.method
        if method not in self._methods:
            return None
        headers = {
            str(key).lower(): value for key, value in details.invocation_metadata or () if isinstance(value, str)
        }

        async def answer(request: bytes, context: Any) -> AsyncIterator[bytes]:  # noqa: ANN401 - grpcio's own
            try:
                async for text in self._provider.call(method, headers, self._read(method, request)):
                    yield self._written(method, text)
            except Refusal as refusal:
                codes = {code.value[0]: code for code in self._grpc.StatusCode}
                await context.abort(codes[refusal.code], refusal.details)

        return self._grpc.unary_stream_rpc_method_handler(answer)

    def _read(self, method: str, request: bytes) -> Any:  # noqa: ANN401 - any JSON object
        message = self._methods[method][0]()
        message.ParseFromString(request)
        return self._json.MessageToDict(message, preserving_proto_field_name=True)

    def _written(self, method: str, text: str) -> bytes:
        message: Any = self._json.ParseDict(json.loads(text), self._methods[method][1]())
        data: bytes = message.SerializeToString()
        return data


def grpc_routes(shape: Shape) -> list[Route]:
    """
    Return a shape's gRPC methods.
    """
    return [route for route in shape.routes if route.grpc]


def _message(route: Route, place: int) -> Any:  # noqa: ANN401 - a generated class
    """
    Return the class of a message; those of proto-plus are wrappers of the real one.
    """
    module, _, name = route.grpc[place].partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        hint = "install the client library that brings it, or mend the shape's key grpc"
        raise ShapeError(
            f"the message {route.grpc[place]} cannot be had: {error}", where=route.path, hint=hint
        ) from error
    return type(found.pb(found())) if hasattr(found, "pb") else found

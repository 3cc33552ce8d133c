"""
The guard: nothing leaves the machine during replay by way of Python.

One audit hook sees every connection, datagram and look-up of the process, in each thread and under each event loop, and
also where a library kept a reference to the original function. A hook cannot be taken out again, so it asks one
module-level name first. What bypasses Python is the business of `harness.tape.severance`.

To ask for a name's address is not to dial it: clients do so to warm up, to choose a region, to fill a cache. Such a
look-up is answered with an address of the documentation's, one a name, and who dials that is told of by the name.
"""

from __future__ import annotations

import _socket
import errno
import ipaddress
import socket
import socketserver
import sys
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from harness.tape import severance

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType


class NetworkRefused(ConnectionError):  # noqa: N818 - named as the standard library names its kin
    """
    Stand for a connection that replay does not make.

    It is an `OSError`, so that a library treats it as it treats any upstream that cannot be reached.

    Args:
        target: what was dialled, as `host:port` or a host's name.
    """

    def __init__(self, target: str) -> None:
        super().__init__(errno.ENETUNREACH, f"{target} was not dialled: replay never leaves the process")
        self.target = target

    def __reduce__(self) -> tuple[type[NetworkRefused], tuple[str]]:
        return type(self), (self.target,)


@dataclass(frozen=True, slots=True)
class _Door:
    on_dial: Callable[[str], None] | None
    on_child: Callable[[str], None] | None


_door: _Door | None = None
_installed = False
_nameless = 0
_names: dict[str, str] = {}
_naming: Final = threading.Lock()

# The kernel alone answers on these; a machine without one of them lacks the name.
_LOCAL_FAMILIES: Final = frozenset(
    getattr(socket, name) for name in ("AF_UNIX", "AF_NETLINK", "AF_ALG") if hasattr(socket, name)
)
_MOST_NAMES: Final = 254
_INTERNET_FAMILIES: Final = frozenset({socket.AF_INET, socket.AF_INET6})
# `socket` and `asyncio` name it alike.
_SERVING: Final = frozenset({"create_server"})
_NOT_DIALLING: Final = frozenset({"<frozen importlib._bootstrap>", socketserver.__file__})


def shut(on_dial: Callable[[str], None] | None = None, on_child: Callable[[str], None] | None = None) -> None:
    """
    Refuse every way out, from now on, whichever thread tries it.

    Args:
        on_dial: told the target of each attempt, on the thread that made it, before `NetworkRefused` is raised there.
        on_child: told of each child process; children are allowed, but only `severance` can hold them back.
    """
    global _door, _installed  # noqa: PLW0603 - the interpreter has one audit hook, and it asks one name
    if not _installed:
        sys.addaudithook(_hook)
        _answer_look_ups()
        _installed = True
    _door = _Door(on_dial, on_child)


def hush() -> None:
    """
    Go on refusing, where every way out is refused, and tell of no attempt any more.
    """
    global _door  # noqa: PLW0603 - see `shut`
    if _door is not None:
        _door = _Door(None, None)


def open_again() -> None:
    """
    Let connections through again.
    """
    global _door  # noqa: PLW0603 - see `shut`
    _door = None


@contextmanager
def closed(
    on_dial: Callable[[str], None] | None = None, on_child: Callable[[str], None] | None = None
) -> Iterator[None]:
    """
    Refuse every way out for the length of a block; the arguments are those of `shut`.
    """
    global _door  # noqa: PLW0603 - see `shut`
    before = _door
    shut(on_dial, on_child)
    try:
        yield
    finally:
        _door = before


def nameless_lookups() -> int:
    """
    Return how many look-ups without a host a shut guard has let through in this process.

    They are harmless (a server asks for its own wildcard address) but show up in `severance.attempts`.
    """
    return _nameless


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    # most events are none of its business: 22 000 while ChatOpenAI is imported
    check = _CHECKS.get(event)
    if check is None:
        return
    # read once: another thread may open it meanwhile
    door = _door
    if door is not None:
        check(door, arguments)


def _refuse(door: _Door, target: str) -> None:
    if door.on_dial is not None:
        door.on_dial(target)
    raise NetworkRefused(target)


def _addressed(door: _Door, arguments: tuple[Any, ...]) -> None:
    sock, address = arguments[0], arguments[1]
    # A message without an address goes where the socket is connected to, and that was judged when it was connected.
    if address is not None and sock.family not in _LOCAL_FAMILIES:
        _refuse(door, _target(address))


def _target(address: object) -> str:
    if not isinstance(address, tuple) or len(address) < 2:  # noqa: PLR2004 - host and port
        return repr(address)
    host = _text(address[0])
    return _with_port(_names.get(host, host), address[1])


def _with_port(host: str, port: object) -> str:
    if port is None:
        return host
    return f"[{host}]:{_text(port)}" if ":" in host else f"{host}:{_text(port)}"


def _text(value: object) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes | bytearray) else str(value)


def _looked_up(door: _Door, arguments: tuple[Any, ...]) -> None:
    global _nameless  # noqa: PLW0603 - a count of the process, like the kernel's that it is compared with
    host = arguments[0]
    if not host:
        _nameless += 1
    elif not _is_numeric(_text(host)):
        _refuse(door, _with_port(_text(host), arguments[1] if len(arguments) > 1 else None))


def _answer_look_ups() -> None:
    """
    Put answers in front of the functions that look names up, for whoever asks while the guard is shut.

    `socket.getaddrinfo` asks `_socket` at each call, so that kept references to it are covered too; those to the two
    older functions are not, and the hook refuses them.
    """
    ask, ask_old, ask_oldest = _socket.getaddrinfo, socket.gethostbyname_ex, socket.gethostbyname

    def getaddrinfo(  # noqa: PLR0913, PLR0917 - the standard library's signature
        host: Any,  # noqa: ANN401 - as above
        port: Any,  # noqa: ANN401 - as above
        family: int = 0,
        type: int = 0,  # noqa: A002 - as above
        proto: int = 0,
        flags: int = 0,
    ) -> list[Any]:
        name = _unknown_name(host)
        if name is None or flags & socket.AI_NUMERICHOST:
            return ask(host, port, family, type, proto, flags)
        # a machine without a network has no configured address of any family
        kind = flags & ~getattr(socket, "AI_ADDRCONFIG", 0)
        found = ask(_stand_in(name, family), port, family, type, proto, kind)
        return [(*one[:3], name if one[3] else "", one[4]) for one in found]

    def gethostbyname_ex(hostname: Any, /) -> tuple[str, list[str], list[str]]:  # noqa: ANN401 - as above
        name = _unknown_name(hostname)
        return ask_old(hostname) if name is None else (name, [], [_stand_in(name)])

    def gethostbyname(hostname: Any, /) -> str:  # noqa: ANN401 - as above
        name = _unknown_name(hostname)
        return ask_oldest(hostname) if name is None else _stand_in(name)

    _socket.getaddrinfo = getaddrinfo
    for function in (gethostbyname_ex, gethostbyname):
        setattr(socket, function.__name__, function)
        setattr(_socket, function.__name__, function)


def _unknown_name(host: object) -> str | None:
    if _door is None or not host or not isinstance(host, str | bytes | bytearray):
        return None
    name = _text(host)
    return None if _is_numeric(name) or name == socket.gethostname() else name


def _stand_in(name: str, family: int = 0) -> str:
    """
    Return the address that stands for a name: RFC 5737 and RFC 3849 keep it free of any machine.
    """
    if name == "localhost":
        return "::1" if family == socket.AF_INET6 else "127.0.0.1"
    pattern = "2001:db8::{:x}" if family == socket.AF_INET6 else "192.0.2.{}"
    # event loops look names up in threads, several at a time
    with _naming:
        known = [address for address, kept in _names.items() if kept == name and (":" in address) == (":" in pattern)]
        if known:
            return known[0]
        address = pattern.format(len(_names) % _MOST_NAMES + 1)
        _names[address] = name
        return address


def _resolved(door: _Door, arguments: tuple[Any, ...]) -> None:
    if _text(arguments[0]) == socket.gethostname():
        # A program that asks for its own address (for a log, for an identifier) dials nobody.
        raise NetworkRefused(socket.gethostname())
    _looked_up(door, arguments)


def _is_numeric(host: str) -> bool:
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host == "<broadcast>"
    return True


def _reversed(door: _Door, arguments: tuple[Any, ...]) -> None:
    address = arguments[0]
    host = _text(address[0] if isinstance(address, tuple) else address)
    if _is_own(host):
        # `socket.getfqdn` asks this for every server that is set up; it copes with a refusal and nobody was dialled.
        raise NetworkRefused(host)
    _refuse(door, host)


def _is_own(host: str) -> bool:
    if host in {"", "localhost", socket.gethostname()}:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _made(door: _Door, arguments: tuple[Any, ...]) -> None:
    # Under seccomp a socket fails when it is made, and neither `connect` nor `bind` is ever seen, so the stack has to
    # tell what it is for: who is imported tries what the machine speaks, and who serves waits to be dialled.
    family = arguments[1]
    if family not in _INTERNET_FAMILIES or severance.in_force().how is not severance.How.SECCOMP:
        return
    if not _dials_nobody(sys._getframe(1)):  # noqa: SLF001 - `inspect.stack` reads source files
        _refuse(door, f"an {socket.AddressFamily(family).name} socket")


def _dials_nobody(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_name in _SERVING or frame.f_code.co_filename in _NOT_DIALLING:
            return True
        frame = frame.f_back
    return False


def _child(door: _Door, arguments: tuple[Any, ...]) -> None:
    if door.on_child is not None:
        door.on_child(_text(arguments[0]) if arguments else "a fork of this process")


_CHECKS: Final[dict[str, Callable[[_Door, tuple[Any, ...]], None]]] = {
    "socket.__new__": _made,
    "socket.connect": _addressed,
    "socket.sendto": _addressed,
    "socket.sendmsg": _addressed,
    "socket.getaddrinfo": _looked_up,
    "socket.gethostbyname": _resolved,
    "socket.gethostbyaddr": _reversed,
    "socket.getnameinfo": _reversed,
    "subprocess.Popen": _child,
    "os.posix_spawn": _child,
    "os.exec": _child,
    "os.spawn": _child,
    "os.system": _child,
    "os.fork": _child,
    "os.forkpty": _child,
}

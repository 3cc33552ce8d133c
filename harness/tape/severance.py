"""
The kernel-level cut: what the guard cannot stop, because it does not pass through Python's `socket` module.

C libraries with sockets of their own, statically linked resolvers and child processes never raise an audit event.
The kernel can refuse them all, but only for good, so `sever` is for a process that was made to be cut.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
import threading
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final


class How(StrEnum):
    """
    Name the mechanism that cuts a process off.
    """

    NAMESPACE = "namespace"
    SECCOMP = "seccomp"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cut:
    """
    Say how the calling process and its future children are cut off.

    Attributes:
        how: the mechanism in force.
        detail: why the stronger ones are not, where one was tried in vain.
    """

    how: How
    detail: str = ""


class _Filter(ctypes.Structure):
    _fields_ = (
        ("code", ctypes.c_ushort),
        ("jump_true", ctypes.c_ubyte),
        ("jump_false", ctypes.c_ubyte),
        ("k", ctypes.c_uint32),
    )


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filters", ctypes.POINTER(_Filter)))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Machine:
    """
    Give one machine's audit architecture and system call numbers (linux/audit.h, asm/unistd.h).
    """

    audit: int
    socket: int
    seccomp: int


_MACHINES: Final = {
    "x86_64": _Machine(audit=0xC000003E, socket=41, seccomp=317),
    "aarch64": _Machine(audit=0xC00000B7, socket=198, seccomp=277),
}
_CLONE_NEWNET: Final = 0x40000000
_PR_SET_NO_NEW_PRIVS: Final = 38
_SECCOMP_SET_MODE_FILTER: Final = 1
_SECCOMP_FILTER_FLAG_TSYNC: Final = 1
# The same number on every machine that has it: a ring can open and connect sockets without the system calls.
_IO_URING_SETUP: Final = 425
_X32_BIT: Final = 0x40000000
_AF_UNIX: Final = 1
_AF_NETLINK: Final = 16
# linux/bpf_common.h, linux/seccomp.h
_LOAD: Final = 0x20
_EQUAL: Final = 0x15
_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_ALLOW: Final = 0x7FFF0000
_ERRNO: Final = 0x00050000
_NUMBER_AT, _ARCH_AT, _FIRST_ARGUMENT_AT = 0, 4, 16

_in_force = Cut(how=How.NONE, detail="nothing was cut")


def sever() -> Cut:
    """
    Cut the calling process and its future children off the network, for good, by the strongest means there is.

    Call it before a thread is started: a namespace holds for the calling thread alone.
    """
    global _in_force  # noqa: PLW0603 - a cut belongs to the process, as its only state
    if _in_force.how is How.NONE:
        _in_force = _strongest()
    return _in_force


def in_force() -> Cut:
    """
    Return the cut that this process, or the one it was forked from, was given.
    """
    return _in_force


def _strongest() -> Cut:
    if sys.platform != "linux":
        return Cut(how=How.NONE, detail=f"{sys.platform} has no means that this harness knows")
    namespace = enter_empty_namespace()
    if namespace is None:
        return Cut(how=How.NAMESPACE)
    seccomp = refuse_sockets()
    if seccomp is None:
        return Cut(how=How.SECCOMP, detail=f"namespace: {namespace}")
    return Cut(how=How.NONE, detail=f"namespace: {namespace}; seccomp: {seccomp}")


def coverage(cut: Cut | None = None) -> str:
    """
    Say in one sentence what a cut covers and what it does not.

    Args:
        cut: the one in force when left out.
    """
    return _COVERAGE[(cut or _in_force).how]


_AGENTS: Final = "a local daemon asked over a Unix socket (nscd, Docker) is not covered"
_COVERAGE: Final = {
    How.NAMESPACE: "Python, its threads, C libraries and child processes have no network at all, loopback included; "
    f"{_AGENTS}.",
    How.SECCOMP: "Python, its threads, C libraries and child processes cannot make a network socket, even to listen; "
    f"{_AGENTS}.",
    How.NONE: "Python's own sockets are refused in every thread and loop; sockets made by C code and child processes "
    "are not covered here.",
}


def enter_empty_namespace() -> str | None:
    """
    Move the process into a network namespace without interfaces; return why that failed, or None.

    Not by way of a user namespace: that would change the user that files seem to belong to.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "unshare"):
        return "the C library lacks unshare"
    if threading.active_count() > 1:
        return "other threads are running"
    if libc.unshare(_CLONE_NEWNET) != 0:
        return os.strerror(ctypes.get_errno())
    return None


def refuse_sockets() -> str | None:
    """
    Make the kernel refuse network sockets to the process and its children; return why that failed, or None.

    `socket(2)` fails with EACCES for every family but AF_UNIX and AF_NETLINK (which stays within the kernel).
    """
    machine = _MACHINES.get(platform.machine())
    if machine is None or struct.calcsize("P") != 8:  # noqa: PLR2004 - bytes of a pointer
        return f"no filter for {platform.machine()}"
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, *(ctypes.c_ulong(n) for n in (1, 0, 0, 0))) != 0:
        return os.strerror(ctypes.get_errno())
    steps = _filter(machine)
    program = _Program(len(steps), (_Filter * len(steps))(*steps))
    arguments = (machine.seccomp, _SECCOMP_SET_MODE_FILTER, _SECCOMP_FILTER_FLAG_TSYNC)
    result = libc.syscall(*(ctypes.c_long(n) for n in arguments), ctypes.byref(program))
    if result == 0:
        return None
    return os.strerror(ctypes.get_errno()) if result < 0 else f"thread {result} could not be brought in"


def _filter(machine: _Machine) -> list[_Filter]:
    # A foreign architecture (32-bit code) numbers its calls differently, so it gets none at all.
    refuse = _Filter(_RETURN, 0, 0, _ERRNO | errno.EACCES)
    allow = _Filter(_RETURN, 0, 0, _ALLOW)
    return [
        _Filter(_LOAD, 0, 0, _ARCH_AT),
        _Filter(_EQUAL, 1, 0, machine.audit),
        refuse,
        _Filter(_LOAD, 0, 0, _NUMBER_AT),
        _Filter(_AT_LEAST, 5, 0, _X32_BIT),
        _Filter(_EQUAL, 5, 0, _IO_URING_SETUP),
        _Filter(_EQUAL, 0, 5, machine.socket),
        _Filter(_LOAD, 0, 0, _FIRST_ARGUMENT_AT),
        _Filter(_EQUAL, 3, 0, _AF_UNIX),
        _Filter(_EQUAL, 2, 0, _AF_NETLINK),
        refuse,
        _Filter(_RETURN, 0, 0, _ERRNO | errno.ENOSYS),
        allow,
    ]


def attempts() -> int:
    """
    Return how often something in this process's namespace tried to leave it past the guard.

    The kernel counts IPv4 packets and connections for which it found no route; 0 where the cut is not a namespace. A
    look-up of no host at all (`getaddrinfo(None, port)`) counts once too.
    """
    if _in_force.how is not How.NAMESPACE:
        return 0
    try:
        lines = Path("/proc/self/net/snmp").read_text().splitlines()
    except OSError:
        return 0
    names, values = (line.split() for line in lines if line.startswith("Ip:"))
    return int(dict(zip(names, values, strict=True))["OutNoRoutes"])

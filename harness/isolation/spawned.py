"""
A host without a zygote, for platforms where forking is missing or unsafe: it runs its cells in turn, in one process.
"""

from __future__ import annotations

import os
import threading

from harness.battery.loop import wait_watch
from harness.isolation import processes
from harness.isolation.host import Cells, serve
from harness.isolation.protocol import Frame, Order, read_frame
from harness.tape import severance


def main(_arguments: list[str]) -> None:
    """
    Take the order, move the channel off the standard streams and serve.
    """
    inbound, outbound = os.dup(0), os.dup(1)
    processes.adopt_orphans()
    os.write(outbound, Frame(kind="host", payload=str(os.getpid()).encode()).encode())
    frame = read_frame(inbound)
    if frame is None:
        return
    order = Order.decode(frame.payload)
    if order.job.mode == "replay":
        # Before there is a second thread, which a network namespace would not hold for.
        severance.sever()
    wait_watch()
    threading.Thread(target=_end_with_parent, args=(inbound,), daemon=True, name="harness-parent").start()
    serve(inbound, outbound, order, Cells.IN_TURN)


def _end_with_parent(inbound: int) -> None:
    os.read(inbound, 1)
    # Those first: the group that is killed next is this process's own.
    for process in processes.descendants(os.getpid()):
        processes.kill(process)
    if hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        processes.kill_group(os.getpid())
    os._exit(1)

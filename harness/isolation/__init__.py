"""
Processes: each adapter runs in one of its own, so that what it does costs only its own cells.

`hosts.Fleet` is what the rest of the harness uses; everything else here runs on the other side of a socket.
"""

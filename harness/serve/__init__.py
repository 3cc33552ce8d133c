"""Recordings served over loopback, for programs in other processes, and the judging of what they logged."""

"""Recordings made elsewhere: whatever shape they have, brought into that of this project's cassettes."""

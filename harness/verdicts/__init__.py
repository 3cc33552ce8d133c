"""What the events of a call mean: pure functions from a log to a judgement."""

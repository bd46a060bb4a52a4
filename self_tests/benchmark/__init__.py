"""The benchmark: what a run of the specification costs, and on what."""

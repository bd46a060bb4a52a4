"""Verdicts, lanes, devices, recordings, bad input, messages: the plugins, run on small projects."""

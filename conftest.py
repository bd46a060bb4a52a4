"""Wires the suite into pytest: the options first, and behind them everything in fixtures/plugins."""

pytest_plugins = ["fixtures.plugins.command_line", "pytester"]

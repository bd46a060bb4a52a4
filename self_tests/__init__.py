"""Tests of the suite itself, and the two ways in which it proves that its claims can fail."""

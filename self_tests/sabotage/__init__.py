"""Sabotage: realistic faults of torch, and for each the claim that must fail."""

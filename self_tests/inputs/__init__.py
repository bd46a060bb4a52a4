"""Mistakes in what people type and edit: each ends in one clear line, with a status of its own."""

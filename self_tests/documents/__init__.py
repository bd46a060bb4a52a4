"""The specification, its documents and its examples belong together and to the installed torch."""

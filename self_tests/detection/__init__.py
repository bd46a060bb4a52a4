"""What the specification detects: the figures, and the page made of them."""

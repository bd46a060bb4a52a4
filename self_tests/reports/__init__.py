"""Reports: what stands in them, how two compare, and what is made of several releases'."""

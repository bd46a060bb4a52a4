"""The foundation tested directly, module by module: distances, assertions, oracles, register, ranges."""

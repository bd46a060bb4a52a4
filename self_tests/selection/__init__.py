"""Makes what fixtures/selection stores, and tests it."""

"""What the self-tests stand on: small projects, cases in processes of their own, code as it is loaded."""

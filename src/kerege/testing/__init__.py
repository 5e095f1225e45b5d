"""The shipped test kit: simulator, signers, vector loader, oracles. Used by tests, benchmarks and the command line."""

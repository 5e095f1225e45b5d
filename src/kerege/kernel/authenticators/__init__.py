"""Kinds of key, one file each: what its signature looks like and when it is good. `kernel.crypto` is their door."""

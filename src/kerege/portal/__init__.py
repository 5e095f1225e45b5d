"""Pages for people: the static verifier here, the services later."""

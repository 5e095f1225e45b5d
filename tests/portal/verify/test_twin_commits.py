"""The verifier's tests of an engine's commit once more, with the page answering each of their questions as well."""

from tests.portal.verify.test_twin_verdicts import both
from tests.proofs.test_commit import *  # noqa: F403

__all__ = ["both"]

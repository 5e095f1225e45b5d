"""The verifier's own tests once more, with the page answering each of their questions as well."""

import pytest

from kerege import proofs
from tests.portal.verify.twin import Case
from tests.proofs.test_forms import (
    test_a_trust_file_that_could_mislead_is_unusable,
    test_what_is_no_trust_file_is_unusable,
)
from tests.proofs.test_replicated import *  # noqa: F403
from tests.proofs.test_verdict import *  # noqa: F403

__all__ = ["test_a_trust_file_that_could_mislead_is_unusable", "test_what_is_no_trust_file_is_unusable"]


@pytest.fixture(autouse=True)
def both(monkeypatch, twin):
    """Write down what the tests ask, and ask the page the same afterwards."""
    asked: list[Case] = []
    alone = proofs.verify

    def verify(bundle, trust, **options):
        asked.append(Case(bundle, trust, **options))
        return alone(bundle, trust, **options)

    monkeypatch.setattr(proofs, "verify", verify)
    yield
    monkeypatch.undo()
    twin.agrees(asked)

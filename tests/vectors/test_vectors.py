"""Every vector file runs on the real machine; an applied one also proves that its events tell what changed.

The vectors of `services` begin with a whole country and have their own runner, in tests/modules/services.
"""

from pathlib import Path

import pytest

from kerege.testing.vectors import Vector, load, run

VECTORS = [v for v in load(Path(__file__).parent) if v.file.parent.name != "services"]


@pytest.mark.parametrize("vector", VECTORS, ids=str)
def test_vector(vector: Vector) -> None:
    """The transaction ends as the file says."""
    run(vector)

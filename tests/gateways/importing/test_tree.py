"""The running root against RFC 6962 over whole lists."""

import pytest

from kerege.gateways.extracts.tree import RunningRoot
from kerege.kernel.merkle import leaf_hashes, root


@pytest.mark.parametrize("size", [0, 1, 2, 3, 7, 8, 9, 100, 257])
def test_the_running_root_is_the_root_of_the_list(size):
    leaves = [number.to_bytes(48, "big") for number in range(size)]
    for step in (1, 3, 8, 300):
        running = RunningRoot()
        for start in range(0, size, step):
            running.extend(leaves[start : start + step])
        assert running.digest() == root(leaf_hashes(leaves))

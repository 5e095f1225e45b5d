"""The trust file: every home has it, also the one of a member that cannot show the first header any more."""

import shutil

import pytest

from kerege.node.network.trusting import trust_network
from kerege.testing.network import create

pytestmark = pytest.mark.engine

KEPT = b"as it was written when the network began"


def test_who_lost_its_trust_file_gets_the_one_that_others_kept(tmp_path):
    network = create(tmp_path, ["somebody"])
    assert not trust_network(network), "no engine runs and nobody has it"
    kept, lost, away, *_ = (network.home(member) for member in network.validators)
    kept.trust.write_bytes(KEPT)
    shutil.rmtree(away.path)
    assert trust_network(network), "no engine need be asked"
    assert lost.trust.read_bytes() == KEPT
    assert network.node is not None
    assert network.home(network.node).trust.read_bytes() == KEPT
    assert not away.path.exists(), "what lies on another machine is not begun here"

"""A legal basis counts as verified only when somebody has read the act and says where and when."""

import pytest

from tools import law

READ = {"act": "On acts of civil status", "article": "18", "url": "https://example.test/act", "read_on": "2026-11-02"}


@pytest.mark.parametrize(
    ("basis", "verified"),
    [
        (READ, True),
        ({**READ, "url": ""}, False),
        ({"act": "On acts of civil status"}, False),
        ({"unverified": True}, False),
        ({**READ, "unverified": True}, False),
        ({**READ, "unverified": "true"}, False),
    ],
)
def test_a_basis_is_verified_only_when_read(basis, verified):
    assert law.is_verified(basis) is verified


def test_bases_are_found_wherever_they_stand():
    form = {"steps": [{"name": "accept", "basis": READ}], "fee": {"basis": {"unverified": True}}}
    assert [path for path, _ in law.bases(form)] == ["/steps/0/basis", "/fee/basis"]

"""Every vector comes out as told, and every message and refusal of the module has one."""

import pytest

from kerege.kernel.errors import Refused
from kerege.kernel.messages import tag_of
from kerege.modules.services import MODULE, errors
from tests.modules.services.vectors import play, vectors

VECTORS = vectors()
ELSEWHERE = {
    "services.20": "an amendment decided by the second step's guard is refused before: test_guards.py",
    "services.44": "tests/nations/test_definition.py",
}
"""Refusals that no single message on the pack's definitions can meet, and where they are tested."""


@pytest.mark.parametrize("vector", [v for _, v in VECTORS], ids=[name for name, _ in VECTORS])
def test_vector(vector):
    play(vector)


@pytest.mark.parametrize("kind", MODULE.handlers, ids=tag_of)
def test_every_message_is_applied_by_a_vector(kind):
    assert any(tag_of(kind) in v["message"] and "post" in v for _, v in VECTORS)


def test_every_refusal_has_a_vector():
    told = {code for _, vector in VECTORS for code in vector.get("refused", {})}
    known = {k.code for k in vars(errors).values() if isinstance(k, type) and issubclass(k, Refused) and k.code}
    assert known - told == set(ELSEWHERE)


def test_every_vector_says_what_it_is_about():
    told = [vector["about"] for _, vector in VECTORS]
    assert all(sentence.endswith(".") for sentence in told)

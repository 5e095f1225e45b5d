"""Pseudonyms: one person another name in every sector, tied together nowhere but here."""

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from kerege.dossiers import errors
from kerege.dossiers.controller import Controller
from tests.dossiers.support import OFFICER


def test_an_account_has_one_person(controller: Controller) -> None:
    person = os.urandom(16)
    assert controller.pseudonyms.holder(OFFICER) is None
    controller.pseudonyms.link_account(person, OFFICER)
    controller.pseudonyms.link_account(person, OFFICER)
    with pytest.raises(errors.DossierExists):
        controller.pseudonyms.link_account(os.urandom(16), OFFICER)
    assert controller.pseudonyms.holder(OFFICER) == person


def test_a_person_has_one_pseudonym_per_sector(controller: Controller) -> None:
    person, pseudonyms = os.urandom(16), controller.pseudonyms
    with ThreadPoolExecutor(6) as pool:
        given = set(pool.map(lambda _: pseudonyms.assign(person, "civil"), range(12)))
    assert len(given) == 1
    civil, tax = given.pop(), pseudonyms.assign(person, "tax")
    assert civil != tax
    assert pseudonyms.find(person, "civil") == civil
    assert pseudonyms.person("civil", civil) == person
    assert pseudonyms.person("tax", civil) is None
    assert pseudonyms.find(person, "health") is None


def test_erasing_identity_unties_everything(controller: Controller) -> None:
    person = os.urandom(16)
    civil = controller.pseudonyms.assign(person, "civil")
    controller.pseudonyms.link_account(person, OFFICER)
    controller.dossiers.erase(person, "identity")
    assert controller.pseudonyms.person("civil", civil) is None
    assert controller.pseudonyms.find(person, "civil") is None
    assert controller.pseudonyms.holder(OFFICER) is None
    with pytest.raises(errors.DossierErased):
        controller.pseudonyms.assign(person, "civil")

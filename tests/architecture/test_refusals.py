"""A refusal's number never changes its meaning, and no two have the same."""

import importlib
import inspect
import pkgutil
import re
from collections import Counter

import pytest

import kerege.kernel
import kerege.modules
from kerege.kernel.errors import NotATransaction, Refused


def _every(kind):
    for package in (kerege.kernel, kerege.modules):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            importlib.import_module(found.name)
    stack = kind.__subclasses__()
    while stack:
        one = stack.pop()
        stack += one.__subclasses__()
        yield one


REFUSALS = sorted({*_every(Refused), *_every(NotATransaction)}, key=lambda kind: (kind.code, kind.__qualname__))
REFUSALS = [kind for kind in REFUSALS if kind.__module__.startswith("kerege.")]


def test_numbers_are_unique():
    assert [code for code, times in Counter(kind.code for kind in REFUSALS).items() if times > 1] == []


@pytest.mark.parametrize("kind", REFUSALS, ids=lambda kind: f"{kind.code}-{kind.__name__}")
def test_a_refusal_is_numbered_after_its_module_and_says_why(kind):
    owner = "kernel" if kind.__module__.startswith("kerege.kernel") else kind.__module__.split(".")[2]
    assert re.fullmatch(rf"{owner}\.([1-9][0-9]*|invariant|internal)", kind.code), kind.code
    assert inspect.getdoc(kind)
    if owner != "kernel":
        assert kind.__module__.startswith(f"kerege.modules.{owner}.errors")
        assert not issubclass(kind, NotATransaction), "only the kernel says what a transaction is"

"""Equal bytes give equal roots: nothing on the pure side depends on machine, process or hash seed."""

import pytest

from tools import pure


@pytest.mark.parametrize("path", list(pure.files()), ids=lambda path: str(path.relative_to(pure.ROOT)))
def test_the_pure_side_says_nothing_banned(path):
    assert pure.findings(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("fee = amount * 0.02", "the float 0.02"),
        ("half = amount / 2", "`/` makes a float"),
        ("amount /= 2", "`/=` makes a float"),
        ("x = float(amount)", "`float()`"),
        ("x = round(amount)", "`round()`"),
        ("x = hash(key)", "`hash()`"),
        ("x = id(key)", "`id()`"),
        ("open('x')", "`open()`"),
        ("import time", "block time is the only time"),
        ("from datetime import date", "days are integers"),
        ("import random", "brought by the message"),
        ("import os.path", "no I/O"),
        ("for x in {1, 2}: pass", "has no order"),
        ("for x in set(names): pass", "has no order"),
        ("y = [x for x in frozenset(names)]", "has no order"),
        ("names = set()\nfor x in names: pass", "`names` has no order"),
        ("names: set[str] = get()\nfor x in names: pass", "`names` has no order"),
        ("def f(a):\n    b = {n for n in a}\n    return list(b)", "`b` has no order"),
        ("y = ','.join({a, b})", "has no order"),
        ("y = [*{a, b}]", "has no order"),
        ("for x in set(a) - set(b): pass", "has no order"),
        ("{a, b}.pop()", "has no order"),
        ("try:\n    f()\nexcept Exception:\n    pass", "swallowed"),
        ("try:\n    f()\nexcept:\n    pass", "swallowed"),
    ],
)
def test_the_reader_finds(source, told):
    assert any(told in finding.text for finding in pure.findings(source))


@pytest.mark.parametrize(
    "source",
    [
        "half = amount // 2",
        "for x in sorted({1, 2}): pass",
        "for x in {'a': 1}: pass",
        "ok = name in {'a', 'b'}",
        "n = len(set(names))",
        "names = set()\nnames = sorted(names)\nfor x in names: pass",
        "try:\n    f()\nexcept Exception:\n    raise",
        "try:\n    f()\nexcept KeyError:\n    pass",
    ],
)
def test_the_reader_leaves_alone(source):
    assert pure.findings(source) == []

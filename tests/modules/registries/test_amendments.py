"""From all public state, receipts and both bundles nobody can tell an adoption from a clerical correction.

Played by the desk on a real ledger with the pack's own examples, so that what is compared is what offices would
really send: everything but random bytes, times and roots must be equal, position by position.
"""

import re
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import pytest

from kerege.kernel.context import Context
from kerege.node.home import Home
from kerege.node.workplace import Workplace, create_dev_home, open_workplace
from kerege.testing.journey import Journey, Played

KINDS = ("clerical", "adoption", "paternity-established")
IDENTIFIER = 16
ADDRESS = re.compile("[0-9a-f]{40}")


class Story:
    """One birth and its amendment, and what the ledger showed of it."""

    def __init__(self, workplace: Workplace, kind: str) -> None:
        self.workplace = workplace
        journey = Journey(workplace)
        journey.receive_blanks(journey.offices["zags"], "ЖТ", 1, 10)
        plain = next(e for e in workplace.pack.service("birth").examples if e.name == "plain")
        example = next(e for e in workplace.pack.service("birth-correction").examples if e.name == kind)
        self.birth = journey.play("birth", plain)
        self.paper = self.birth.papers[0]
        self.before = journey.bundle(*self.paper)
        self.start = workplace.ledger.door.head().height
        self.amended: Played = journey.play("birth-correction", example, self.birth.record)
        self.after = journey.bundle(*self.paper)

    @property
    def ids(self) -> tuple[bytes, bytes]:
        """Old and new id of the record."""
        assert self.birth.record
        assert self.amended.successor
        return self.birth.record, self.amended.successor

    def leaves(self, start: int = 0) -> list[bytes]:
        """Every leaf of the log of the blocks above a height."""
        door = self.workplace.ledger.door
        blocks = [door.block(height) for height in range(start + 1, door.head().height + 1)]
        return [leaf for block in blocks if block is not None for leaf in block.leaves]

    def rows(self) -> dict[str, list[tuple[Any, Any]]]:
        """All state, by table."""
        ctx: Context = self.workplace.ledger.door.context()
        return {
            name: [(key, msgspec.to_builtins(value, builtin_types=(bytes,))) for key, value in ctx.scan(table)]
            for name, table in self.workplace.ledger.machine.modules.tables.items()
        }


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Story]]:
    """Each kind of amendment on a ledger of its own that began alike."""
    with ExitStack() as stack:
        told = {}
        for kind in KINDS:
            home = Home(Path(tmp_path_factory.mktemp(kind)))
            create_dev_home(home, "kg")
            told[kind] = Story(stack.enter_context(open_workplace(home)), kind)
        yield told


def shape(value: Any) -> Any:
    """Random bytes and addresses by their length, times as such; codes, counts and nesting as they are."""
    if isinstance(value, bytes):
        return f"{len(value)} bytes"
    if isinstance(value, str) and ADDRESS.fullmatch(value):
        return "20 bytes in hex"
    if isinstance(value, list | tuple):
        return [shape(each) for each in value]
    if isinstance(value, dict):
        return {name: shape(each) for name, each in value.items()}
    return "a time" if isinstance(value, int) and value > 10**12 else value


@pytest.mark.parametrize("kind", KINDS[1:])
def test_receipts_of_every_kind_have_one_shape(stories: dict[str, Story], kind: str) -> None:
    """The same tags in the same order, the same fields, every field of the same length."""
    clerical, other = (
        [shape(msgspec.msgpack.decode(leaf)) for leaf in stories[each].leaves(stories[each].start)]
        for each in ("clerical", kind)
    )
    assert other == clerical
    tags = [event[0] for leaf in other if leaf[0] == "receipt" for event in leaf[-1]]
    assert "registries.RecordWritten" in tags
    assert "disclosure.AccessGranted" in tags


@pytest.mark.parametrize("kind", KINDS[1:])
def test_leaves_have_the_same_lengths(stories: dict[str, Story], kind: str) -> None:
    """Not even the sizes differ, but where the height has another number of bytes."""
    lengths = {each: [len(leaf) for leaf in stories[each].leaves(stories[each].start)] for each in ("clerical", kind)}
    assert lengths[kind] == lengths["clerical"]


@pytest.mark.parametrize("kind", KINDS[1:])
def test_the_whole_state_has_one_shape(stories: dict[str, Story], kind: str) -> None:
    """Every table has as many rows, and rows of the same shapes."""
    clerical, other = (_state(stories[each]) for each in ("clerical", kind))
    assert other == clerical


def _state(story: Story) -> dict[str, list[str]]:
    """Rows as shapes. Of the rate buckets only their number: how full they are hangs on the time between messages."""
    rows = story.rows()
    rows["accounts.usage"] = [((), ()) for _ in rows["accounts.usage"]]
    return {name: sorted(repr(shape(row)) for row in held) for name, held in rows.items()}


@pytest.mark.parametrize("kind", KINDS[1:])
def test_both_bundles_have_one_shape(stories: dict[str, Story], kind: str) -> None:
    """The bundle before the amendment and the one after it: the same members, receipts of the same shape."""
    for name in ("before", "after"):
        clerical, other = (msgspec.json.decode(getattr(stories[each], name)) for each in ("clerical", kind))
        assert list(other) == list(clerical)
        assert len(other["receipt"]) == len(clerical["receipt"])


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_public_names_both_the_old_and_the_new_id(stories: dict[str, Story], kind: str) -> None:
    """No receipt, no row, no transaction, no bundle."""
    story = stories[kind]
    old, new = story.ids
    door = story.workplace.ledger.door
    blocks = [door.block(height) for height in range(1, door.head().height + 1)]
    transactions = [raw for block in blocks if block is not None for raw in block.transactions]
    for public in (*story.leaves(), *transactions, story.before, story.after):
        assert not (_names(public, old) and _names(public, new))
    assert all(not {old, new} <= set(_bytes_in(row)) for held in story.rows().values() for row in held)
    assert any(_names(leaf, old) for leaf in story.leaves())
    assert any(_names(leaf, new) for leaf in story.leaves())


@pytest.mark.parametrize("kind", KINDS)
def test_no_other_bytes_tie_the_new_version_to_the_old(stories: dict[str, Story], kind: str) -> None:
    """What the receipts and rows of both say of them shares no identifier, commitment, blind or key.

    But for the officials who acted, with their posts, and the nulls.
    """
    story = stories[kind]
    old, new = story.ids
    receipts = [set(_bytes_in(msgspec.msgpack.decode(leaf))) for leaf in story.leaves()]
    first = set().union(*(leaf for leaf in receipts if old in leaf))
    second = set().union(*(leaf for leaf in receipts if new in leaf))
    posts = {part for key, value in story.rows()["authority.appointment"] for part in (key, *_bytes_in(value))}
    assert second - {new}
    assert first & second - posts - {bytes(IDENTIFIER)} == set()


def _names(public: bytes, identifier: bytes) -> bool:
    return identifier in public or identifier.hex().encode() in public


def _bytes_in(value: Any) -> Iterator[bytes]:
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _bytes_in(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from _bytes_in(each)

"""What the network benchmark hands in: transfers and imported records, each the first of its sender's lane."""

import os
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial

from nacl.signing import SigningKey

from benchmarks.chains import Load
from kerege.consensus import parcels
from kerege.consensus.embedded import wall_clock
from kerege.gateways.extracts.births import REGISTRY
from kerege.kernel.messages import Message
from kerege.kernel.transaction import Body
from kerege.modules.bank.messages import Transfer
from kerege.modules.registries.keeper import FIRST_EPOCH
from kerege.modules.registries.messages import BeginImport, ImportRecords
from kerege.modules.registries.types import ImportedDraft
from kerege.testing import names
from kerege.testing.network import CURRENCY, HOUR, LEDGER

LANES = 16
PROCESSES = 2
IN_PARCELS = 256
"""Transfers of one parcel."""
RECORDS = 100
"""Records of one signed transaction."""
OFFICE, ROLE = "registry-1", "import-officer"
IMPORT = bytes(16)


def people_for(transfers: int) -> list[str]:
    """So many senders that each transfer is the first of its lane: no order among them."""
    return [f"person-{number}" for number in range(-(-transfers // LANES))]


def transfers(people: Sequence[str], count: int) -> list[bytes]:
    """Signed transfers."""
    until = wall_clock() + HOUR
    with ProcessPoolExecutor(PROCESSES) as pool:
        made = list(pool.map(partial(_some, people, until, count), range(PROCESSES)))
    return [raw for part in made for raw in part]


def _some(people: Sequence[str], until: int, count: int, part: int) -> list[bytes]:
    return [_transfer(people, number, until) for number in range(part, count, PROCESSES)]


def _transfer(people: Sequence[str], number: int, until: int) -> bytes:
    sender = people[number // LANES]
    receiver = people[(number * 7 + 1) % len(people)]
    message = Transfer(names.address(receiver if receiver != sender else people[0]), CURRENCY, 1)
    return _signed(sender, number % LANES, 0, until, message)


def in_parcels(gateway: SigningKey, raws: Sequence[bytes], each: int = IN_PARCELS) -> Load:
    """The same in parcels, as a node packs them."""
    made = wall_clock()
    cut = [raws[at : at + each] for at in range(0, len(raws), each)]
    return Load([parcels.pack(bytes(gateway), LEDGER, made, some) for some in cut], each)


def officers_for(records: int) -> list[str]:
    """Import officers, as many as have a lane for each transaction and one for the import itself."""
    return [f"officer-{number}" for number in range(1 + records // RECORDS // LANES)]


def beginning(officers: Sequence[str]) -> bytes:
    """The transaction that begins the import."""
    until = wall_clock() + HOUR
    return _signed(officers[0], 0, 0, until, BeginImport(OFFICE, IMPORT, REGISTRY, os.urandom(32), os.urandom(16)))


def records(officers: Sequence[str], count: int) -> Load:
    """Records of an old registry, in transactions of so many, as an import sends them."""
    until = wall_clock() + HOUR
    raws = []
    for number in range(1, count // RECORDS + 1):
        drafts = [
            ImportedDraft(os.urandom(16), os.urandom(32), os.urandom(32), [os.urandom(32), os.urandom(32)], OFFICE)
            for _ in range(RECORDS)
        ]
        message = ImportRecords(OFFICE, IMPORT, drafts, FIRST_EPOCH, os.urandom(16))
        raws.append(_signed(officers[number // LANES], number % LANES, 0, until, message))
    return Load(raws, RECORDS)


def _signed(who: str, lane: int, sequence: int, until: int, message: Message) -> bytes:
    signer = names.signer(who)
    return signer.transaction(Body(LEDGER, signer.address, lane, sequence, until, os.urandom(16), [message]))

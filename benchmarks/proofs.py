"""Proof bundles at a million entries: size, making, verifying: `python -m benchmarks.proofs [--json] [--quick]`.

A real certificate's receipt stands in a log of a million leaves, its row in a state tree of a million keys; the other
leaves and keys are random. Sizes depend on the depth of both only.
"""

import os
import statistics
import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from benchmarks.common import run, say
from kerege import proofs
from kerege.consensus.checkpoints import CheckpointKey, origin_of
from kerege.kernel import merkle
from kerege.kernel.codec import encode
from kerege.kernel.log import Log
from kerege.kernel.machine import module_leaf
from kerege.kernel.receipts import ONE_OPERATOR, BlockRecord, Receipt
from kerege.kernel.tree import StateTree, make_tree
from kerege.modules import MODULES
from kerege.modules.registries.events import CertificateIssued
from kerege.modules.registries.state import CERTIFICATES
from kerege.modules.registries.types import Certificate, CertificateKind, CertificateStatus

LEDGER, TIME, HEIGHT = "kg-bench", 1_795_000_000_000, 4_321
ROUNDS = 200


def measure(quick: bool, size: int | None) -> dict[str, Any]:  # noqa: FBT001 - the benchmarks' one signature
    """All figures of one run."""
    entries = size or (200_000 if quick else 1_000_000)
    certificate = os.urandom(16)
    event = CertificateIssued(
        certificate, os.urandom(16), 1, CertificateKind.PRIMARY, os.urandom(32), os.urandom(32), "birth",
        "ЗАГС-708203", "registrar", os.urandom(16), TIME, os.urandom(16),
    )  # fmt: skip
    receipt = encode(Receipt(os.urandom(32), os.urandom(32), HEIGHT, TIME, "", [], [event]))
    row = Certificate(
        event.record, 1, event.kind, CertificateStatus.VALID, TIME, event.blind, event.office, event.blank
    )
    key, value = CERTIFICATES.encode_key(certificate), CERTIFICATES.encode_value(row)
    say(f"a state tree of {entries} keys")
    tree = _tree(entries, key, value)
    roots = [tree.root if m.name == "registries" else sha256(m.name.encode()).digest() for m in MODULES]
    leaves = merkle.leaf_hashes([module_leaf(m.name, r) for m, r in zip(MODULES, roots, strict=True)])
    record = encode(BlockRecord(HEIGHT, TIME, merkle.root(leaves), ONE_OPERATOR))
    say(f"a log of {entries} leaves")
    index = entries // 3
    log = _log(entries, index, receipt, record)
    keys = [CheckpointKey(f"{origin_of(LEDGER)}/{n}", os.urandom(32)) for n in ("one", "three", "two")]
    position = [m.name for m in MODULES].index("registries")

    def plain() -> bytes:
        return proofs.make(LEDGER, receipt, index, _note(log, keys[:1]), log.inclusion_path(index))

    def full() -> bytes:
        path = tree.prove(sha256(key).digest())
        siblings = [path.siblings[at : at + 32] for at in range(0, len(path.siblings), 32)]
        state = proofs.StateProof(position, len(leaves), merkle.inclusion_path(leaves, position), siblings, value)
        paths = log.multi_path([index, entries - 1])
        return proofs.make(LEDGER, receipt, index, _note(log, keys), paths, record=record, state=state)

    trust_one, trust_three = _trust(keys[:1], 1), _trust(keys, 3)
    small, large = plain(), full()
    for bundle, trust in ((small, trust_one), (large, trust_three)):
        verdict = proofs.verify(bundle, trust, now=TIME + 1_000)
        if verdict.exit not in {0, 3}:
            raise RuntimeError(verdict.lines())
    return {
        "quick": quick,
        "log_entries": entries,
        "state_keys": entries,
        "modules": len(MODULES),
        "receipt_bytes": len(receipt),
        "bundle_bytes_log_path_one_signature": len(small),
        "bundle_bytes_state_path_three_signatures": len(large),
        "made_ms_median": _median(full),
        "made_ms_median_log_only": _median(plain),
        "verified_ms_median": _median(lambda: proofs.verify(large, trust_three, now=TIME + 1_000)),
        "verified_ms_median_log_only": _median(lambda: proofs.verify(small, trust_one, now=TIME + 1_000)),
        "within_2000_bytes": len(small) <= 2_000,
        "within_3500_bytes": len(large) <= 3_500,
        "reasons": {},
    }


def _tree(entries: int, key: bytes, value: bytes) -> StateTree:
    tree = make_tree()
    random = os.urandom(64 * (entries - 1))
    chunk = 64 * 50_000
    tree.load((random[at : at + chunk] for at in range(0, len(random), chunk)), HEIGHT - 1)
    tree.update([(key, value)])
    tree.commit(HEIGHT)
    return tree


def _log(entries: int, index: int, receipt: bytes, record: bytes) -> Log:
    tiles: dict[tuple[int, int], bytes] = {}
    log = Log(0, lambda level, number: tiles[level, number])
    for start in range(0, entries, 50_000):
        stop = min(start + 50_000, entries)
        random = os.urandom(32 * (stop - start))
        hashes = [random[at : at + 32] for at in range(0, len(random), 32)]
        for place, leaf in ((index, receipt), (entries - 1, record)):
            if start <= place < stop:
                hashes[place - start] = merkle.leaf_hash(leaf)
        log.append(hashes)
        written = log.pending_tiles()
        tiles.update(written)
        log.stored(written)
    return log


def _note(log: Log, keys: list[CheckpointKey]) -> str:
    body = proofs.note.checkpoint_body(origin_of(LEDGER), log.size, log.root())
    return proofs.note.assemble(body, [(k.name, k.public, k.sign(body)) for k in keys])


def _trust(keys: list[CheckpointKey], threshold: int) -> bytes:
    trusted = [proofs.TrustedKey(key.name, key.public, 0, None) for key in keys]
    return proofs.trust.make(
        ledger=LEDGER, genesis=bytes(32), origin=origin_of(LEDGER), threshold=threshold, keys=trusted
    )


def _median(call: Callable[[], object]) -> float:
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return round(statistics.median(times) * 1_000, 3)


def main() -> None:
    """Run from the command line."""
    run("proofs", measure)


if __name__ == "__main__":
    main()

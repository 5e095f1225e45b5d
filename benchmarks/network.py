"""Four validators on one host, beside the engine's own `kvstore`: `python -m benchmarks.network`, after `make engine`.

The same engine with the same settings for both, transactions of the same size, handed in over the validators' own RPC
with a bound on what is in flight. `kvstore` checks no signature and keeps no state root; here every validator verifies
every signature, executes, and comes to the same root. *Singly* a transfer is one transaction of the engine; *in
parcels*, as nodes hand them in, some hundreds are; *records* come a hundred to a signed transaction.

All share this machine's processors: what each part used of them stands beside the rates, of all validators together
for a run, of one for the shares.
"""

import json
import os
import statistics
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Any, NamedTuple

from nacl.signing import SigningKey

from benchmarks import engine as one_engine
from benchmarks import loads
from benchmarks.chains import IN_FLIGHT, TWENTY_MS, Chain, Load, Result, alone, drive, folder, rest, steadily
from benchmarks.common import run, say
from benchmarks.shares import embedded_per_s, shares
from kerege.node.network.homes import lay_out
from kerege.testing.network import (
    LEDGER,
    VALIDATORS,
    Running,
    founding_of,
    genesis_of_people,
    offer_all,
    plain_commands,
)
from tools.engine import DEFAULT, binary, installed

WAYS = ("singly", "in_parcels", "records")
MANY = 2 * IN_FLIGHT
"""In flight where one block takes that many: few bytes of the engine each."""
OF_ONE = 22_000
"""In flight at one validator: a block that is decided, one that waits in full, and what is on its way; half of what the
embedded engine is given ahead."""


class Samples(NamedTuple):
    """How long finality is measured under load, and how often for lone transactions."""

    seconds: int
    lone: int
    idle: int


BRIEF, QUICK, FULL = Samples(2, 2, 1), Samples(6, 15, 4), Samples(20, 40, 8)
PARTS = ("engine", "application", "client")


def measure(quick: bool, size: int | None) -> dict[str, Any]:  # noqa: FBT001 - the benchmarks' one signature
    """All figures of one run."""
    count = size or (16_000 if quick else 64_000)
    figures: dict[str, Any] = {
        "quick": quick,
        "engine": f"CometBFT {DEFAULT}",
        "validators": len(VALIDATORS),
        "processors": os.cpu_count(),
        "transfers": count,
        "finality": "a block of four validators, in the store of the one that is asked",
    }
    if DEFAULT not in installed():
        reason = f"CometBFT {DEFAULT} is not in .tools: make engine"
        return {**figures, **dict.fromkeys(GIVEN), "reasons": dict.fromkeys(GIVEN, reason)}
    say(f"signing {2 * count} transfers")
    people = loads.people_for(2 * count)
    signed = loads.transfers(people, 2 * count)
    gateway = SigningKey(os.urandom(32))
    figures["transaction_bytes"] = len(signed[0])
    kvstore = _kvstore(count, len(signed[0]))
    figures |= {"kvstore_per_s": round(kvstore.per_s), "kvstore_engine_us": round(kvstore.engine_us)}
    figures |= _four(people, gateway, signed, kvstore)
    samples = BRIEF if size else (QUICK if quick else FULL)
    figures |= _latencies(people, gateway, signed, figures["in_parcels_per_s"] / 2, samples)
    figures |= _records(size or (20_000 if quick else 60_000), gateway)
    figures |= _one(people, gateway, signed)
    figures |= _parts(people, signed[: 20 * 2_000])
    figures |= _empty(5_000 if size else (10_000 if quick else 40_000))
    return {**figures, "machine_load": round(os.getloadavg()[0], 2), "reasons": {}}


GIVEN = (
    *("transaction_bytes", "kvstore_per_s", "kvstore_engine_us"),
    *(
        f"{way}_{what}"
        for way in ("singly", "in_parcels", "records")
        for what in ("per_s", *(f"{p}_us" for p in PARTS))
    ),
    *("singly_of_kvstore", "in_parcels_of_kvstore", "of_kvstore"),
    *("half_load_per_s", "half_load_median_s", "half_load_p95_s", "lone_ms_median", "after_idling_ms_median"),
    *("one_validator_per_s", "embedded_per_s", "one_validator_of_embedded"),
    *("finalize_2000_ms_median", "signatures_us", "execution_us", "tree_us", "storage_us"),
    "empty_python_of_kvstore",
)
"""What needs the engine."""


def _named(way: str, found: Result) -> dict[str, int]:
    parts = {f"{way}_{part}_us": round(getattr(found, f"{part}_us")) for part in PARTS}
    say(f"{way}: {found.per_s:.0f}/s")
    return {f"{way}_per_s": round(found.per_s), **parts}


def _four(people: Sequence[str], gateway: SigningKey, signed: Sequence[bytes], kvstore: Result) -> dict[str, Any]:
    """Saturated, singly and in parcels, on one chain."""
    half = len(signed) // 2
    with _network(people, gateway) as running:
        singly = _saturate(running, Load(list(signed[:half]), 1))
        inside = _saturate(running, loads.in_parcels(gateway, signed[half:]))
    ratios = {
        "singly_of_kvstore": round(singly.per_s / kvstore.per_s, 3),
        "in_parcels_of_kvstore": round(inside.per_s / kvstore.per_s, 3),
        "of_kvstore": round(max(singly.per_s, inside.per_s) / kvstore.per_s, 3),
    }
    return {**_named("singly", singly), **_named("in_parcels", inside), **ratios}


def _latencies(
    people: Sequence[str], gateway: SigningKey, signed: Sequence[bytes], rate: float, samples: Samples
) -> dict[str, Any]:
    """Finality at half of the load, and of a lone transaction while the last block is young and after idling."""
    each = max(1, round(rate * TWENTY_MS))
    wanted = min(len(signed) - 100, int(rate * samples.seconds))
    with _network(people, gateway) as running:
        chain = Chain(running.network)
        rest()
        taken = sorted(steadily(chain, loads.in_parcels(gateway, signed[:wanted], each).raws))
        spare = iter(signed[-100:])
        lone, idle = [], []
        for _ in range(samples.lone):
            rest(0.7)
            lone.append(alone(chain, next(spare)))
        for _ in range(samples.idle):
            rest(6)
            idle.append(alone(chain, next(spare)))
    return {
        "half_load_per_s": round(each / TWENTY_MS),
        "half_load_median_s": round(statistics.median(taken), 3),
        "half_load_p95_s": round(taken[int(0.95 * len(taken))], 3),
        "lone_ms_median": round(1_000 * statistics.median(lone)),
        "after_idling_ms_median": round(1_000 * statistics.median(idle)),
    }


def _records(count: int, gateway: SigningKey) -> dict[str, Any]:
    """An old registry through four validators."""
    officers = loads.officers_for(count)
    posts = dict.fromkeys(officers, (loads.ROLE, loads.OFFICE))
    with _network([], gateway, posts) as running:
        alone(Chain(running.network), loads.beginning(officers))
        return _named("records", _saturate(running, loads.records(officers, count), MANY))


def _one(people: Sequence[str], gateway: SigningKey, signed: Sequence[bytes]) -> dict[str, Any]:
    """One validator beside the embedded engine."""
    with _network(people, gateway, validators=VALIDATORS[:1]) as running:
        one = _saturate(running, loads.in_parcels(gateway, signed), OF_ONE)
    alike = embedded_per_s(genesis_of_people(LEDGER, people), signed)
    say(f"one validator: {one.per_s:.0f}/s, embedded: {alike:.0f}/s")
    return {
        "one_validator_per_s": round(one.per_s),
        "embedded_per_s": round(alike),
        "one_validator_of_embedded": round(one.per_s / alike, 3),
    }


def _parts(people: Sequence[str], signed: Sequence[bytes]) -> dict[str, Any]:
    told = asdict(shares(genesis_of_people(LEDGER, people), signed))
    finalize = told.pop("finalize_ms")
    return {"finalize_2000_ms_median": round(finalize, 1), **{name: round(value, 1) for name, value in told.items()}}


def _empty(transactions: int) -> dict[str, Any]:
    """An application that does nothing, in Python, beside the engine's own: `benchmarks.engine` in short."""
    found = one_engine.measure(quick=True, size=transactions)
    return {"empty_python_of_kvstore": found["python_of_kvstore"]}


# The networks


@contextmanager
def _network(
    people: Sequence[str],
    gateway: SigningKey,
    posts: dict[str, tuple[str, str]] | None = None,
    validators: Sequence[str] = VALIDATORS,
) -> Iterator[Running]:
    """Validators as `kerege network` runs them, without the node beside them."""
    with folder() as made:
        offers = offer_all(made, validators)
        genesis = genesis_of_people(LEDGER, people, offers, [gateway], posts)
        with Running(lay_out(made, founding_of(genesis, offers)), plain_commands) as running:
            yield running


def _saturate(running: Running, load: Load, in_flight: int = IN_FLIGHT) -> Result:
    """As fast as they take it."""
    pairs = [running.pair(member.name).processes() for member in running.network.validators]
    return drive(running.network, load, [pair[1] for pair in pairs], [pair[0] for pair in pairs], in_flight)


def _kvstore(count: int, size: int) -> Result:
    """The engine's own application, inside its process, with the same settings."""
    raws = [b"%016d=%s" % (number, os.urandom(size)[: (size - 17) // 2].hex().encode()) for number in range(count)]
    load = Load([raw.ljust(size, b"x")[:size] for raw in raws], 1)
    with folder() as made, ExitStack() as stack:
        offers = offer_all(made, VALIDATORS)
        network = lay_out(made, founding_of(genesis_of_people(LEDGER, [], offers), offers))
        processes = []
        for member in network.members:
            home = network.engine(member)
            file = home / "config" / "genesis.json"
            file.write_text(json.dumps({**json.loads(file.read_text()), "app_state": {}}))
            command = [str(binary()), "start", "--home", str(home), "--proxy_app", "kvstore", "--log_level", "error"]
            quiet = subprocess.DEVNULL
            process = stack.enter_context(subprocess.Popen(command, stdout=quiet, stderr=quiet))
            stack.callback(process.kill)
            processes.append(process.pid)
        found = drive(network, load, processes, [])
    say(f"kvstore: {found.per_s:.0f}/s")
    return found


def main() -> None:
    """Run from the command line."""
    run("network", measure)


if __name__ == "__main__":
    main()

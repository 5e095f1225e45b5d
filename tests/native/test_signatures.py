"""Ed25519 in native batches: the same verdicts as one by one, on honest, wrong and odd signatures."""

import json
import threading
from hashlib import sha256
from pathlib import Path

import pytest
from nacl.signing import SigningKey

native = pytest.importorskip("kerege_native", reason="kerege_native is not installed")

SPECCHECK = Path(__file__).parents[3] / "shared/vectors/ed25519/speccheck.json"

# Verdicts by ZIP 215 on novifinancial/ed25519-speccheck, cases 0 to 11, as its table gives them for `zebra`: points of
# small and mixed order and other encodings of a point are accepted; refused are s ≥ L (6, 7) and a signature that holds
# only where R is made canonical before it is hashed (8). The plain check in kernel/authenticators agrees.
ZIP_215 = [True] * 6 + [False] * 3 + [True] * 3


@pytest.fixture
def verifier():
    verifier = native.BatchVerifier(2)
    yield verifier
    verifier.close()


def claims(count: int) -> list[tuple[bytes, bytes, bytes]]:
    made = []
    for number in range(count):
        payload = sha256(number.to_bytes(4, "big")).digest() * (1 + number % 7)
        key = SigningKey(sha256(b"key" + bytes([number % 50])).digest())
        made.append((bytes(key.verify_key), payload, key.sign(payload).signature))
    return made


def spoilt(claim: tuple[bytes, bytes, bytes], how: int) -> tuple[bytes, bytes, bytes]:
    key, payload, signature = claim
    return [
        (key, payload + b"x", signature),
        (key, payload, bytes([signature[0] ^ 1]) + signature[1:]),
        (key, payload, signature[:63]),
        (key[:31], payload, signature),
        (b"\xff" * 32, payload, signature),
        (key, payload, signature[:32] + b"\xff" * 32),
        (b"", b"", b""),
    ][how]


def test_refusals(verifier):
    with pytest.raises(ValueError):
        native.BatchVerifier(0)
    with pytest.raises(LookupError):
        verifier.collect(1)
    with pytest.raises(LookupError):
        verifier.done(1)
    with pytest.raises(TypeError):
        verifier.submit([("text", b"", b"")])
    verifier.close()
    verifier.close()
    with pytest.raises(RuntimeError):
        verifier.submit(claims(1))


@pytest.mark.parametrize("count", [0, 1, 95, 256, 257, 600])
def test_good_signatures(verifier, count):
    ticket = verifier.submit(claims(count))
    assert verifier.collect(ticket) == b"\1" * count
    with pytest.raises(LookupError):
        verifier.collect(ticket)


def test_each_bad_signature_is_found_and_harms_no_other(verifier):
    batch = claims(600)  # three times 200, which is checked in groups of 16 where it fails
    bad = {3: 0, 4: 1, 15: 4, 16: 5, 199: 6, 200: 0, 399: 2, 400: 3, 599: 1}
    for place, how in bad.items():
        batch[place] = spoilt(batch[place], how)
    verdicts = verifier.collect(verifier.submit(batch))
    assert {place for place, good in enumerate(verdicts) if not good} == set(bad)
    assert verdicts == bytes(native.verify(*claim) for claim in batch)


def test_tickets_are_answered_in_any_order(verifier):
    batch = claims(130)
    batch[7] = spoilt(batch[7], 0)
    tickets = [(number, verifier.submit(batch[number : number + 70])) for number in (0, 5, 20, 60)]
    for number, ticket in reversed(tickets):
        expected = bytearray(b"\1" * 70)
        if number <= 7:
            expected[7 - number] = 0
        assert verifier.collect(ticket) == expected


def test_odd_signatures_get_the_verdict_of_zip_215_singly_and_in_batches(verifier):
    if not SPECCHECK.exists():
        pytest.skip("../shared/vectors/ed25519 is absent")
    cases = [
        tuple(bytes.fromhex(case[part]) for part in ("pub_key", "message", "signature"))
        for case in json.loads(SPECCHECK.read_text())
    ]
    assert [native.verify(*case) for case in cases] == ZIP_215
    assert list(verifier.collect(verifier.submit(cases))) == ZIP_215
    for number in (15, 63, 255):  # few points and many are summed up in different ways
        good = claims(number)
        for case, verdict in zip(cases, ZIP_215, strict=True):
            assert verifier.collect(verifier.submit([*good, case])) == b"\1" * number + bytes([verdict])


def test_waiting_lets_other_threads_run(verifier):
    ticket = verifier.submit(claims(300) * 20)
    ran = threading.Event()
    other = threading.Thread(target=ran.set)
    collecting = threading.Thread(target=verifier.collect, args=(ticket,))
    collecting.start()
    other.start()
    other.join(5)
    assert ran.is_set()
    collecting.join(30)
    assert not collecting.is_alive()


def test_closing_finishes_what_is_queued():
    verifier = native.BatchVerifier(1)
    ticket = verifier.submit(claims(500))
    verifier.close()
    assert verifier.done(ticket)
    assert verifier.collect(ticket) == b"\1" * 500

"""One fixed story through the machine: the same app hash on every machine and every Python.

`python -m kerege.testing.scenario --root` prints it; `tools/versions.py` compares what 3.11, 3.12 and 3.13 print.
"""

import argparse
import sys
from collections.abc import Callable
from hashlib import sha256

from kerege.kernel.codec import encode
from kerege.kernel.messages import Message
from kerege.modules.accounts.messages import AddKey, CloseAccount, SetGuardians
from kerege.modules.authority.messages import Approve, Propose, SetRole
from kerege.modules.authority.rules import proposal_content
from kerege.modules.bank.messages import CaptureHold, Issue, PlaceHold, RegisterCurrency, Transfer
from kerege.modules.disclosure.messages import GiveConsent, RequestAccess
from kerege.modules.policy.messages import SetParameter
from kerege.modules.policy.types import LegalBasis
from kerege.testing import names, vectors
from kerege.testing.ledger import HOUR, Simulator

PEOPLE = tuple(f"person {number}" for number in range(40))
ROUNDS = 30


def counted() -> Callable[[int], bytes]:
    """Bytes that look random and come in the same order everywhere."""
    count = 0

    def draw(length: int) -> bytes:
        nonlocal count
        count += 1
        return sha256(f"kerege/scenario/{count}".encode()).digest()[:length]

    return draw


def tell() -> Simulator:
    """Play the story; returns the ledger as it stands at the end."""
    ledger = Simulator(random=counted())
    people = ("alice", "bob", *PEOPLE)
    ledger.write(vectors.setting({"sender": "alice", "board": "government"}, ledger, people=people))
    ledger.advance(1)
    _decide(ledger, RegisterCurrency("KGS", 2, "government"), SetRole("notary", []))
    _decide(ledger, *(Issue(names.address(person), "KGS", 1_000_000) for person in PEOPLE[:30]))
    basis = [LegalBasis("", "", "", None, unverified=True)]
    _decide(ledger, SetParameter("test.days", 5, ledger.time + HOUR, None, basis))
    for number in range(ROUNDS):
        ledger.advance(HOUR // 4)
        ledger.run([ledger.transaction(person, [_message(number, at)]) for at, person in enumerate(PEOPLE)])
    return ledger


def _decide(ledger: Simulator, *messages: Message) -> None:
    proposal = sha256(encode([encode(m) for m in messages])).digest()[:16]
    ledger.advance(60_000)
    for part in range(0, len(messages), 16):
        raws, expires = [encode(m) for m in messages[part : part + 16]], ledger.time + HOUR
        identifier = bytes([part]) + proposal[1:]
        ledger.send("alice", Propose(identifier, "government", raws, expires))
        ledger.send("bob", Approve(identifier, proposal_content("government", raws, expires)))


def _message(number: int, at: int) -> Message:
    """What one person sends in one round; some of it is refused."""
    target = names.address(PEOPLE[(at * 7 + number) % len(PEOPLE)])
    name = names.random_like(f"{number}/{at // 2}", 16)
    match (number + at) % 8:
        case 0:
            return PlaceHold(name, target, "KGS", 10 + at, 1_799_000_000_000)
        case 1:
            return CaptureHold(name, 5)
        case 2:
            return AddKey(1, names.signer(f"device {number}/{at}").key)
        case 3:
            return SetGuardians([target], 1)
        case 4:
            return GiveConsent(name, names.random_like(f"{number}", 32), bytes(16))
        case 5 if number > ROUNDS - 3:
            return CloseAccount()
        case 6:
            return RequestAccess(name, name, "ЗАГС-1", "test", [bytes(32)], ["child.surname"], bytes(16))
        case _:
            return Transfer(target, "KGS", 1 + number * at)


def main() -> int:
    """Print the app hash at the end."""
    parser = argparse.ArgumentParser(description="A fixed story; prints the app hash it ends with.")
    parser.add_argument("--root", action="store_true", help="print the app hash alone")
    parser.parse_args()
    ledger = tell()
    head = ledger.machine.head
    broken = ledger.machine.full_invariants()
    if head is None or broken:
        sys.stderr.write(f"these truths do not hold: {', '.join(broken)}\n")
        return 1
    sys.stdout.write(head.app_hash.hex() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Signed value transfers of an EVM chain (EIP-155), made beforehand: anvil is asked to execute, not to sign."""

import json
from concurrent.futures import ProcessPoolExecutor
from hashlib import sha256
from pathlib import Path

from coincurve import PrivateKey

from benchmarks.common import PROCESSES
from kerege.kernel.authenticators.keccak import keccak

CHAIN = 31_337
GAS, GAS_PRICE = 21_000, 2_000_000_000
SENDERS = 1_000
RECEIVER = bytes([0x11]) * 20
_BALANCE = hex(10**24)


def genesis(path: Path) -> None:
    """A chain in which all senders have money."""
    alloc = {f"0x{_address(_key(number)).hex()}": {"balance": _BALANCE} for number in range(SENDERS)}
    chain = {
        "config": {"chainId": CHAIN},
        "difficulty": "0x0",
        "gasLimit": hex(3_000_000_000),
        "alloc": alloc,
    }
    path.write_text(json.dumps(chain))


def signed_transfers(count: int) -> list[str]:
    """Raw transactions as hex; the senders take turns, each with its nonces in order."""
    parts = [range(start, min(start + 1_000, count)) for start in range(0, count, 1_000)]
    with ProcessPoolExecutor(PROCESSES) as pool:
        return [raw for part in pool.map(_sign, parts) for raw in part]


def _key(number: int) -> PrivateKey:
    return PrivateKey(sha256(f"kerege/evm/{number}".encode()).digest())


def _address(key: PrivateKey) -> bytes:
    return keccak(key.public_key.format(compressed=False)[1:])[12:]


def _sign(numbers: range) -> list[str]:
    signed = []
    for number in numbers:
        fields: list[bytes | int] = [number // SENDERS, GAS_PRICE, GAS, RECEIVER, 1, b""]
        digest = keccak(_rlp([*fields, CHAIN, 0, 0]))
        signature = _key(number % SENDERS).sign_recoverable(digest, hasher=None)
        r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:64])
        signed.append("0x" + _rlp([*fields, 2 * CHAIN + 35 + signature[64], r, s]).hex())
    return signed


def _rlp(items: list[bytes | int]) -> bytes:
    """Recursive Length Prefix of a list of byte strings and numbers (Ethereum Yellow Paper, appendix B)."""
    body = b"".join(map(_item, items))
    return _prefix(0xC0, len(body)) + body


def _item(item: bytes | int) -> bytes:
    raw = item.to_bytes((item.bit_length() + 7) // 8) if isinstance(item, int) else item
    return raw if len(raw) == 1 and raw[0] < 0x80 else _prefix(0x80, len(raw)) + raw


def _prefix(base: int, length: int) -> bytes:
    if length < 56:
        return bytes([base + length])
    size = length.to_bytes((length.bit_length() + 7) // 8)
    return bytes([base + 55 + len(size)]) + size

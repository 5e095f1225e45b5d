"""A fork as a file: both headers with their votes, in the engine's own forms, for whoever must judge it."""

from .. import canonical, text
from . import moments
from .block import BlockId, Flag, Header, LightBlock, Validator
from .outcome import Forked

FORMAT = "kerege-fork/1"


def _hex(data: bytes) -> str:
    return data.hex().upper()


def _block_id(block: BlockId) -> dict[str, object]:
    return {"hash": _hex(block.hash), "parts": {"total": block.parts, "hash": _hex(block.parts_hash)}}


def _header(header: Header) -> dict[str, object]:
    return {
        "version": {"block": str(header.version), "app": str(header.app_version)},
        "chain_id": header.chain,
        "height": str(header.height),
        "time": moments.write(header.time),
        "last_block_id": _block_id(header.last_block),
        "last_commit_hash": _hex(header.last_commit_hash),
        "data_hash": _hex(header.data_hash),
        "validators_hash": _hex(header.validators_hash),
        "next_validators_hash": _hex(header.next_validators_hash),
        "consensus_hash": _hex(header.consensus_hash),
        "app_hash": _hex(header.app_hash),
        "last_results_hash": _hex(header.last_results_hash),
        "evidence_hash": _hex(header.evidence_hash),
        "proposer_address": _hex(header.proposer),
    }


def _commit(block: LightBlock) -> dict[str, object]:
    return {
        "height": str(block.commit.height),
        "round": block.commit.round,
        "block_id": _block_id(block.commit.block),
        "signatures": [
            {
                "block_id_flag": int(vote.flag),
                "validator_address": _hex(vote.validator),
                "timestamp": moments.write(vote.time),
                "signature": None if vote.flag is Flag.ABSENT else text.to_base64(vote.signature),
            }
            for vote in block.commit.votes
        ],
    }


def _validator(validator: Validator) -> dict[str, object]:
    return {
        "address": _hex(validator.address),
        "pub_key": {"type": "tendermint/PubKeyEd25519", "value": text.to_base64(validator.key)},
        "voting_power": str(validator.power),
    }


def members(block: LightBlock) -> dict[str, object]:
    """A block's header, commit and voters as the engine's RPC writes them."""
    return {
        "header": _header(block.header),
        "commit": _commit(block),
        "validators": [_validator(v) for v in block.validators],
    }


def write(fork: Forked) -> bytes:
    """The file: canonical JSON with both blocks and who showed the second."""
    shown, other = members(fork.shown), members(fork.other)
    return canonical.encode({"format": FORMAT, "shown": shown, "other": other, "witness": fork.witness})

"""Keys of nodes, and the institutions that sign blocks."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from kerege.kernel.context import Context
from kerege.kernel.misbehaviour import Misbehaviour
from kerege.kernel.receipts import ONE_OPERATOR
from kerege.modules.authority import errors
from kerege.modules.authority.events import MisbehaviourRecorded, NodeKeyWritten, ValidatorsSet
from kerege.modules.authority.keeper.authorities import Authority
from kerege.modules.authority.rules import (
    TAKES_EFFECT_AFTER,
    check_change,
    check_set,
    consensus_address,
    may_go_on,
    set_hash,
)
from kerege.modules.authority.state import MISBEHAVIOUR, VALIDATOR_KEYS, VALIDATORS, VALIDATORS_NEWEST
from kerege.modules.authority.types import MisbehaviourRecord, NodeKey, NodeKeyKind, Validator, ValidatorSet

if TYPE_CHECKING:
    from kerege.kernel.tables import Bound

NEWEST = "newest"


class Nodes(Authority):
    """Registers keys of nodes and keeps the validator set, which is never empty once there is one."""

    def __init__(self, ctx: Context) -> None:
        super().__init__(ctx)
        self._validators: Bound[int, ValidatorSet] = self._table(VALIDATORS)
        self._newest: Bound[str, int] = self._table(VALIDATORS_NEWEST)
        self._validator_keys: Bound[bytes, bytes] = self._table(VALIDATOR_KEYS)
        self._misbehaviour: Bound[tuple[bytes, int, str], MisbehaviourRecord] = self._table(MISBEHAVIOUR)

    # Keys

    def register_node_key(self, key: bytes, row: NodeKey) -> None:
        """Register a node's key; raises `NodeKeyKnown`, also for one that has ended."""
        if self._node_keys.find(key) is not None:
            raise errors.NodeKeyKnown(institution=row.institution)
        self._write_node_key(key, row)

    def revoke_node_key(self, key: bytes) -> None:
        """End a node's key that counts; raises `UnknownNodeKey`, or `KeySeated` for one of the newest set."""
        row = self.node_key(key)
        for each in self.newest_validators():
            if key in {each.consensus_key, each.checkpoint_key}:
                raise errors.KeySeated(institution=each.institution, key=key)
        self._write_node_key(key, replace(row, until=self._ctx.time))

    def _write_node_key(self, key: bytes, row: NodeKey) -> None:
        self._node_keys.put(key, row)
        self._announce(NodeKeyWritten(key, row))

    # Who signs blocks

    def newest_validators(self) -> list[Validator]:
        """The set as decided so far, whether it signs already or not; none where one operator runs the ledger."""
        since = self._newest.find(NEWEST)
        return [] if since is None else self._validators.get(since).validators

    def signing(self, height: int) -> ValidatorSet | None:
        """The set that signs the block of a height no older than the newest; None where one operator runs it."""
        since = self._newest.find(NEWEST)
        while since is not None:
            row = self._validators.get(since)
            if since <= height:
                return row
            since = row.before
        return None

    def decided(self, height: int) -> tuple[list[Validator], list[Validator]] | None:
        """(set before, set after) where the block of a height changed it, else None."""
        row = self._validators.find(height + TAKES_EFFECT_AFTER)
        if row is None or row.before is None:
            return None
        return self._validators.get(row.before).validators, row.validators

    def hash_at(self, height: int) -> bytes:
        """Hash of the set that signs the block of a height (`ValidatorPort`)."""
        row = self.signing(height)
        return ONE_OPERATOR if row is None else row.hash

    def found_validators(self, validators: Sequence[Validator]) -> None:
        """The set that signs from the first block on, with its keys; raises as `set_validators` does."""
        for each in validators:
            for key, kind in _keys(each):
                self.register_node_key(key, NodeKey(kind, each.institution, self._ctx.time, None))
        self._write(0, None, self._checked(validators))

    def found_gateways(self, gateways: Sequence[tuple[str, bytes]]) -> None:
        """Keys of nodes that carry transactions from the first block on, by institution."""
        for institution, key in gateways:
            self.register_node_key(key, NodeKey(NodeKeyKind.GATEWAY, institution, self._ctx.time, None))

    def set_validators(self, validators: Sequence[Validator], replaces: bytes) -> None:
        """Replace the newest set; raises `OneOperator`, `SetReplaced`, or what a set or a change of it must not be."""
        since = self._newest.find(NEWEST)
        if since is None:
            raise errors.OneOperator
        newest = self._validators.get(since)
        if newest.hash != replaces:
            raise errors.SetReplaced(replaces=replaces, newest=newest.hash)
        chosen = self._checked(validators)
        base = self._base(since)
        check_change(self._validators.get(base).validators, chosen)
        self._write(self._ctx.height + TAKES_EFFECT_AFTER, base, chosen)

    def report(self, misbehaviour: Misbehaviour) -> None:
        """Record what a validator did, once, and suspend it where a quorum remains (`ValidatorPort`)."""
        where = (misbehaviour.validator, misbehaviour.height, misbehaviour.kind)
        if self._misbehaviour.find(where) is not None:
            return
        key = self._validator_keys.find(misbehaviour.validator)
        institution = "" if key is None else self._node_keys.get(key).institution
        row = MisbehaviourRecord(
            institution, misbehaviour.time, self._ctx.height, suspended=key is not None and self._suspend(key)
        )
        self._misbehaviour.put(where, row)
        self._announce(MisbehaviourRecorded(*where, row))

    def _suspend(self, key: bytes) -> bool:
        """Take a validator out of the set; False where it has no seat, or where the others could not go on."""
        since = self._newest.get(NEWEST)
        newest, base = self._validators.get(since).validators, self._base(since)
        remaining = [each for each in newest if each.consensus_key != key]
        if len(remaining) == len(newest) or not may_go_on(self._validators.get(base).validators, remaining):
            return False
        self._write(self._ctx.height + TAKES_EFFECT_AFTER, base, remaining)
        return True

    def _base(self, since: int) -> int:
        """Key of the set as this block found it: several changes of one block are one for the engine."""
        before = self._validators.get(since).before
        return before if before is not None and since == self._ctx.height + TAKES_EFFECT_AFTER else since

    def _checked(self, validators: Sequence[Validator]) -> list[Validator]:
        """The set in order, if it may sign: institutions known, keys theirs."""
        ordered = sorted(validators, key=lambda each: each.institution)
        check_set(ordered)
        for each in ordered:
            self.institution(each.institution)
            for key, kind in _keys(each):
                row = self.find_node_key(key)
                if row is None or (row.kind, row.institution, row.until) != (kind, each.institution, None):
                    raise errors.KeyOfNoSeat(institution=each.institution, use=kind.value, key=key)
        return ordered

    def _write(self, since: int, before: int | None, validators: list[Validator]) -> None:
        row = ValidatorSet(validators, set_hash(validators), before)
        self._validators.put(since, row)
        self._newest.put(NEWEST, since)
        for each in validators:
            self._validator_keys.put(consensus_address(each.consensus_key), each.consensus_key)
        self._announce(ValidatorsSet(since, row))


def _keys(validator: Validator) -> tuple[tuple[bytes, NodeKeyKind], tuple[bytes, NodeKeyKind]]:
    return (validator.consensus_key, NodeKeyKind.CONSENSUS), (validator.checkpoint_key, NodeKeyKind.CHECKPOINT)

"""All paths of a bundle, walked: what the verifier and the maker both do. No keys and no signatures here."""

from dataclasses import dataclass
from hashlib import sha256

from . import merkle, subject, tree
from .bundle import Bundle, Disclosed, State
from .note import Checkpoint
from .outcome import Check, Failed, Malformed
from .subject import Certificate, Receipt, Standing

FIELD_TAG = b"kerege/field/1"


@dataclass(frozen=True, slots=True)
class Walked:
    """What a bundle says once every path has led to the checkpoint's root."""

    receipt: Receipt
    certificate: Certificate | None
    issued: int
    """How many certificates the receipt issued."""
    standing: Standing | None
    """The certificate's row; None where the bundle shows no state, or shows absence."""
    log_paths: dict[int, list[bytes]]
    """Plain RFC 6962 path of each proved leaf."""
    state_root: bytes | None
    """The state's, as of the block record; None where the bundle shows no record."""


def field_commitment(field: str, salt: bytes, value: str) -> bytes:
    """Return the commitment to one field's value under its salt."""
    name = field.encode()
    return sha256(FIELD_TAG + b"\x00" + bytes([len(name)]) + name + salt + value.encode()).digest()


def module_leaf(name: str, root: bytes) -> bytes:
    """Return the leaf hash of a module's tree under the state root."""
    return merkle.leaf_hash(bytes([len(name)]) + name.encode() + root)


def state_root(state: State, certificate: Certificate) -> bytes:
    """Return the state root to which a certificate's state path leads, or raise `Malformed`."""
    if state.value is None:
        module_root = tree.root_of_absent(certificate.key, state.other, state.siblings)
    else:
        module_root = tree.root_of_present(certificate.key, state.value, state.siblings)
    return merkle.root_of_sides(module_leaf(subject.MODULE, module_root), state.sides, state.modules)


def _check_places(bundle: Bundle, checkpoint: Checkpoint, receipt: Receipt) -> None:
    if bundle.index >= checkpoint.size - 1:  # the last leaf is always the block record
        raise Failed(Check.RECEIPT, "index-outside-log")
    record = bundle.record
    if record is not None and (receipt.height > record.height or receipt.time > record.time):
        raise Failed(Check.RECEIPT, "later-than-checkpoint")


def _record_root(bundle: Bundle, certificate: Certificate | None) -> bytes | None:
    """Return the state root that the block record must hold; None without a record."""
    if bundle.record is None:
        return None
    if bundle.state is None or certificate is None:
        return bundle.record.root
    try:
        return state_root(bundle.state, certificate)
    except Malformed as error:
        raise Failed(Check.STATE_PATH, "malformed-path") from error


def _walk_log(bundle: Bundle, checkpoint: Checkpoint, root: bytes | None) -> dict[int, list[bytes]]:
    leaves = {bundle.index: merkle.leaf_hash(bundle.receipt)}
    if bundle.record is not None and root is not None:
        leaves[checkpoint.size - 1] = bundle.record.leaf(root)
    try:
        reached, log_paths = merkle.fold(leaves, checkpoint.size, bundle.path)
    except Malformed as error:
        raise Failed(Check.LOG_PATH, "malformed-path") from error
    if reached != checkpoint.root:
        raise Failed(Check.LOG_PATH, "another-root")
    return log_paths


def _standing(bundle: Bundle, certificate: Certificate | None) -> Standing | None:
    """Read the proved row and hold it against the receipt."""
    if bundle.state is None or bundle.state.value is None or certificate is None:
        return None
    try:
        standing = subject.read_standing(bundle.state.value)
    except Malformed as error:
        raise Failed(Check.CERTIFICATE, "row-not-understood") from error
    issued = certificate.issued
    if (standing.record, standing.version, standing.kind) != (issued.record, issued.version, issued.kind):
        raise Failed(Check.CERTIFICATE, "another-record")
    return standing


def _check_disclosure(disclosed: Disclosed, content: bytes) -> None:
    commitment = field_commitment(disclosed.field, disclosed.salt, disclosed.value)
    try:
        reached = merkle.root_of_sides(merkle.leaf_hash(commitment), disclosed.sides, disclosed.path)
    except Malformed as error:
        raise Failed(Check.DISCLOSURES, "malformed-path") from error
    if reached != content:
        raise Failed(Check.DISCLOSURES, "another-value")


def walk(bundle: Bundle, checkpoint: Checkpoint) -> Walked:
    """Follow every path of the bundle to the root that the checkpoint names.

    Raises:
        Malformed: the receipt cannot be read, or the bundle does not say which certificate it is about.
        Failed: a path leads elsewhere, or parts of the bundle do not belong together.
    """
    receipt = subject.read_receipt(bundle.receipt)
    issued = subject.certificates(receipt)
    certificate = subject.choose(bundle, issued)
    _check_places(bundle, checkpoint, receipt)
    root = _record_root(bundle, certificate)
    log_paths = _walk_log(bundle, checkpoint, root)
    standing = _standing(bundle, certificate)
    if certificate is not None:
        for disclosed in bundle.disclosures:
            _check_disclosure(disclosed, certificate.content)
    return Walked(receipt, certificate, len(issued), standing, log_paths, root)

// All paths of a bundle, walked. Twin of kerege/proofs/paths.py. No keys and no signatures here.

const FIELD_TAG = "kerege/field/1\0";

// A text with its length in one byte before it.
function prefixed(text) {
  const data = toUtf8(text);
  return concat(Uint8Array.of(data.length), data);
}

// The commitment to one field's value under its salt.
const fieldCommitment = (field, salt, value) => sha256(toUtf8(FIELD_TAG), prefixed(field), salt, toUtf8(value));

function stateRoot(state, key) {
  const moduleRoot =
    state.value === null
      ? rootOfAbsent(key, state.other, state.siblings)
      : rootOfPresent(key, state.value, state.siblings);
  return rootOfSides(leafHash(concat(prefixed(MODULE), moduleRoot)), state.sides, state.modules);
}

function checkPlaces({ index, record }, checkpoint, receipt) {
  // The last leaf is always the block record.
  if (index >= checkpoint.size - 1) throw new Failed("receipt", "index-outside-log");
  if (record !== null && (receipt.height > record.height || receipt.time > record.time)) {
    throw new Failed("receipt", "later-than-checkpoint");
  }
}

// The state root that the block record must hold; null without a record.
function recordRoot({ record, state }, certificate) {
  if (record === null) return null;
  if (state === null || certificate === null) return record.root;
  return reading(
    () => stateRoot(state, certificate.key),
    () => new Failed("state-path", "malformed-path"),
  );
}

function walkLog(bundle, checkpoint, root) {
  const leaves = new Map([[bundle.index, leafHash(bundle.receipt)]]);
  if (bundle.record !== null && root !== null) {
    const { height, time, validators } = bundle.record;
    leaves.set(checkpoint.size - 1, leafHash(packBlock(height, time, root, validators)));
  }
  const reached = reading(
    () => foldPath(leaves, checkpoint.size, bundle.path),
    () => new Failed("log-path", "malformed-path"),
  );
  if (!isSame(reached, checkpoint.root)) throw new Failed("log-path", "another-root");
}

// Read the proved row and hold it against the receipt; null where the bundle shows no state, or absence.
function standingOf({ state }, certificate) {
  if (state === null || state.value === null || certificate === null) return null;
  const standing = reading(
    () => readStanding(state.value),
    () => new Failed("certificate", "row-not-understood"),
  );
  const { record, version, kind } = certificate;
  if (!isSame(standing.record, record) || standing.version !== version || standing.kind !== kind) {
    throw new Failed("certificate", "another-record");
  }
  return standing;
}

function checkDisclosure({ field, value, salt, sides, path }, content) {
  const reached = reading(
    () => rootOfSides(leafHash(fieldCommitment(field, salt, value)), sides, path),
    () => new Failed("disclosures", "malformed-path"),
  );
  if (!isSame(reached, content)) throw new Failed("disclosures", "another-value");
}

// Follow every path of the bundle to the root that the checkpoint names.
function walkPaths(bundle, checkpoint) {
  const receipt = readReceipt(bundle.receipt);
  const issued = certificatesOf(receipt);
  const certificate = chooseCertificate(bundle, issued);
  checkPlaces(bundle, checkpoint, receipt);
  const root = recordRoot(bundle, certificate);
  walkLog(bundle, checkpoint, root);
  const standing = standingOf(bundle, certificate);
  if (certificate !== null) {
    for (const disclosed of bundle.disclosures) checkDisclosure(disclosed, certificate.content);
  }
  return { receipt, certificate, issued: issued.size, standing, stateRoot: root };
}

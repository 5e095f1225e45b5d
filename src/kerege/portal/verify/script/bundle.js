// The proof bundle as data, read strictly. Twin of kerege/proofs/bundle.py.

const BUNDLE_FORMAT = "kerege-bundle/1";
const NO_VALIDATORS = new Uint8Array(HASH_SIZE);
const SALT_SIZE = 32;
const FIELD_LIMIT = 255;
const BUNDLE_MEMBERS = ["checkpoint", "format", "index", "ledger", "path", "receipt"];
const BUNDLE_PARTS = ["disclosures", "event", "record", "state"];

const hashesOf = (value, what) => toHashes(fromBase64url(value, what), what);

// A state path: its depth, one bit per level (1: a hash follows, 0: the placeholder), then the hashes.
function siblingsOf(value) {
  const data = fromBase64url(value, "the state path");
  const depth = data.length ? data[0] : 0;
  const width = Math.ceil(depth / 8);
  const bits = data.subarray(1, 1 + width);
  const hashes = toHashes(data.subarray(1 + width), "the state path");
  const isSet = (level) => (bits[level >> 3] >> (level & 7)) & 1;
  const set = Array.from({ length: bits.length * 8 }, (_, level) => level).filter(isSet);
  if (data.length !== 1 + width + HASH_SIZE * set.length || set.some((level) => level >= depth)) {
    throw new Malformed("the state path's levels and hashes do not fit");
  }
  if (hashes.some((hash) => isSame(hash, PLACEHOLDER))) {
    throw new Malformed("a placeholder in the state path is written out");
  }
  return Array.from({ length: depth }, (_, level) => (isSet(level) ? hashes.shift() : PLACEHOLDER));
}

function recordOf(value, withRoot) {
  const required = withRoot ? ["height", "root", "time"] : ["height", "time"];
  const members = membersOf(value, "the record", required, ["validators"]);
  let validators = NO_VALIDATORS;
  if ("validators" in members) {
    validators = fromBase64url(members.validators, "the validators hash", HASH_SIZE);
    if (isSame(validators, NO_VALIDATORS)) throw new Malformed("a validators hash of zeros is left out");
  }
  return {
    height: naturalOf(members.height, "the record's height"),
    time: naturalOf(members.time, "the record's time"),
    validators,
    root: withRoot ? fromBase64url(members.root, "the state root", HASH_SIZE) : null,
  };
}

function stateOf(value) {
  const members = membersOf(value, "the state part", ["modules", "siblings", "sides"], ["other", "value"]);
  if ("other" in members && "value" in members) throw new Malformed("the state part shows a value and another leaf");
  return {
    modules: hashesOf(members.modules, "the module path"),
    sides: naturalOf(members.sides, "the module path's sides"),
    siblings: siblingsOf(members.siblings),
    value: "value" in members ? fromBase64url(members.value, "the state value") : null,
    other:
      "other" in members ? toHashes(fromBase64url(members.other, "the other leaf", 2 * HASH_SIZE), "both") : null,
  };
}

function disclosureOf(value) {
  const members = membersOf(value, "a disclosure", ["field", "path", "salt", "sides", "value"]);
  const field = textOf(members.field, "a disclosed field's name");
  const size = toUtf8(field).length;
  if (size < 1 || size > FIELD_LIMIT) throw new Malformed("a disclosed field's name is empty or too long");
  return {
    field,
    value: textOf(members.value, "a disclosed value"),
    salt: fromBase64url(members.salt, "a salt", SALT_SIZE),
    sides: naturalOf(members.sides, "a disclosure's sides"),
    path: hashesOf(members.path, "a disclosure's path"),
  };
}

function disclosuresOf(value) {
  const disclosures = listOf(value, "the list of disclosures").map(disclosureOf);
  const inOrder = disclosures.every(({ field }, at) => !at || compareText(disclosures[at - 1].field, field) < 0);
  if (!disclosures.length || !inOrder) {
    throw new Malformed("the disclosures are empty, repeated or not sorted by field");
  }
  return disclosures;
}

// Read a bundle from its canonical bytes.
function parseBundle(data) {
  const members = membersOf(decodeJson(data), "the bundle", BUNDLE_MEMBERS, BUNDLE_PARTS);
  if (members.format !== BUNDLE_FORMAT) throw new Malformed(`the format is not ${BUNDLE_FORMAT}`);
  const checkpoint = membersOf(members.checkpoint, "the checkpoint", ["note"], ["commit"]);
  const note = textOf(checkpoint.note, "the checkpoint note");
  const commit = "commit" in checkpoint ? commitOf(checkpoint.commit) : null;
  if (commit !== null && !("record" in members)) throw new Malformed("an engine's commit needs the block record");
  if ("state" in members && !("record" in members)) throw new Malformed("a state part needs the block record");
  if ("event" in members && !("state" in members)) {
    throw new Malformed("an event is named only with a state part, which binds it");
  }
  return {
    ledger: textOf(members.ledger, "the ledger id"),
    receipt: fromBase64url(members.receipt, "the receipt"),
    index: naturalOf(members.index, "the index"),
    path: hashesOf(members.path, "the log path"),
    note,
    commit,
    record: "record" in members ? recordOf(members.record, !("state" in members)) : null,
    state: "state" in members ? stateOf(members.state) : null,
    event: "event" in members ? naturalOf(members.event, "the event") : null,
    disclosures: "disclosures" in members ? disclosuresOf(members.disclosures) : [],
  };
}

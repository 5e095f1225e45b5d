// The trust file: the ledger, its log, and the keys that sign checkpoints. Twin of kerege/proofs/trust.py.

const TRUST_FORMAT = "kerege-trust/1";
const ONE_OPERATOR = "one operator";
const TRUST_MEMBERS = ["engine", "format", "genesis", "keys", "ledger", "origin", "threshold"];
const KEY_MEMBERS = ["from", "key", "name", "until"];

// Say whether a key was valid at some moment from `first` to `last`.
const isValidWithin = (key, [first, last]) => key.since <= last && (key.until === null || first < key.until);

function trustedKey(value) {
  const members = membersOf(value, "a key of the trust file", KEY_MEMBERS);
  const name = textOf(members.name, "a key's name");
  const key = fromBase64url(members.key, "a key", KEY_SIZE);
  const since = naturalOf(members.from, "a key's beginning");
  const until = members.until === null ? null : naturalOf(members.until, "a key's end");
  if (!isKeyName(name)) throw new Malformed("a key's name is empty or holds spaces, plus or control characters");
  if (!isSoundPoint(key)) throw new Malformed("a key is of small order or not canonical");
  if (until !== null && until <= since) throw new Malformed("a key ends before it begins");
  return { name, key, since, until };
}

// Refuse what would let one key holder count twice.
function checkKeys(keys, threshold) {
  if (new Set(keys.map(({ key }) => toHex(key))).size !== keys.length) throw new Malformed("a key is listed twice");
  if (threshold < 1 || threshold > new Set(keys.map(({ name }) => name)).size) {
    throw new Malformed("the threshold is not between 1 and the number of key names");
  }
  keys.forEach((one, at) => {
    for (const other of keys.slice(at + 1)) {
      const meet = (other.until === null || one.since < other.until) && (one.until === null || other.since < one.until);
      if (one.name === other.name && meet) throw new Malformed("two keys of one name are valid at the same time");
    }
  });
}

// Read a trust file: strict JSON, spacing free.
function parseTrust(data) {
  const members = membersOf(parseJson(data), "the trust file", TRUST_MEMBERS);
  if (members.format !== TRUST_FORMAT) throw new Malformed(`the trust file's format is not ${TRUST_FORMAT}`);
  if (members.engine !== ONE_OPERATOR) {
    throw new Malformed("the trust file names an engine that this verifier does not know");
  }
  const ledger = textOf(members.ledger, "the ledger id");
  if (ledger === "" || !isPrintable(ledger)) throw new Malformed("the ledger id is not printable text");
  const threshold = naturalOf(members.threshold, "the threshold");
  const keys = listOf(members.keys, "the list of keys").map(trustedKey);
  checkKeys(keys, threshold);
  fromHex(members.genesis, "the genesis hash", 32);
  const origin = textOf(members.origin, "the origin");
  if (origin === "" || !isPrintable(origin)) throw new Malformed("the origin is not one printable line");
  return { ledger, origin, threshold, keys };
}

// The key that a signature line names, if it is in the trust file.
const findKey = (trust, { name, keyId: id }) =>
  trust.keys.find((key) => key.name === name && isSame(keyId(key.name, key.key), id));

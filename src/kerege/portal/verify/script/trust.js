// The trust file: the ledger, its log, and the keys that sign checkpoints. Twin of kerege/proofs/trust.py.

const TRUST_FORMAT = "kerege-trust/1";
const ONE_OPERATOR = "one operator";
const COMETBFT = "cometbft";
const TWO_THIRDS = "more than 2/3 of the power";
const POWER_LIMIT = 10 ** 15;
const CHAIN_LIMIT = 50;
const TRUST_MEMBERS = ["engine", "format", "genesis", "keys", "ledger", "origin", "threshold"];
const KEY_MEMBERS = ["from", "key", "name", "until"];
const CHAIN_MEMBERS = ["hash", "height", "id", "period", "time"];

// Say whether a key was valid at some moment from `first` to `last`.
const isValidWithin = (key, [first, last]) => key.since <= last && (key.until === null || first < key.until);

// Say whether two keys were valid at some moment both.
const meet = (one, other) =>
  (other.until === null || one.since < other.until) && (one.until === null || other.since < one.until);

function trustedKey(value, weighed) {
  const names = weighed ? [...KEY_MEMBERS, "power"].sort() : KEY_MEMBERS;
  const members = membersOf(value, "a key of the trust file", names, weighed ? ["consensus"] : []);
  const name = textOf(members.name, "a key's name");
  const key = fromBase64url(members.key, "a key", KEY_SIZE);
  const since = naturalOf(members.from, "a key's beginning");
  const until = members.until === null ? null : naturalOf(members.until, "a key's end");
  const power = weighed ? naturalOf(members.power, "a key's power") : 1;
  const voting = "consensus" in members;
  const consensus = voting ? fromBase64url(members.consensus, "a consensus key", KEY_SIZE) : null;
  if (!isKeyName(name)) throw new Malformed("a key's name is empty or holds spaces, plus or control characters");
  if (!isSoundPoint(key) || (voting && !isSoundPoint(consensus))) throw new Malformed("a key is of small order or not canonical");
  if (until !== null && until <= since) throw new Malformed("a key ends before it begins");
  if (power === 0) throw new Malformed("a key has no power");
  return { name, key, since, until, power, consensus };
}

function checkNames(keys) {
  keys.forEach((one, at) => {
    for (const other of keys.slice(at + 1)) {
      if (one.name === other.name && meet(one, other)) {
        throw new Malformed("two keys of one name are valid at the same time");
      }
    }
  });
}

// Refuse what would let one key holder count twice.
function checkCounted(keys, threshold) {
  if (new Set(keys.map(({ key }) => toHex(key))).size !== keys.length) throw new Malformed("a key is listed twice");
  if (threshold < 1 || threshold > new Set(keys.map(({ name }) => name)).size) {
    throw new Malformed("the threshold is not between 1 and the number of key names");
  }
  checkNames(keys);
}

// The same where keys weigh: one may be listed again for another time, when its holder had another power.
const holderOf = ({ name, key }) => `${toHex(key)} ${name}`;

function checkWeighed(keys) {
  const voting = keys.filter(({ consensus }) => consensus !== null);
  for (const held of [keys, voting.map(({ name, consensus }) => ({ name, key: consensus }))]) {
    if (new Set(held.map(({ key }) => toHex(key))).size !== new Set(held.map(holderOf)).size) {
      throw new Malformed("a key is listed under two names");
    }
  }
  const power = keys.reduce((sum, key) => sum + key.power, 0);
  if (power < 1 || power > POWER_LIMIT) throw new Malformed("the power of all keys is not between 1 and 10^15");
  checkNames(keys);
}

// The id of the engine's chain. The header that is trusted is for those who follow it; here it must be well-formed.
function chainOf(value) {
  const members = membersOf(value, "the chain", CHAIN_MEMBERS);
  const id = textOf(members.id, "the chain id");
  const height = naturalOf(members.height, "the trusted height");
  fromHex(members.hash, "the trusted header's hash", HASH_SIZE);
  naturalOf(members.time, "the trusted header's time");
  const period = naturalOf(members.period, "the trusting period");
  if (id === "" || [...id].length > CHAIN_LIMIT || !isPrintable(id)) {
    throw new Malformed("the chain id is not printable text of at most 50 characters");
  }
  if (height === 0 || period === 0) throw new Malformed("the trusted height or the trusting period is 0");
  return id;
}

// Threshold (null: more than two thirds of the power), keys and chain id (null: one operator).
function engineOf(members) {
  const weighed = members.engine === COMETBFT;
  const values = listOf(members.keys, "the list of keys");
  if (!weighed) {
    const threshold = naturalOf(members.threshold, "the threshold");
    const keys = values.map((value) => trustedKey(value, false));
    checkCounted(keys, threshold);
    return { threshold, keys, chain: null };
  }
  if (members.threshold !== TWO_THIRDS) throw new Malformed(`the threshold is not ${TWO_THIRDS}`);
  const keys = values.map((value) => trustedKey(value, true));
  checkWeighed(keys);
  return { threshold: null, keys, chain: chainOf(members.chain) };
}

// Read a trust file: strict JSON, spacing free.
function parseTrust(data) {
  const value = parseJson(data);
  const replicated = value instanceof Map && value.get("engine") === COMETBFT;
  const names = replicated ? ["chain", ...TRUST_MEMBERS] : TRUST_MEMBERS;
  const members = membersOf(value, "the trust file", names);
  if (members.format !== TRUST_FORMAT) throw new Malformed(`the trust file's format is not ${TRUST_FORMAT}`);
  if (members.engine !== ONE_OPERATOR && members.engine !== COMETBFT) {
    throw new Malformed("the trust file names an engine that this verifier does not know");
  }
  const ledger = textOf(members.ledger, "the ledger id");
  if (ledger === "" || !isPrintable(ledger)) throw new Malformed("the ledger id is not printable text");
  const { threshold, keys, chain } = engineOf(members);
  fromHex(members.genesis, "the genesis hash", 32);
  const origin = textOf(members.origin, "the origin");
  if (origin === "" || !isPrintable(origin)) throw new Malformed("the origin is not one printable line");
  return { ledger, origin, threshold, keys, chain, replicated };
}

// The key that a signature line names, once for each time in which it was valid.
const findKeys = (trust, { name, keyId: id }) =>
  trust.keys.filter((key) => key.name === name && isSame(keyId(key.name, key.key), id));

// The keys valid at the first moment of the span, and at each later one at which a key began or ended.
function validTogether(keys, [first, last]) {
  const turns = keys.flatMap(({ since, until }) => [since, until]).filter((turn) => turn !== null);
  const moments = [first, ...turns.filter((turn) => first < turn && turn <= last)];
  return moments.map((moment) => keys.filter((key) => isValidWithin(key, [moment, moment])));
}

const powerOf = (keys) => keys.reduce((sum, { power }) => sum + power, 0);

// Say whether the holders of these keys make a checkpoint, signed at some moment of the span. Power counts at one
// moment: keys that were never valid together do not add up.
function isEnough({ threshold, keys }, signed, span) {
  if (threshold !== null) return new Set(signed.map(({ name }) => name)).size >= threshold;
  const signers = new Set(signed.map(holderOf));
  return validTogether(keys, span).some(
    (valid) => 3 * powerOf(valid.filter((key) => signers.has(holderOf(key)))) > 2 * powerOf(valid),
  );
}

// An engine's commit: the votes by which what a bundle leads to became final. Twin of kerege/proofs/commit.py, and of
// what it takes from kerege/proofs/light: Protocol Buffers, the validators' hash, what a vote signs.

const COMMIT_MEMBERS = ["hash", "parts", "parts_hash", "path", "round", "time", "validators", "votes"];
const PARTS_LIMIT = 2 ** 32;
const ROUND_LIMIT = 2 ** 31;
const VOTES_LIMIT = 10_000;
const VOTE_TIME_SIZE = 8;
const ADDRESS_SIZE = 20;
const HEADER_FIELDS = 14;
const APP_FORMAT = "kerege/app/1";
const PRECOMMIT = 2;
const SECOND_NS = 1_000_000_000n;
const MILLISECOND_NS = 1_000_000n;

function varint(value) {
  const octets = [];
  let rest = BigInt(value);
  for (; rest > 0x7fn; rest >>= 7n) octets.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.of(...octets, Number(rest));
}

const NO_BYTES = new Uint8Array(0);
const numberField = (field, value) => (BigInt(value) ? concat(varint(field << 3), varint(value)) : NO_BYTES);
const dataField = (field, data) => concat(varint((field << 3) | 2), varint(data.length), data);
const moment = (time) => concat(numberField(1, time / SECOND_NS), numberField(2, time % SECOND_NS));

function fixedField(field, value) {
  if (!value) return NO_BYTES;
  const octets = Array.from({ length: 8 }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn));
  return concat(varint((field << 3) | 1), Uint8Array.from(octets));
}

const isMore = (part, whole) => 3 * part > 2 * whole;

function belowOf(value, what, limit) {
  if (naturalOf(value, what) >= limit) throw new Malformed(`${what} is too large`);
  return value;
}

function digitsOf(value, what) {
  if (typeof value !== "string" || !/^(0|[1-9][0-9]{0,18})$/.test(value) || BigInt(value) >= 2n ** 63n) {
    throw new Malformed(`${what} is not a number below 2^63 in text`);
  }
  return BigInt(value);
}

// When a validator voted, in nanoseconds, and its signature; null where its vote is not shown.
function voteOf(value) {
  if (value === null) return null;
  const data = fromBase64url(value, "a vote", VOTE_TIME_SIZE + SIGNATURE_SIZE);
  return { time: BigInt(`0x${toHex(data.subarray(0, VOTE_TIME_SIZE))}`), signature: data.subarray(VOTE_TIME_SIZE) };
}

function commitOf(value) {
  const members = membersOf(value, "the engine's commit", COMMIT_MEMBERS);
  const votes = listOf(members.votes, "the list of votes");
  if (!votes.length || votes.length > VOTES_LIMIT || votes[votes.length - 1] === null) {
    throw new Malformed("the list of votes does not end with a vote, or is too long");
  }
  return {
    hash: fromBase64url(members.hash, "the header's hash", HASH_SIZE),
    time: digitsOf(members.time, "the header's time"),
    validators: fromBase64url(members.validators, "the header's validators hash", HASH_SIZE),
    path: toHashes(fromBase64url(members.path, "the header's path"), "the header's path"),
    parts: belowOf(members.parts, "the number of parts", PARTS_LIMIT),
    partsHash: fromBase64url(members.parts_hash, "the hash of the parts", HASH_SIZE),
    round: belowOf(members.round, "the round", ROUND_LIMIT),
    votes: votes.map(voteOf),
  };
}

// Who voted for blocks at a moment, in the engine's order; null where not every key by which they did is known.
function validatorsAt({ keys, chain }, time) {
  const valid = keys.filter((key) => isValidWithin(key, [time, time]));
  if (chain === null || !valid.length || valid.some(({ consensus }) => consensus === null)) return null;
  const known = valid.map(({ consensus, power }) => ({ key: consensus, power, address: sha256(consensus) }));
  return known.sort(
    (one, other) =>
      other.power - one.power ||
      compareBytes(one.address.subarray(0, ADDRESS_SIZE), other.address.subarray(0, ADDRESS_SIZE)),
  );
}

// Root of an RFC 6962 tree over the data of leaves.
function rootOver(leaves) {
  if (leaves.length === 1) return leafHash(leaves[0]);
  const half = splitOf(leaves.length);
  return nodeHash(rootOver(leaves.slice(0, half)), rootOver(leaves.slice(half)));
}

const hashOfValidators = (validators) =>
  rootOver(validators.map(({ key, power }) => concat(dataField(1, dataField(1, key)), numberField(2, power))));

function checkHeader(commit, chain, height, appHash) {
  const fields = new Map([
    [1, dataField(1, toUtf8(chain))],
    [2, numberField(1, height)],
    [3, moment(commit.time)],
    [7, dataField(1, commit.validators)],
    [10, dataField(1, appHash)],
  ]);
  const leaves = new Map([...fields].map(([place, field]) => [place, leafHash(field)]));
  const reached = reading(
    () => foldPath(leaves, HEADER_FIELDS, commit.path),
    () => new Failed("final", "malformed-path"),
  );
  if (!isSame(reached, commit.hash)) throw new Failed("final", "another-header");
}

// The votes are enough, and without the last of them they would not be.
function checkPower(powers, whole) {
  const power = powers.reduce((sum, one) => sum + one, 0);
  if (!isMore(power, whole)) throw new Failed("final", "too-few");
  if (isMore(power - powers[powers.length - 1], whole)) throw new Failed("final", "more-than-needed");
}

function signedBy({ time }, { hash, parts, partsHash, round }, chain, height) {
  const block = concat(dataField(1, hash), dataField(2, concat(numberField(1, parts), dataField(2, partsHash))));
  const vote = concat(
    numberField(1, PRECOMMIT),
    fixedField(2, height),
    fixedField(3, round),
    dataField(4, block),
    dataField(5, moment(time)),
    dataField(6, toUtf8(chain)),
  );
  return concat(varint(vote.length), vote);
}

// Check the votes for the header after a bundle's block, by the validators that the trust file names; null: no votes.
function checkCommit({ commit, record }, { stateRoot: root }, checkpoint, trust) {
  if (commit === null) return null;
  const validators = validatorsAt(trust, Number(commit.time / MILLISECOND_NS));
  const known = validators !== null && isSame(hashOfValidators(validators), commit.validators);
  if (!known || commit.votes.length > validators.length) throw new Failed("final", "unknown-validators");
  const { chain } = trust;
  const height = record.height + 1;
  checkHeader(commit, chain, height, sha256(toUtf8(APP_FORMAT), root, checkpoint.root));
  const votes = commit.votes.flatMap((vote, place) => (vote === null ? [] : [{ ...vote, ...validators[place] }]));
  checkPower(
    votes.map(({ power }) => power),
    powerOf(validators),
  );
  for (const vote of votes) {
    if (!isVoteSigned(vote.key, signedBy(vote, commit, chain, height), vote.signature)) {
      throw new Failed("final", "bad-signature");
    }
  }
  return { chain, height, hash: toHex(commit.hash) };
}

// Paths in RFC 6962 trees and in the state's Jellyfish Merkle tree. Twin of kerege/proofs/merkle.py and tree.py.

const PLACEHOLDER = toUtf8("SPARSE_MERKLE_PLACEHOLDER_HASH__");
const STATE_LEAF = toUtf8("JMT::LeafNode");
const STATE_NODE = toUtf8("JMT::IntrnalNode"); // spelled so in the public rules

const leafHash = (data) => sha256(Uint8Array.of(0), data);
const nodeHash = (left, right) => sha256(Uint8Array.of(1), left, right);
const stateLeafHash = (keyHash, valueHash) => sha256(STATE_LEAF, keyHash, valueHash);
const stateNodeHash = (left, right) => sha256(STATE_NODE, left, right);

// The largest power of two below `size`.
function splitOf(size) {
  let half = 1;
  while (half * 2 < size) half *= 2;
  return half;
}

// The root of a tree of `size` leaves to which a multi-target path leads; `leaves` maps positions to leaf hashes.
function foldPath(leaves, size, path) {
  let at = 0;
  const next = () => {
    if (at === path.length) throw new Malformed("the path is too short");
    at += 1;
    return path[at - 1];
  };
  const rootOf = (start, count, targets) => {
    if (count === 1) return leaves.get(start);
    const half = splitOf(count);
    const inLeft = targets.filter((target) => target < start + half);
    const inRight = targets.filter((target) => target >= start + half);
    const left = inLeft.length ? rootOf(start, half, inLeft) : null;
    const right = inRight.length ? rootOf(start + half, count - half, inRight) : null;
    const first = left ?? next();
    return nodeHash(first, right ?? next());
  };
  const root = rootOf(0, size, [...leaves.keys()]);
  if (at !== path.length) throw new Malformed("the path is too long");
  return root;
}

// The root to which `path` leads from a leaf hash: bit k of `turns` is 1 where the hash so far is the right child.
function rootOfSides(leaf, turns, path) {
  const sides = BigInt(turns);
  if (sides >> BigInt(path.length)) throw new Malformed("more turns than hashes");
  return path.reduce(
    (node, sibling, level) => ((sides >> BigInt(level)) & 1n ? nodeHash(sibling, node) : nodeHash(node, sibling)),
    leaf,
  );
}

const bitOf = (hash, depth) => (hash[depth >> 3] >> (7 - (depth & 7))) & 1;

// Climb a state tree from `node`; siblings run bottom-up, the turns are the bits of the key's hash.
function climb(node, keyHash, siblings) {
  if (siblings.length && isSame(siblings[0], PLACEHOLDER)) throw new Malformed("the state path is longer than needed");
  return siblings.reduce(
    (reached, sibling, level) =>
      bitOf(keyHash, siblings.length - 1 - level) ? stateNodeHash(sibling, reached) : stateNodeHash(reached, sibling),
    node,
  );
}

const rootOfPresent = (key, value, siblings) =>
  climb(stateLeafHash(sha256(key), sha256(value)), sha256(key), siblings);

// The root of a tree that does not hold `key`: in its place is nothing, or the leaf of another key.
function rootOfAbsent(key, other, siblings) {
  const keyHash = sha256(key);
  if (other === null) return climb(PLACEHOLDER, keyHash, siblings);
  const [otherKey, otherValue] = other;
  if (isSame(otherKey, keyHash)) throw new Malformed("the leaf shown as another is the key's own");
  if (!siblings.every((_, depth) => bitOf(otherKey, depth) === bitOf(keyHash, depth))) {
    throw new Malformed("the leaf shown as another stands elsewhere");
  }
  return climb(stateLeafHash(otherKey, otherValue), keyHash, siblings);
}

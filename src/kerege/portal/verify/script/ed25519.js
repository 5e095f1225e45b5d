// Ed25519 (RFC 8032), strict. Twin of kerege/proofs/ed25519.py and of what OpenSSL does behind it.
// Nothing here is secret, so nothing needs to take equal time.

const KEY_SIZE = 32;
const SIGNATURE_SIZE = 64;
const FIELD = 2n ** 255n - 19n;
const ORDER = 2n ** 252n + 27742317777372353535851937790883648493n;
const SIGN_BIT = 2n ** 255n;
const ORDER_EIGHT = 0x7a03ac9277fdc74ec6cc392cfa53202a0f67100d760b3cba4fd84d3d706a17c7n;
// The y coordinates of all eight points of small order.
const SMALL_ORDER = [0n, 1n, FIELD - 1n, ORDER_EIGHT, FIELD - ORDER_EIGHT];

const inField = (value) => ((value % FIELD) + FIELD) % FIELD;

function power(base, exponent) {
  let result = 1n;
  for (let square = base, rest = exponent; rest; rest >>= 1n, square = (square * square) % FIELD) {
    if (rest & 1n) result = (result * square) % FIELD;
  }
  return result;
}

const inverse = (value) => power(value, FIELD - 2n);

const CURVE = inField(-121665n * inverse(121666n));
const ROOT_OF_MINUS_ONE = power(2n, (FIELD - 1n) / 4n);

const fromLittleEndian = (data) => BigInt(`0x${toHex(data.slice().reverse())}`);

// Points are [X, Y, Z, T] with x = X/Z, y = Y/Z, xy = T/Z (RFC 8032 §5.1.4).
const NEUTRAL = [0n, 1n, 1n, 0n];

function add([x1, y1, z1, t1], [x2, y2, z2, t2]) {
  const a = ((y1 - x1) * (y2 - x2)) % FIELD;
  const b = ((y1 + x1) * (y2 + x2)) % FIELD;
  const c = (((2n * t1 * t2) % FIELD) * CURVE) % FIELD;
  const d = (2n * z1 * z2) % FIELD;
  const [e, f, g, h] = [b - a, d - c, d + c, b + a];
  return [(e * f) % FIELD, (g * h) % FIELD, (f * g) % FIELD, (e * h) % FIELD];
}

const negate = ([x, y, z, t]) => [-x, y, z, -t];

// The point of 32 bytes, or null where no point of the curve has this y.
function decodePoint(encoded) {
  const whole = fromLittleEndian(encoded);
  const y = whole % SIGN_BIT;
  const u = inField(y * y - 1n);
  const v = inField(CURVE * y * y + 1n);
  let x = (power((u * inverse(v)) % FIELD, (FIELD + 3n) / 8n));
  if (inField(v * x * x - u)) x = (x * ROOT_OF_MINUS_ONE) % FIELD;
  if (inField(v * x * x - u)) return null;
  if ((x & 1n) !== whole / SIGN_BIT) x = inField(-x);
  return [x, y, 1n, (x * y) % FIELD];
}

// The generator: y = 4/5, x even.
const BASE_Y = (4n * inverse(5n)) % FIELD;
const BASE = decodePoint(Uint8Array.from({ length: 32 }, (_, at) => Number((BASE_Y >> BigInt(8 * at)) & 0xffn)));

// Say whether 32 bytes are a canonical encoding of a point that is not of small order.
function isSoundPoint(encoded) {
  const y = fromLittleEndian(encoded) % SIGN_BIT;
  return y < FIELD && !SMALL_ORDER.includes(y);
}

// s·B + k·A, both scalars in one walk.
function combine(s, k, point) {
  const table = [NEUTRAL, BASE, point, add(BASE, point)];
  let sum = NEUTRAL;
  for (let bit = 252n; bit >= 0n; bit -= 1n) {
    sum = add(sum, sum);
    const chosen = Number((s >> bit) & 1n) + 2 * Number((k >> bit) & 1n);
    if (chosen) sum = add(sum, table[chosen]);
  }
  return sum;
}

const scalarOf = (claimed, publicKey, message) => fromLittleEndian(sha512(claimed, publicKey, message)) % ORDER;

// Say whether `signature` is a strict Ed25519 signature of `message` under `publicKey`.
function isSigned(publicKey, message, signature) {
  if (publicKey.length !== KEY_SIZE || signature.length !== SIGNATURE_SIZE) return false;
  const claimed = signature.subarray(0, 32);
  const s = fromLittleEndian(signature.subarray(32));
  if (s >= ORDER || !isSoundPoint(claimed) || !isSoundPoint(publicKey)) return false;
  const key = decodePoint(publicKey);
  if (key === null) return false;
  const [x, y, z] = combine(s, scalarOf(claimed, publicKey, message), negate(key));
  const shrink = inverse(inField(z));
  const reached = inField(y * shrink) + (inField(x * shrink) & 1n) * SIGN_BIT;
  return reached === fromLittleEndian(claimed);
}

// The same by ZIP 215, as the engine judges its validators' votes: points in any encoding, the equation with cofactor.
// Twin of kerege/proofs/light/zip215.py.
function isVoteSigned(publicKey, message, signature) {
  const claimed = signature.subarray(0, 32);
  const s = fromLittleEndian(signature.subarray(32));
  const [key, point] = [decodePoint(publicKey), decodePoint(claimed)];
  if (s >= ORDER || key === null || point === null) return false;
  let rest = add(combine(s, scalarOf(claimed, publicKey, message), negate(key)), negate(point));
  for (let doubled = 0; doubled < 3; doubled += 1) rest = add(rest, rest);
  const [x, y, z] = rest;
  return inField(x) === 0n && inField(y - z) === 0n;
}

// SHA-256 and SHA-512 (FIPS 180-4). Written out because a page opened from a file has no WebCrypto.

const MASK64 = (1n << 64n) - 1n;

// The first 64 bits of the fractional part of the root of `value` of this degree: integer Newton from above.
function rootFraction(value, degree) {
  const target = BigInt(value) << (64n * degree);
  let root = BigInt(value) << 64n;
  for (;;) {
    const next = ((degree - 1n) * root + target / root ** (degree - 1n)) / degree;
    if (next >= root) return root & MASK64;
    root = next;
  }
}

const PRIMES = [];
for (let candidate = 2; PRIMES.length < 80; candidate += 1) {
  if (PRIMES.every((prime) => candidate % prime)) PRIMES.push(candidate);
}
const ROUNDS512 = PRIMES.map((prime) => rootFraction(prime, 3n));
const START512 = PRIMES.slice(0, 8).map((prime) => rootFraction(prime, 2n));
const ROUNDS256 = Int32Array.from(ROUNDS512.slice(0, 64), (word) => Number(word >> 32n) | 0);
const START256 = Int32Array.from(START512, (word) => Number(word >> 32n) | 0);

// The message with its end mark and its length in bits, a whole number of blocks.
function padded(message, block, lengthSize) {
  const size = Math.ceil((message.length + 1 + lengthSize) / block) * block;
  const data = new Uint8Array(size);
  data.set(message);
  data[message.length] = 0x80;
  new DataView(data.buffer).setBigUint64(size - 8, BigInt(message.length) * 8n);
  return data;
}

const turn32 = (word, by) => (word >>> by) | (word << (32 - by));

function sha256(...parts) {
  const data = padded(concat(...parts), 64, 8);
  const view = new DataView(data.buffer);
  const state = START256.slice();
  const w = new Int32Array(64);
  for (let start = 0; start < data.length; start += 64) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getInt32(start + 4 * i);
    for (let i = 16; i < 64; i += 1) {
      const s0 = turn32(w[i - 15], 7) ^ turn32(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = turn32(w[i - 2], 17) ^ turn32(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = w[i - 16] + s0 + w[i - 7] + s1;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 64; i += 1) {
      const s1 = turn32(e, 6) ^ turn32(e, 11) ^ turn32(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS256[i] + w[i]) | 0;
      const s0 = turn32(a, 2) ^ turn32(a, 13) ^ turn32(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => {
      state[i] += word;
    });
  }
  const digest = new DataView(new ArrayBuffer(32));
  state.forEach((word, i) => digest.setInt32(4 * i, word));
  return new Uint8Array(digest.buffer);
}

const turn64 = (word, by) => ((word >> by) | (word << (64n - by))) & MASK64;

function sha512(...parts) {
  const data = padded(concat(...parts), 128, 16);
  const view = new DataView(data.buffer);
  const state = START512.slice();
  const w = new Array(80);
  for (let start = 0; start < data.length; start += 128) {
    for (let i = 0; i < 16; i += 1) w[i] = view.getBigUint64(start + 8 * i);
    for (let i = 16; i < 80; i += 1) {
      const s0 = turn64(w[i - 15], 1n) ^ turn64(w[i - 15], 8n) ^ (w[i - 15] >> 7n);
      const s1 = turn64(w[i - 2], 19n) ^ turn64(w[i - 2], 61n) ^ (w[i - 2] >> 6n);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) & MASK64;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let i = 0; i < 80; i += 1) {
      const s1 = turn64(e, 14n) ^ turn64(e, 18n) ^ turn64(e, 41n);
      const t1 = h + s1 + ((e & f) ^ (~e & MASK64 & g)) + ROUNDS512[i] + w[i];
      const s0 = turn64(a, 28n) ^ turn64(a, 34n) ^ turn64(a, 39n);
      const t2 = s0 + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) & MASK64, c, b, a, (t1 + t2) & MASK64];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => {
      state[i] = (state[i] + word) & MASK64;
    });
  }
  const digest = new DataView(new ArrayBuffer(64));
  state.forEach((word, i) => digest.setBigUint64(8 * i, word));
  return new Uint8Array(digest.buffer);
}

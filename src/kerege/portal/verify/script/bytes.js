// Bytes as text, each with exactly one spelling. Twin of kerege/proofs/text.py.

const HASH_SIZE = 32;
const BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE64URL = `${BASE64.slice(0, 62)}-_`;

const toUtf8 = (text) => new TextEncoder().encode(text);

function fromUtf8(data, complaint) {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(data);
  } catch {
    throw new Malformed(complaint);
  }
}

function concat(...parts) {
  const joined = new Uint8Array(parts.reduce((size, part) => size + part.length, 0));
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const isSame = (one, other) => one.length === other.length && one.every((byte, at) => byte === other[at]);

// Order of bytes, which for UTF-8 is that of code points.
function compareBytes(one, other) {
  for (let at = 0; at < Math.min(one.length, other.length); at += 1) {
    if (one[at] !== other[at]) return one[at] - other[at];
  }
  return one.length - other.length;
}

const compareText = (one, other) => compareBytes(toUtf8(one), toUtf8(other));

const toHex = (data) => Array.from(data, (byte) => byte.toString(16).padStart(2, "0")).join("");

function fromHex(text, what, size) {
  if (typeof text !== "string") throw new Malformed(`${what} is not text`);
  if (text.length !== 2 * size || !/^[0-9a-f]*$/.test(text)) {
    throw new Malformed(`${what} is not ${size} bytes of lower-case hex`);
  }
  return Uint8Array.from({ length: size }, (_, at) => Number.parseInt(text.slice(2 * at, 2 * at + 2), 16));
}

// Decode digits of six bits each, or return null: unknown digits, a lone last digit, unused bits that are not zero.
function decodeDigits(text, alphabet) {
  const data = new Uint8Array(Math.floor((text.length * 6) / 8));
  let bits = 0;
  let width = 0;
  let at = 0;
  for (const digit of text) {
    const value = alphabet.indexOf(digit);
    if (value < 0) return null;
    bits = ((bits << 6) | value) & 0xffff;
    width += 6;
    if (width >= 8) {
      width -= 8;
      data[at] = (bits >> width) & 0xff;
      at += 1;
    }
  }
  return text.length % 4 === 1 || bits & ((1 << width) - 1) ? null : data;
}

// Decode base64url without padding and with zero unused bits; exactly `size` bytes where given.
function fromBase64url(text, what, size = null) {
  if (typeof text !== "string") throw new Malformed(`${what} is not text`);
  const data = decodeDigits(text, BASE64URL);
  if (data === null) throw new Malformed(`${what} is not base64url in its one form`);
  if (size !== null && data.length !== size) throw new Malformed(`${what} is not ${size} bytes long`);
  return data;
}

// Decode base64 with padding and zero unused bits, as C2SP notes write it.
function fromBase64(text, what) {
  const digits = text.replace(/={1,2}$/, "");
  const data = text.length % 4 ? null : decodeDigits(digits, BASE64);
  if (data === null) throw new Malformed(`${what} is not base64 in its one form`);
  return data;
}

// Cut concatenated hashes into hashes of 32 bytes.
function toHashes(data, what) {
  if (data.length % HASH_SIZE) throw new Malformed(`${what} is not a whole number of hashes`);
  return Array.from({ length: data.length / HASH_SIZE }, (_, at) => data.subarray(at * HASH_SIZE, (at + 1) * HASH_SIZE));
}

// Text of which every character can be seen and none steers a line: no controls, formats, odd spaces, unassigned.
const isPrintable = (text) => !/[\p{C}\p{Z}]/u.test(text.replaceAll(" ", ""));

// The canonical MessagePack of receipts: shortest forms only. Twin of kerege/proofs/msgpack.py.
// Numbers from 2^53 on become BigInt, which compares with Number as it should.

const MSGPACK_DEPTH_LIMIT = 16;
const MSGPACK_WORDS = new Map([[0xc0, null], [0xc2, false], [0xc3, true]]);
// First byte of each longer form: [width of the number that follows, bound that makes it the shortest form].
const UNSIGNED = { 0xcc: [1, 0x80], 0xcd: [2, 0x100], 0xce: [4, 0x1_0000], 0xcf: [8, 0x1_0000_0000] };
const SIGNED = { 0xd0: [1, -0x20], 0xd1: [2, -0x80], 0xd2: [4, -0x8000], 0xd3: [8, -0x8000_0000] };
const BINARY = { 0xc4: [1, 0], 0xc5: [2, 0x100], 0xc6: [4, 0x1_0000] };
const TEXT = { 0xd9: [1, 0x20], 0xda: [2, 0x100], 0xdb: [4, 0x1_0000] };
const LIST = { 0xdc: [2, 0x10], 0xdd: [4, 0x1_0000] };

const asNumber = (value) => (value >= -INTEGER_LIMIT && value < INTEGER_LIMIT ? Number(value) : value);

class MsgpackReader {
  constructor(data) {
    this.data = data;
    this.at = 0;
  }

  take(count) {
    const end = this.at + count;
    if (end > this.data.length) throw new Malformed("MessagePack ends too early");
    const taken = this.data.subarray(this.at, end);
    this.at = end;
    return taken;
  }

  natural(width) {
    return asNumber(this.take(width).reduce((value, byte) => (value << 8n) | BigInt(byte), 0n));
  }

  unsigned([width, least]) {
    const value = this.natural(width);
    if (value < least) throw new Malformed("MessagePack is not in its shortest form");
    return value;
  }

  negative([width, bound]) {
    const value = asNumber(BigInt.asIntN(8 * width, BigInt(this.natural(width))));
    if (value >= bound) throw new Malformed("MessagePack is not in its shortest form");
    return value;
  }

  text(size) {
    return fromUtf8(this.take(size), "MessagePack holds text that is not UTF-8");
  }

  items(count, depth) {
    if (depth === MSGPACK_DEPTH_LIMIT || count > this.data.length - this.at) {
      throw new Malformed("MessagePack is nested too deeply or ends too early");
    }
    return Array.from({ length: count }, () => this.value(depth + 1));
  }

  value(depth) {
    const [head] = this.take(1);
    if (MSGPACK_WORDS.has(head)) return MSGPACK_WORDS.get(head);
    if (head < 0x80) return head;
    if (head >= 0xe0) return head - 0x100;
    if (head in UNSIGNED) return this.unsigned(UNSIGNED[head]);
    if (head in SIGNED) return this.negative(SIGNED[head]);
    return this.sized(head, depth);
  }

  sized(head, depth) {
    if (head in BINARY) return this.take(this.unsigned(BINARY[head]));
    if ((head & 0xe0) === 0xa0) return this.text(head & 0x1f);
    if (head in TEXT) return this.text(this.unsigned(TEXT[head]));
    if ((head & 0xf0) === 0x90) return this.items(head & 0x0f, depth);
    if (head in LIST) return this.items(this.unsigned(LIST[head]), depth);
    throw new Malformed("MessagePack holds a map, a float or an extension");
  }
}

// Read one canonical value that fills `data`.
function decodeMsgpack(data) {
  const reader = new MsgpackReader(data);
  const value = reader.value(0);
  if (reader.at !== data.length) throw new Malformed("bytes follow the MessagePack value");
  return value;
}

function packNatural(value) {
  if (value < 0x80) return Uint8Array.of(value);
  const [head, [width]] = Object.entries(UNSIGNED).find(([, [size]]) => value < 256 ** size);
  return Uint8Array.of(head, ...Array.from({ length: width }, (_, at) => Math.floor(value / 256 ** (width - 1 - at))));
}

// The bytes of ["block", height, time, state root, validators]: the only value that is written.
function packBlock(height, time, root, validators) {
  const hash = Uint8Array.of(0xc4, HASH_SIZE);
  const head = concat(Uint8Array.of(0x95, 0xa5), toUtf8("block"));
  return concat(head, packNatural(height), packNatural(time), hash, root, hash, validators);
}

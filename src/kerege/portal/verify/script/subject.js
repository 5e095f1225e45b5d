// What a receipt says, and which certificate it is about. Twin of kerege/proofs/subject.py.
// Read by position from the front, so that later versions may add members at the end.

const CERTIFICATE_ISSUED = "registries.CertificateIssued";
const MODULE = "registries";
const TABLE = "registries.certificate";
const ID_SIZE = 16;
const KNOWN_STATUSES = ["valid", "superseded", "revoked", "annulled"];

// One letter per member: s text, b bytes, i whole number from 0, l list.
const EVENT_SHAPE = "sbbisbbsssb";
const ROW_SHAPE = "bissib";
const RECEIPT_SHAPE = "sbbiisll";
const BLOCK_RECEIPT_SHAPE = "siil";
const IS_KIND = {
  s: (item) => typeof item === "string",
  b: (item) => item instanceof Uint8Array,
  i: (item) => (typeof item === "number" || typeof item === "bigint") && item >= 0,
  l: (item) => Array.isArray(item),
};

const hasShape = (items, shape) =>
  Array.isArray(items) && items.length >= shape.length && [...shape].every((kind, at) => IS_KIND[kind](items[at]));

function eventsOf(value) {
  if (!value.every((event) => Array.isArray(event) && typeof event[0] === "string")) {
    throw new Malformed("an event of the receipt has no tag");
  }
  return value;
}

// Read a receipt or a block receipt.
function readReceipt(data) {
  const items = decodeMsgpack(data);
  if (hasShape(items, RECEIPT_SHAPE) && items.length === RECEIPT_SHAPE.length && items[0] === "receipt") {
    const [, transaction, witness, height, time, code, , events] = items;
    if (transaction.length === HASH_SIZE && witness.length === HASH_SIZE) {
      return { transaction, height, time, code, events: eventsOf(events) };
    }
  }
  const isBlock = hasShape(items, BLOCK_RECEIPT_SHAPE) && items.length === BLOCK_RECEIPT_SHAPE.length;
  if (isBlock && items[0] === "block-receipt") {
    return { transaction: null, height: items[1], time: items[2], code: "", events: eventsOf(items[3]) };
  }
  throw new Malformed("the receipt is not one");
}

function certificateOf(event) {
  const [, certificate, record, version, kind, content, , service, office, role, appointment] = event;
  const ids = [certificate, record, appointment];
  if (!hasShape(event, EVENT_SHAPE) || content.length !== HASH_SIZE || ids.some((id) => id.length !== ID_SIZE)) {
    throw new Malformed("the event that issued the certificate is malformed");
  }
  const key = concat(toUtf8(`${TABLE}\0`), certificate);
  return { certificate, record, version, kind, content, service, office, role, appointment, key };
}

// The certificates that a receipt issued, by their position among its events.
function certificatesOf(receipt) {
  const issued = receipt.events.map((event, at) => [at, event]).filter(([, [tag]]) => tag === CERTIFICATE_ISSUED);
  return new Map(issued.map(([at, event]) => [at, certificateOf(event)]));
}

// The certificate that the bundle is about: the only one, or the one its `event` names; null where there is none.
function chooseCertificate(bundle, issued) {
  if (bundle.event !== null) {
    if (issued.size < 2 || !issued.has(bundle.event)) {
      throw new Malformed("the bundle names an event that needs no naming or issued no certificate");
    }
    return issued.get(bundle.event);
  }
  if (issued.size === 1) return [...issued.values()][0];
  if (bundle.state !== null || bundle.disclosures.length) {
    throw new Malformed("the bundle shows state or fields, but not of which certificate");
  }
  return null;
}

// Read a certificate's row: one schema byte, then MessagePack.
function readStanding(value) {
  const row = decodeMsgpack(value.subarray(1));
  if (!hasShape(row, ROW_SHAPE)) throw new Malformed("the certificate's row is not one");
  const [record, version, kind, word, since] = row;
  return { record, version, kind, word, since, status: KNOWN_STATUSES.includes(word) ? word : "unknown" };
}

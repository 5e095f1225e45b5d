// C2SP signed notes and log checkpoints. Twin of kerege/proofs/note.py.

const SIGNATURES_LIMIT = 100;
const SIZE_DIGITS_LIMIT = 16;
const DASH = "\u2014 ";

const isKeyName = (name) => name !== "" && isPrintable(name) && !/[ +]/.test(name);

const keyId = (name, publicKey) => sha256(toUtf8(name), Uint8Array.of(10, 1), publicKey).subarray(0, 4);

function signatureLine(line) {
  const rest = line.startsWith(DASH) ? line.slice(DASH.length) : "";
  const space = rest.indexOf(" ");
  const name = rest.slice(0, Math.max(space, 0));
  if (!isKeyName(name)) throw new Malformed("a signature line of the note is malformed");
  const data = fromBase64(rest.slice(space + 1), "a signature of the note");
  if (data.length !== 4 + SIGNATURE_SIZE) throw new Malformed("a signature of the note is not an Ed25519 signature");
  return { name, keyId: data.subarray(0, 4), signature: data.subarray(4) };
}

// Read a signed note with at least one Ed25519 signature.
function parseNote(note) {
  if (/[\u0000-\u0009\u000b-\u001f]/.test(note)) throw new Malformed("the note holds a control character");
  const split = note.lastIndexOf("\n\n");
  if (split < 0 || split + 2 === note.length || !note.endsWith("\n")) {
    throw new Malformed("the note has no signatures");
  }
  const lines = note.slice(split + 2, -1).split("\n");
  if (lines.length > SIGNATURES_LIMIT) throw new Malformed("the note has too many signatures");
  return { body: note.slice(0, split + 1), signatures: lines.map(signatureLine) };
}

function sizeOf(digits) {
  const plain = /^(0|[1-9][0-9]*)$/.test(digits) && digits.length <= SIZE_DIGITS_LIMIT;
  if (!plain || Number(digits) >= INTEGER_LIMIT) {
    throw new Malformed("the size in the checkpoint is not a plain number below 2^53");
  }
  return Number(digits);
}

// Read a checkpoint: origin, size and root, no extension lines.
function parseCheckpoint(note) {
  const { body, signatures } = parseNote(note);
  const lines = body.split("\n");
  const [origin, size, encodedRoot] = lines;
  if (lines.length !== 4 || origin === "") throw new Malformed("the checkpoint has not exactly three lines");
  const root = fromBase64(encodedRoot, "the root in the checkpoint");
  if (root.length !== HASH_SIZE) throw new Malformed("the root in the checkpoint is not 32 bytes long");
  return { origin, size: sizeOf(size), root, body: toUtf8(body), signatures };
}

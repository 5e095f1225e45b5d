// What a verification can come to. Twin of kerege/proofs/outcome.py.

const EXIT = { VALID: 0, NOT_VALID: 1, UNUSABLE: 2, NOT_CURRENT: 3 };
const VERDICTS = ["valid", "not-valid", "unusable", "not-current"];

// Everything that is checked, in the order of checking.
const CHECKS = [
  "trust-file",
  "bundle-file",
  "checkpoint-file",
  "ledger",
  "receipt",
  "state-path",
  "log-path",
  "certificate",
  "disclosures",
  "signatures",
  "threshold",
  "final",
  "fork",
  "status",
  "age",
  "newer-checkpoint",
];
const CURRENT = ["valid", "no-status"];

// Bytes are not in the one form that the format allows; the message says where.
class Malformed extends Error {}

// A check of a readable bundle did not hold; the reason is a stable code.
class Failed extends Error {
  constructor(check, reason) {
    super(`${check}: ${reason}`);
    this.check = check;
    this.reason = reason;
  }
}

// An input cannot be judged at all; the reason is a sentence in English.
class Unusable extends Error {
  constructor(check, reason) {
    super(`${check}: ${reason}`);
    this.check = check;
    this.reason = reason;
  }
}

// Run `read`; what is malformed in it becomes the exception that `otherwise` makes of the message.
function reading(read, otherwise) {
  try {
    return read();
  } catch (error) {
    if (error instanceof Malformed) throw otherwise(error.message);
    throw error;
  }
}

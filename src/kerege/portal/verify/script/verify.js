// The verdict on a bundle: offline, from the bundle, the trust file and the time of asking. Twin of
// kerege/proofs/verify.py: the same checks in the same order, the same reasons.

const DAY = 86_400_000;

// Results so far, in the order in which they came.
class Results {
  constructor() {
    this.results = new Map();
  }

  put(check, result, reason = "") {
    this.results.set(check, { check, result, reason });
  }

  putIf(check, passed, reason) {
    this.put(check, passed ? "passed" : "failed", passed ? "" : reason);
  }

  all() {
    return CHECKS.map((check) => this.results.get(check) ?? { check, result: "not-run", reason: "" });
  }

  firstFailing() {
    return [...this.results.values()].find(({ result }) => result === "failed") ?? null;
  }

  verdict(exit, facts = null) {
    return { exit, verdict: VERDICTS[exit], checks: this.all(), facts, failing: this.firstFailing() };
  }
}

function checkSignature(line, checkpoint, trust, span) {
  const known = findKeys(trust, line);
  if (!known.length) throw new Failed("signatures", "unknown-key");
  const key = known.find((one) => isValidWithin(one, span));
  if (key === undefined) throw new Failed("signatures", "key-not-valid-then");
  if (!isSigned(key.key, checkpoint.body, line.signature)) throw new Failed("signatures", "bad-signature");
  return key;
}

// The names of the signers: every signature present must verify, under a key valid within the time span.
function checkSignatures(checkpoint, trust, span) {
  const names = checkpoint.signatures.map(({ name }) => name);
  if (new Set(names).size !== names.length) throw new Failed("signatures", "repeated");
  if (!names.every((name, at) => !at || compareText(names[at - 1], name) < 0)) {
    throw new Failed("signatures", "not-sorted");
  }
  const signed = checkpoint.signatures.map((line) => checkSignature(line, checkpoint, trust, span));
  if (!isEnough(trust, signed, span)) throw new Failed("threshold", "too-few");
  return names;
}

// Read and verify the checkpoint given apart; signatures of unknown keys are passed by, as C2SP asks.
function readNewer({ trust, now, checkpoint: data }, size, asOf) {
  if (data === null) return null;
  const unusable = (reason) => new Unusable("checkpoint-file", reason);
  const newer = reading(() => parseCheckpoint(fileText(data)), unusable);
  if (newer.origin !== trust.origin) throw unusable("it is of another log");
  const span = [newer.size > size ? asOf : 0, now > asOf ? now : asOf];
  const ours = newer.signatures.filter((line) => findKeys(trust, line).length);
  const signed = ours.map((line) => {
    try {
      return checkSignature(line, newer, trust, span);
    } catch (error) {
      if (!(error instanceof Failed)) throw error;
      throw unusable("a signature on it does not verify");
    }
  });
  if (!isEnough(trust, signed, span)) throw unusable("it bears too few signatures of trusted keys");
  return newer;
}

function statusOf(bundle, { receipt, issued, standing }) {
  if (receipt.code !== "") return "refused";
  if (!issued) return "no-status";
  if (bundle.state === null) return "not-proven";
  return standing === null ? "missing" : standing.status;
}

function checkLedger(bundle, checkpoint, trust) {
  if (bundle.ledger !== trust.ledger) throw new Failed("ledger", "another-ledger");
  if (checkpoint.origin !== trust.origin) throw new Failed("ledger", "another-log");
  if (bundle.record !== null && isSame(bundle.record.validators, NO_VALIDATORS) === trust.replicated) {
    throw new Failed("ledger", "another-engine");
  }
}

function walkAll(bundle, checkpoint, results) {
  const walked = reading(
    () => walkPaths(bundle, checkpoint),
    (reason) => new Unusable("bundle-file", reason),
  );
  const state = bundle.state === null ? "absent" : "passed";
  results.put("receipt", "passed");
  results.put("state-path", state);
  results.put("log-path", "passed");
  results.put("certificate", state);
  results.put("disclosures", bundle.disclosures.length ? "passed" : "absent");
  return walked;
}

// When the checkpoint was signed: the block record's time, or else any time from the receipt to now.
function signingSpan({ record }, { receipt }, now) {
  if (record !== null) return [record.time, record.time];
  return [receipt.time, now > receipt.time ? now : receipt.time];
}

function checkNewer(checkpoint, newer, results) {
  if (newer === null) {
    for (const check of ["checkpoint-file", "fork", "newer-checkpoint"]) results.put(check, "absent");
    return;
  }
  results.put("checkpoint-file", "passed");
  if (newer.size === checkpoint.size && !isSame(newer.root, checkpoint.root)) {
    throw new Failed("fork", "two-roots-of-one-size");
  }
  results.put("fork", "passed");
  results.putIf("newer-checkpoint", newer.size <= checkpoint.size, "newer-exists");
}

function checkAge(asOf, { now, maxAgeDays }, results) {
  // A checkpoint dated later than this machine's clock by more than a day is not called current.
  if (asOf > now + DAY) results.put("age", "failed", "later-than-clock");
  else if (maxAgeDays === null) results.put("age", "absent");
  else results.putIf("age", now - Number(asOf) <= maxAgeDays * DAY, "too-old");
}

function factsOf(bundle, checkpoint, walked, asked, [asOf], status, signers, final, results) {
  const { receipt, standing, certificate } = walked;
  return {
    ledger: bundle.ledger,
    index: bundle.index,
    size: checkpoint.size,
    transaction: receipt.transaction && toHex(receipt.transaction),
    height: receipt.height,
    time: receipt.time,
    signers,
    engine: asked.trust.replicated ? COMETBFT : ONE_OPERATOR,
    as_of: asOf,
    as_of_is_exact: bundle.record !== null,
    age: asOf > asked.now ? 0 : asked.now - Number(asOf),
    status,
    status_word: standing === null ? receipt.code : standing.word,
    since: standing === null ? null : standing.since,
    issued: certificate && {
      certificate: toHex(certificate.certificate),
      record: toHex(certificate.record),
      version: certificate.version,
      kind: certificate.kind,
      service: certificate.service,
      office: certificate.office,
      role: certificate.role,
      appointment: toHex(certificate.appointment),
    },
    disclosed: bundle.disclosures.map(({ field, value }) => ({ field, value })),
    final,
    stale: ["age", "newer-checkpoint"].filter((check) => results.results.get(check).result === "failed"),
  };
}

// Check all; hashes before signatures, since they are cheaper and refuse most tampering.
function judge(data, asked, results) {
  const [bundle, checkpoint] = reading(
    () => {
      const parsed = parseBundle(data);
      return [parsed, parseCheckpoint(parsed.note)];
    },
    (reason) => new Unusable("bundle-file", reason),
  );
  results.put("bundle-file", "passed");
  checkLedger(bundle, checkpoint, asked.trust);
  results.put("ledger", "passed");
  const walked = walkAll(bundle, checkpoint, results);
  const span = signingSpan(bundle, walked, asked.now);
  const signers = checkSignatures(checkpoint, asked.trust, span);
  results.put("signatures", "passed");
  results.put("threshold", "passed");
  const final = checkCommit(bundle, walked, checkpoint, asked.trust);
  results.put("final", final === null ? "absent" : "passed");

  const status = statusOf(bundle, walked);
  checkNewer(checkpoint, readNewer(asked, checkpoint.size, span[0]), results);
  results.putIf("status", CURRENT.includes(status), status);
  checkAge(span[0], asked, results);
  const facts = factsOf(bundle, checkpoint, walked, asked, span, status, signers, final, results);
  return results.verdict(results.firstFailing() === null ? EXIT.VALID : EXIT.NOT_CURRENT, facts);
}

// Judge a proof bundle; never throws for what a file holds. `now` is in milliseconds since the Unix epoch.
function verify(bundle, trustFile, { now, maxAgeDays = null, checkpoint = null }) {
  const results = new Results();
  try {
    const trust = reading(
      () => parseTrust(trustFile),
      (reason) => new Unusable("trust-file", reason),
    );
    results.put("trust-file", "passed");
    return judge(bundle, { trust, now, maxAgeDays, checkpoint }, results);
  } catch (error) {
    if (!(error instanceof Failed || error instanceof Unusable)) throw error;
    results.put(error.check, "failed", error.reason);
    return results.verdict(error instanceof Failed ? EXIT.NOT_VALID : EXIT.UNUSABLE);
  }
}

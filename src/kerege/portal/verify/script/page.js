// The page: files in, verdict out. Everything is written as text, nothing as markup; no request is ever made.

const LANGUAGES = ["ky", "ru", "en"];
const SIGNS = { good: "\u2713", bad: "\u2717", wary: "!", none: "\u2013" };
const EXIT_SIGNS = [SIGNS.good, SIGNS.bad, SIGNS.bad, SIGNS.wary];
const DAYS_LIMIT = 100_000;
const SLOTS = ["certificate", "trust", "newer"];

const byId = (id) => document.getElementById(id);

// What the reader has given, and what it came to. `changed` is the one byte that is not the file's own.
const given = { certificate: null, trust: null, newer: null, changed: null, verdict: null, now: 0 };

function language() {
  const wanted = [location.hash.slice(1), ...navigator.languages.map((tag) => tag.slice(0, 2))];
  return wanted.find((tag) => LANGUAGES.includes(tag)) ?? LANGUAGES[0];
}

const texts = () => PAGE_TEXTS[language()];

function element(name, text, className = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (className) made.className = className;
  return made;
}

function maxAge() {
  const days = byId("max-age").value.trim();
  return /^[0-9]{1,6}$/.test(days) && Number(days) <= DAYS_LIMIT ? Number(days) : null;
}

// The certificate's bytes, with the one changed byte if there is one.
function certificateBytes() {
  const data = given.certificate.data.slice();
  if (given.changed !== null) data[given.changed.at] = given.changed.to;
  return data;
}

function check() {
  given.now = Date.now();
  given.verdict = null;
  if (given.certificate !== null && given.trust !== null) {
    const asked = { now: given.now, maxAgeDays: maxAge(), checkpoint: given.newer && given.newer.data };
    given.verdict = verify(certificateBytes(), given.trust.data, asked);
  }
  show();
}

// --- showing ---------------------------------------------------------------------------------------------------

function showTexts() {
  document.documentElement.lang = language();
  document.title = texts().title;
  for (const one of document.querySelectorAll("[data-text]")) one.textContent = texts()[one.dataset.text];
  for (const link of document.querySelectorAll("#languages a")) {
    if (link.lang === language()) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

// A file's name and hash, by which it can be told from others.
function nameOf(file) {
  if (file === null) return "";
  return fill(texts().chosen, {
    name: file.name === null ? texts().embedded : safe(file.name),
    hash: toHex(sha256(file.data)),
  });
}

function showFiles() {
  for (const slot of SLOTS) byId(`${slot}-chosen`).textContent = nameOf(given[slot]);
  const papers = SLOTS.filter((slot) => given[slot] !== null);
  byId("papers").textContent = papers.map((slot) => `${texts()[`pick_${slot}`]}: ${nameOf(given[slot])}`).join("; ");
  const days = byId("max-age");
  days.setAttribute("aria-invalid", String(!days.validity.valid || (days.value !== "" && maxAge() === null)));
}

function showVerdict() {
  const { verdict } = given;
  byId("answer").dataset.exit = verdict ? String(verdict.exit) : "none";
  if (verdict) byId("verdict").textContent = `${EXIT_SIGNS[verdict.exit]} ${texts().verdicts[verdict.verdict]}`;
  else byId("verdict").textContent = given.certificate ? texts().needs_trust : texts().needs_certificate;
  const failing = verdict && verdict.failing;
  byId("failing").hidden = !failing;
  if (failing) {
    const number = CHECKS.indexOf(failing.check) + 1;
    byId("failing").textContent = fill(texts().failing, {
      number,
      count: CHECKS.length,
      code: failing.check,
      check: texts().checks[failing.check],
      reason: safe(failing.reason),
    });
  }
}

// A sign for each line: unchanged or not, the status, who issued it, whether it is final.
function signsOf({ exit, facts }) {
  if (facts === null) return [SIGNS.bad, SIGNS.none, SIGNS.none];
  return [SIGNS.good, exit === EXIT.VALID ? SIGNS.good : SIGNS.wary, facts.issued ? SIGNS.good : SIGNS.none, SIGNS.good];
}

function showLines() {
  const { verdict } = given;
  const said = verdict ? linesOf(verdict, LINE_TEXTS[language()], maxAge()) : [];
  byId("lines").hidden = !said.length;
  byId("lines").replaceChildren(
    ...said.map((line, at) => {
      const item = element("li", "");
      const sign = element("span", signsOf(verdict)[at], "sign");
      sign.setAttribute("aria-hidden", "true");
      item.append(sign, element("span", line));
      return item;
    }),
  );
}

function showFields() {
  const shown = given.verdict && given.verdict.facts ? given.verdict.facts.disclosed : [];
  byId("fields").hidden = !shown.length;
  byId("fields").tBodies[0].replaceChildren(
    ...shown.map(({ field, value }) => {
      const row = element("tr", "");
      const name = element("th", safe(field));
      name.scope = "row";
      row.append(name, element("td", safe(value)));
      return row;
    }),
  );
}

function byteName(byte) {
  const code = `0x${byte.toString(16).padStart(2, "0")}`;
  return byte > 0x20 && byte < 0x7f ? `${String.fromCharCode(byte)} (${code})` : code;
}

function showChange() {
  const { changed, certificate } = given;
  byId("restore").hidden = changed === null;
  byId("changed").textContent = changed
    ? fill(texts().changed, {
        at: changed.at + 1,
        size: certificate.data.length,
        from: byteName(changed.from),
        to: byteName(changed.to),
      })
    : "";
}

function showChecks() {
  const { verdict } = given;
  byId("rest").hidden = !verdict;
  if (!verdict) return;
  byId("checked").textContent = fill(texts().checked, { time: dateOf(given.now) });
  byId("checks").replaceChildren(
    ...verdict.checks.map(({ check: code, result, reason }) => {
      const item = element("li", `${texts().checks[code]}: ${texts().results[result]}`, result);
      if (reason) item.append(` (${safe(reason)})`);
      item.append(" ", element("code", code));
      return item;
    }),
  );
}

function show() {
  showTexts();
  showFiles();
  showVerdict();
  showLines();
  showFields();
  showChange();
  showChecks();
}

// --- files -----------------------------------------------------------------------------------------------------

// Read at most 1 MiB and one byte: the byte more tells the verifier that the file is larger.
async function bytesOf(file) {
  return new Uint8Array(await file.slice(0, SIZE_LIMIT + 1).arrayBuffer());
}

// Which of the three a dropped file is; what is none of them is judged as a certificate, and refused as such.
function slotOf(data) {
  const text = new TextDecoder().decode(data);
  if (text.includes(`"${TRUST_FORMAT}"`)) return "trust";
  return !text.startsWith("{") && text.includes(`\n\n${DASH}`) ? "newer" : "certificate";
}

async function take(file, wantedSlot = null) {
  let data;
  try {
    data = await bytesOf(file);
  } catch {
    data = new Uint8Array(0); // a folder, or a file that went away: nothing that could be verified
  }
  const slot = wantedSlot ?? slotOf(data);
  if (wantedSlot === null) {
    const carried = new DataTransfer(); // so that the file input names what was dropped
    carried.items.add(file);
    byId(slot).files = carried.files;
  }
  if (slot === "certificate") given.changed = null;
  given[slot] = { name: file.name, data };
}

async function dropped(event) {
  event.preventDefault();
  byId("drop").classList.remove("over");
  for (const file of [...event.dataTransfer.files]) await take(file);
  check();
}

// --- one byte --------------------------------------------------------------------------------------------------

// Bytes of the same kind: a digit for a digit, a letter for a letter, so that mostly it is a hash or a signature that
// fails, and not the form of the file.
function likeOf(byte) {
  const kinds = [/[0-9]/, /[a-z]/, /[A-Z]/, /[!-~]/];
  const kind = kinds.find((one) => one.test(String.fromCharCode(byte))) ?? /[^]/;
  const bytes = Array.from({ length: 256 }, (_, other) => other);
  return bytes.filter((other) => other !== byte && kind.test(String.fromCharCode(other)));
}

function changeByte() {
  const { data } = given.certificate;
  if (!data.length) return;
  const [place, chance] = crypto.getRandomValues(new Uint32Array(2));
  const at = place % data.length;
  const others = likeOf(data[at]);
  given.changed = { at, from: data[at], to: others[chance % others.length] };
  check();
}

function restoreByte() {
  given.changed = null;
  check();
  byId("change").focus();
}

// --- wiring ----------------------------------------------------------------------------------------------------

function wire() {
  for (const slot of SLOTS) {
    byId(slot).addEventListener("change", async ({ target }) => {
      if (!target.files.length) return;
      await take(target.files[0], slot);
      check();
    });
  }
  byId("max-age").addEventListener("input", check);
  byId("change").addEventListener("click", changeByte);
  byId("restore").addEventListener("click", restoreByte);
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    byId("drop").classList.add("over");
  });
  document.addEventListener("dragleave", () => byId("drop").classList.remove("over"));
  document.addEventListener("drop", dropped);
  addEventListener("hashchange", show);
}

function start() {
  const embedded = byId("embedded-trust").textContent.trim();
  if (embedded) given.trust = { name: null, data: fromBase64(embedded, "the embedded trust file") };
  for (const id of ["languages", "app", "footer"]) byId(id).hidden = false;
  wire();
  show();
}

start();

// For those who would rather call it from the console: bytes of a bundle, bytes of a trust file.
globalThis.keregeVerify = (bundle, trust, asked = {}, lang = "en") => {
  const verdict = verify(bundle, trust, { now: Date.now(), ...asked });
  return { ...verdict, lines: linesOf(verdict, LINE_TEXTS[lang], asked.maxAgeDays) };
};

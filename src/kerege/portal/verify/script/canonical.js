// RFC 8785 canonical JSON, restricted to what proofs need. Twin of kerege/proofs/canonical.py.
// JSON.parse is not used: it lets members stand twice and rounds numbers.

const INTEGER_LIMIT = 2 ** 53;
const SIZE_LIMIT = 1 << 20;
const JSON_DEPTH_LIMIT = 32;
const DIGITS_LIMIT = 17;
const JSON_ESCAPES = { '"': '"', "\\": "\\", "/": "/", b: "\b", f: "\f", n: "\n", r: "\r", t: "\t" };
const JSON_WORDS = { true: true, false: false, null: null };

// A cursor over the source; every method reads one thing and stands behind it.
class JsonReader {
  constructor(source) {
    this.source = source;
    this.at = 0;
  }

  fail() {
    throw new Malformed("not JSON");
  }

  match(pattern) {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.source);
    if (found) this.at = pattern.lastIndex;
    return found;
  }

  space() {
    this.match(/[ \t\n\r]*/y);
  }

  next(mark) {
    if (this.source[this.at] !== mark) return false;
    this.at += 1;
    return true;
  }

  expect(mark) {
    if (!this.next(mark)) this.fail();
  }

  value() {
    if (this.next('"')) return this.string();
    if (this.next("{")) return this.object();
    if (this.next("[")) return this.array();
    const word = this.match(/true|false|null/y);
    if (word) return JSON_WORDS[word[0]];
    if (this.match(/NaN|-?Infinity/y)) throw new Malformed("a number is not an integer");
    return this.number();
  }

  number() {
    const found = this.match(/-?(?:0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?/y);
    if (!found) this.fail();
    const [digits, fraction, exponent] = found;
    if (fraction || exponent) throw new Malformed("a number is not an integer");
    const value = digits.length > DIGITS_LIMIT ? Infinity : Number(digits);
    if (!Number.isSafeInteger(value)) throw new Malformed("a number is too large");
    return value + 0; // no negative zero
  }

  string() {
    let text = "";
    for (;;) {
      text += this.match(/[^"\\\u0000-\u001f]*/y)[0];
      if (this.next('"')) return text;
      this.expect("\\");
      const escaped = this.match(/["\\/bfnrt]|u[0-9a-fA-F]{4}/y);
      if (!escaped) this.fail();
      const [mark] = escaped;
      text += mark[0] === "u" ? String.fromCharCode(Number.parseInt(mark.slice(1), 16)) : JSON_ESCAPES[mark];
    }
  }

  array() {
    const items = [];
    this.space();
    if (this.next("]")) return items;
    for (;;) {
      this.space();
      items.push(this.value());
      this.space();
      if (this.next("]")) return items;
      this.expect(",");
    }
  }

  object() {
    const members = new Map();
    let count = 0;
    this.space();
    if (this.next("}")) return members;
    for (;;) {
      this.space();
      this.expect('"');
      const name = this.string();
      this.space();
      this.expect(":");
      this.space();
      members.set(name, this.value());
      count += 1;
      this.space();
      if (this.next("}")) break;
      this.expect(",");
    }
    if (members.size !== count) throw new Malformed("a member appears twice");
    return members;
  }
}

// Where the string that begins at `start` ends; one without an end, which is no JSON, with the file.
function endOfString(source, start) {
  for (let at = start + 1; at < source.length; at += 1) {
    if (source[at] === "\\") at += 1;
    else if (source[at] === '"') return at;
  }
  return source.length;
}

// Refuse lists and objects that nest deeper than any bundle does; brackets inside of strings do not count.
function checkDepth(source) {
  let depth = 0;
  for (let at = 0; at < source.length; at += 1) {
    const mark = source[at];
    if (mark === '"') at = endOfString(source, at);
    else if (mark === "[" || mark === "{") depth += 1;
    else if (mark === "]" || mark === "}") depth -= 1;
    if (depth > JSON_DEPTH_LIMIT) throw new Malformed("nested too deeply");
  }
}

// The canonical bytes' text: members in the order of their UTF-16 code units, no space, shortest escapes.
function canonicalText(value) {
  if (Array.isArray(value)) return `[${value.map(canonicalText).join(",")}]`;
  if (value instanceof Map) {
    const names = [...value.keys()].sort();
    return `{${names.map((name) => `${canonicalText(name)}:${canonicalText(value.get(name))}`).join(",")}}`;
  }
  if (typeof value === "string" && /\p{Surrogate}/u.test(value)) throw new Malformed("text holds a lone surrogate");
  return JSON.stringify(value);
}

// The text of a file of at most 1 MiB.
function fileText(data) {
  if (data.length > SIZE_LIMIT) throw new Malformed("larger than 1 MiB");
  return fromUtf8(data, "not UTF-8");
}

// Read JSON strictly; spacing and order of members are free.
function parseJson(data) {
  const source = fileText(data);
  checkDepth(source);
  const reader = new JsonReader(source);
  reader.space();
  const value = reader.value();
  reader.space();
  if (reader.at !== source.length) reader.fail();
  return value;
}

// Read canonical JSON and refuse every other spelling of the same value.
function decodeJson(data) {
  const value = parseJson(data);
  if (!isSame(toUtf8(canonicalText(value)), data)) throw new Malformed("not in canonical form (RFC 8785)");
  return value;
}

// Return `value` as an object with all `required` members (sorted) and none beyond `optional`.
function membersOf(value, what, required, optional = []) {
  if (!(value instanceof Map)) throw new Malformed(`${what} is not an object`);
  const missing = required.filter((name) => !value.has(name));
  if (missing.length) throw new Malformed(`${what} lacks a member: ${missing.join(", ")}`);
  if (![...value.keys()].every((name) => required.includes(name) || optional.includes(name))) {
    throw new Malformed(`${what} has an unknown member`);
  }
  return Object.fromEntries(value);
}

function textOf(value, what) {
  if (typeof value !== "string") throw new Malformed(`${what} is not text`);
  return value;
}

function naturalOf(value, what) {
  if (typeof value !== "number" || value < 0) throw new Malformed(`${what} is not a natural number`);
  return value;
}

function listOf(value, what) {
  if (!Array.isArray(value)) throw new Malformed(`${what} is not a list`);
  return value;
}

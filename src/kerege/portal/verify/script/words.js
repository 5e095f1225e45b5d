// The verdict in words: the sentences are those of kerege/proofs/texts.py, put here when the page is built.

const MINUTE = 60_000;
const HOUR = 3_600_000;
const LAST_DATE = 253_402_300_799_999;

const fill = (template, values) => template.replace(/\{(\w+)\}/g, (_, name) => String(values[name]));

// A time in milliseconds as a date and minute in UTC.
function dateOf(time) {
  if (time > LAST_DATE) return `${time} ms`;
  const text = new Date(Math.floor(time / 1000) * 1000).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 16)} UTC`;
}

// Text that cannot reorder a line: what is not printable is shown as its code.
const safe = (text) =>
  Array.from(text, (one) => (isPrintable(one) ? one : `\\u{${one.codePointAt(0).toString(16)}}`)).join("");

function ageOf(age, words) {
  if (age >= DAY) return fill(words.days, [Math.floor(age / DAY), Math.floor((age % DAY) / HOUR)]);
  if (age >= HOUR) return fill(words.hours, [Math.floor(age / HOUR), Math.floor((age % HOUR) / MINUTE)]);
  return fill(words.minutes, [Math.floor(age / MINUTE)]);
}

function statusLine({ checks, facts }, words, maxAgeDays) {
  const since = facts.since === null ? "" : dateOf(facts.since);
  const status = fill(words.statuses[facts.status], { since, word: safe(facts.status_word) });
  const form = facts.as_of_is_exact ? words.status : words.status_undated;
  const line = fill(form, { as_of: dateOf(facts.as_of), age: ageOf(facts.age, words), status });
  const notes = facts.stale.map((check) => {
    const ahead = checks.some((one) => one.check === check && one.reason === "later-than-clock");
    return ahead ? words.later_than_clock : fill(words.stale[check], { max_age_days: maxAgeDays });
  });
  return [line, ...notes].join(" ");
}

function issuedLine({ issued, status, time, height }, words) {
  if (issued === null) {
    return fill(status === "not-proven" ? words.issued_several : words.issued_none, { time: dateOf(time), height });
  }
  const { office, role, service, appointment } = issued;
  return fill(words.issued, {
    office: safe(office),
    role: safe(role),
    service: safe(service),
    appointment,
    time: dateOf(time),
  });
}

// The three lines of a verdict, a fourth where it is final; one where the input is unusable. Fields shown have a table of their own.
function linesOf(verdict, words, maxAgeDays = null) {
  const { facts, failing, exit } = verdict;
  if (facts === null) {
    const form = exit === EXIT.UNUSABLE ? words.unusable : words.not_valid;
    const first = fill(form, { check: words.checks[failing.check], reason: safe(failing.reason) });
    return exit === EXIT.UNUSABLE ? [first] : [first, words.say_nothing, words.nobody];
  }
  const signers = facts.signers.map(safe).join(", ");
  return [
    fill(words.genuine, {
      index: facts.index,
      ledger: safe(facts.ledger),
      signers,
      run_by: words.run_by[facts.engine],
    }),
    statusLine(verdict, words, maxAgeDays),
    issuedLine(facts, words),
    ...(facts.final === null ? [] : [fill(words.final, { ...facts.final, chain: safe(facts.final.chain) })]),
  ];
}

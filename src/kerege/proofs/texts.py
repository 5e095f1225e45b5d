"""The verdict in words, in Kyrgyz, Russian and English. Codes for machines are in `outcome`; wording may change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from .outcome import Check, Exit, Facts, Final, Status, Verdict
from .trust import COMETBFT, ONE_OPERATOR

LANGUAGES = ("ky", "ru", "en")

_MINUTE, _HOUR, _DAY = 60_000, 3_600_000, 86_400_000
_LAST_DATE = 253_402_300_799_999
"""Last millisecond of the year 9999, which calendars here end with."""


@dataclass(frozen=True, slots=True)
class Texts:
    """All sentences of one language; braces take facts."""

    genuine: str
    run_by: Mapping[str, str]
    not_valid: str
    unusable: str
    checks: Mapping[Check, str]
    say_nothing: str
    nobody: str
    status: str
    status_undated: str
    statuses: Mapping[Status, str]
    stale: Mapping[Check, str]
    later_than_clock: str
    issued: str
    issued_none: str
    issued_several: str
    disclosed: str
    final: str
    days: str
    hours: str
    minutes: str


_EN = Texts(
    genuine=(
        "UNCHANGED: entry {index} of ledger {ledger} is genuine, every hash and signature holds. Signed by: {signers}. "
        "{run_by}"
    ),
    run_by={
        ONE_OPERATOR: "The ledger has one operator.",
        COMETBFT: "The ledger is run by several institutions together.",
    },
    not_valid="NOT VALID: {check} ({reason}). Do not rely on this file.",
    unusable="CANNOT BE CHECKED: {check}: {reason}.",
    checks={
        Check.TRUST_FILE: "the trust file is unusable",
        Check.BUNDLE_FILE: "the proof file is unusable",
        Check.CHECKPOINT_FILE: "the checkpoint file is unusable",
        Check.LEDGER: "the file is of another ledger than the trust file",
        Check.RECEIPT: "the entry does not fit the checkpoint",
        Check.STATE_PATH: "the proof of the current status is malformed",
        Check.LOG_PATH: "the entry, or the status shown, is not in the signed ledger",
        Check.CERTIFICATE: "the status shown is not that of this certificate",
        Check.DISCLOSURES: "a field shown is not what was registered",
        Check.SIGNATURES: "a signature is not good",
        Check.THRESHOLD: "too few signatures",
        Check.FINAL: "it is not shown that the validators voted for this",
        Check.FORK: "the ledger was shown with two histories; report this",
    },
    say_nothing="STATUS: nothing can be said, because the file is not valid.",
    nobody="ISSUED BY: nothing can be said, because the file is not valid.",
    status="STATUS as of {as_of} (checkpoint {age} old): {status}.",
    status_undated="STATUS not dated (checkpoint not older than {as_of}): {status}.",
    statuses={
        Status.VALID: "VALID since {since}",
        Status.SUPERSEDED: "SUPERSEDED since {since}; a newer version exists",
        Status.REVOKED: "REVOKED since {since}",
        Status.ANNULLED: "ANNULLED since {since}",
        Status.MISSING: "NOT THERE; the ledger holds no such certificate",
        Status.NOT_PROVEN: "NOT SHOWN; the file proves the issue, but not that the certificate is still valid",
        Status.UNKNOWN: "NOT UNDERSTOOD («{word}», since {since})",
        Status.REFUSED: "REFUSED with code {word}; the transaction changed nothing",
        Status.NO_STATUS: "an event that happened; this kind of entry has no later status",
    },
    stale={
        Check.AGE: "TOO OLD: more than {max_age_days} days; ask for a fresh file.",
        Check.NEWER_CHECKPOINT: "OUT OF DATE: a newer checkpoint exists; ask for a fresh file.",
    },
    later_than_clock="The checkpoint is dated later than this machine's clock; set the clock and check again.",
    issued=(
        "ISSUED BY office {office}, role {role}, under appointment "
        "{appointment}, in force on {time}; service {service}."
    ),
    issued_none="ISSUED BY: no certificate; entry of {time}, block {height}.",
    issued_several=(
        "ISSUED BY: the entry of {time} issued several certificates, and the file does not say which is meant."
    ),
    disclosed="SHOWN: {field} = {value}",
    final="FINAL: header {height} of {chain} carries it, voted for by more than 2/3 of the power.",
    days="{0} d {1} h",
    hours="{0} h {1} min",
    minutes="{0} min",
)

_RU = Texts(
    genuine=(
        "НЕ ИЗМЕНЕНО: запись {index} реестра {ledger} подлинная, все хеши и подписи верны. Подписали: {signers}. "
        "{run_by}"
    ),
    run_by={
        ONE_OPERATOR: "У реестра один оператор.",
        COMETBFT: "Реестр ведут вместе несколько учреждений.",
    },
    not_valid="НЕДЕЙСТВИТЕЛЬНО: {check} ({reason}). Не полагайтесь на этот файл.",
    unusable="ПРОВЕРИТЬ НЕЛЬЗЯ: {check}: {reason}.",
    checks={
        Check.TRUST_FILE: "файл доверия непригоден",
        Check.BUNDLE_FILE: "файл доказательства непригоден",
        Check.CHECKPOINT_FILE: "файл контрольной точки непригоден",
        Check.LEDGER: "файл относится к другому реестру, чем файл доверия",
        Check.RECEIPT: "запись не соответствует контрольной точке",
        Check.STATE_PATH: "доказательство текущего статуса искажено",
        Check.LOG_PATH: "записи или показанного статуса нет в подписанном реестре",
        Check.CERTIFICATE: "показан статус другого свидетельства",
        Check.DISCLOSURES: "показанное поле не совпадает с зарегистрированным",
        Check.SIGNATURES: "подпись неверна",
        Check.THRESHOLD: "подписей недостаточно",
        Check.FINAL: "не показано, что валидаторы голосовали за это",
        Check.FORK: "реестр показан с двумя разными историями; сообщите об этом",
    },
    say_nothing="СТАТУС: ничего сказать нельзя, файл недействителен.",
    nobody="КЕМ ВЫДАНО: ничего сказать нельзя, файл недействителен.",
    status="СТАТУС на {as_of} (контрольной точке {age}): {status}.",
    status_undated="СТАТУС без даты (контрольная точка не старше {as_of}): {status}.",
    statuses={
        Status.VALID: "ДЕЙСТВУЕТ с {since}",
        Status.SUPERSEDED: "ЗАМЕНЕНО с {since}; есть более новая версия",
        Status.REVOKED: "ОТОЗВАНО с {since}",
        Status.ANNULLED: "АННУЛИРОВАНО с {since}",
        Status.MISSING: "ОТСУТСТВУЕТ; такого свидетельства в реестре нет",
        Status.NOT_PROVEN: "НЕ ПОКАЗАН; файл доказывает выдачу, но не то, что свидетельство ещё действует",
        Status.UNKNOWN: "НЕПОНЯТЕН («{word}», с {since})",
        Status.REFUSED: "ОТКАЗ с кодом {word}; операция ничего не изменила",
        Status.NO_STATUS: "событие состоялось; у записей этого вида нет последующего статуса",
    },
    stale={
        Check.AGE: "УСТАРЕЛО: больше {max_age_days} дн.; запросите свежий файл.",
        Check.NEWER_CHECKPOINT: "УСТАРЕЛО: есть более новая контрольная точка; запросите свежий файл.",
    },
    later_than_clock="Контрольная точка датирована позже часов этого устройства; поставьте часы и проверьте снова.",
    issued=(
        "КЕМ ВЫДАНО: орган {office}, роль {role}, по назначению "
        "{appointment}, действовавшему на {time}; услуга {service}."
    ),
    issued_none="КЕМ ВЫДАНО: свидетельства нет; запись от {time}, блок {height}.",
    issued_several="КЕМ ВЫДАНО: запись от {time} выдала несколько свидетельств, файл не говорит, о каком речь.",
    disclosed="ПОКАЗАНО: {field} = {value}",
    final="ОКОНЧАТЕЛЬНО: это закреплено заголовком {height} цепочки {chain}, за него подано более 2/3 голосов.",
    days="{0} дн. {1} ч",
    hours="{0} ч {1} мин",
    minutes="{0} мин",
)

_KY = Texts(
    genuine=(
        "ӨЗГӨРТҮЛГӨН ЭМЕС: {ledger} реестринин {index}-жазуусу чыныгы, бардык "
        "хештер жана кол тамгалар туура. Кол койгондор: {signers}. {run_by}"
    ),
    run_by={
        ONE_OPERATOR: "Реестрдин оператору бирөө.",
        COMETBFT: "Реестрди бир нече мекеме чогуу жүргүзөт.",
    },
    not_valid="ЖАРАКСЫЗ: {check} ({reason}). Бул файлга ишенбеңиз.",
    unusable="ТЕКШЕРҮҮ МҮМКҮН ЭМЕС: {check}: {reason}.",
    checks={
        Check.TRUST_FILE: "ишеним файлы жараксыз",
        Check.BUNDLE_FILE: "далил файлы жараксыз",
        Check.CHECKPOINT_FILE: "көзөмөл чекитинин файлы жараксыз",
        Check.LEDGER: "файл ишеним файлындагыдан башка реестрге таандык",
        Check.RECEIPT: "жазуу көзөмөл чекитине туура келбейт",
        Check.STATE_PATH: "учурдагы статустун далили бузулган",
        Check.LOG_PATH: "жазуу же көрсөтүлгөн статус кол коюлган реестрде жок",
        Check.CERTIFICATE: "башка күбөлүктүн статусу көрсөтүлгөн",
        Check.DISCLOSURES: "көрсөтүлгөн талаа катталганга дал келбейт",
        Check.SIGNATURES: "кол тамга туура эмес",
        Check.THRESHOLD: "кол тамгалар жетишсиз",
        Check.FINAL: "валидаторлор бул үчүн добуш бергени көрсөтүлгөн эмес",
        Check.FORK: "реестр эки башка тарых менен көрсөтүлгөн; бул тууралуу билдириңиз",
    },
    say_nothing="СТАТУСУ: эч нерсе айтууга болбойт, анткени файл жараксыз.",
    nobody="КИМ БЕРГЕН: эч нерсе айтууга болбойт, анткени файл жараксыз.",
    status="СТАТУСУ {as_of} карата (көзөмөл чекитинин жашы: {age}): {status}.",
    status_undated="СТАТУСУНУН датасы жок (көзөмөл чекити {as_of} эрте эмес): {status}.",
    statuses={
        Status.VALID: "{since} тартып ЖАРАКТУУ",
        Status.SUPERSEDED: "{since} тартып АЛМАШТЫРЫЛГАН; жаңыраак версиясы бар",
        Status.REVOKED: "{since} тартып КАЙТАРЫЛЫП АЛЫНГАН",
        Status.ANNULLED: "{since} тартып ЖОККО ЧЫГАРЫЛГАН",
        Status.MISSING: "ЖОК; реестрде мындай күбөлүк жок",
        Status.NOT_PROVEN: (
            "КӨРСӨТҮЛГӨН ЭМЕС; файл берилгенин далилдейт, бирок күбөлүк дагы эле жарактуу экенин далилдебейт"
        ),
        Status.UNKNOWN: "ТҮШҮНҮКСҮЗ («{word}», {since} тартып)",
        Status.REFUSED: "{word} коду менен ЧЕТКЕ КАГЫЛГАН; операция эч нерсени өзгөрткөн жок",
        Status.NO_STATUS: "окуя болгон; мындай жазуунун кийинки статусу болбойт",
    },
    stale={
        Check.AGE: "ЭСКИРГЕН: {max_age_days} күндөн ашык; жаңы файл сураңыз.",
        Check.NEWER_CHECKPOINT: "ЭСКИРГЕН: жаңыраак көзөмөл чекити бар; жаңы файл сураңыз.",
    },
    later_than_clock="Көзөмөл чекитинин датасы бул түзмөктүн саатынан кеч; саатты тууралап, кайра текшериңиз.",
    issued=(
        "КИМ БЕРГЕН: {office} мекемеси, ролу {role}, {time} күчүндө болгон "
        "{appointment} дайындоосу боюнча; кызмат {service}."
    ),
    issued_none="КИМ БЕРГЕН: күбөлүк жок; жазуу {time}, блок {height}.",
    issued_several="КИМ БЕРГЕН: {time} жазуусу бир нече күбөлүк берген, файл кайсынысы экенин айтпайт.",
    disclosed="КӨРСӨТҮЛДҮ: {field} = {value}",
    final=(
        "БИРОТОЛО: муну {chain} чынжырынын {height}-баш жазуусу бекитет, ага добуштардын 2/3 бөлүгүнөн көбү берилген."
    ),
    days="{0} күн {1} саат",
    hours="{0} саат {1} мүнөт",
    minutes="{0} мүнөт",
)

TEXTS: Mapping[str, Texts] = {"ky": _KY, "ru": _RU, "en": _EN}


def date(time: int) -> str:
    """Return a time in milliseconds as a date and minute in UTC."""
    if time > _LAST_DATE:
        return f"{time} ms"
    return datetime.fromtimestamp(time // 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def safe(text: str) -> str:
    """Return text that cannot steer a terminal or reorder a line: what is not printable is shown as its code."""
    return "".join(c if c.isprintable() else f"\\u{{{ord(c):x}}}" for c in text)


def age(milliseconds: int, texts: Texts) -> str:
    """Return a span of time in days, hours or minutes."""
    if milliseconds >= _DAY:
        return texts.days.format(milliseconds // _DAY, milliseconds % _DAY // _HOUR)
    if milliseconds >= _HOUR:
        return texts.hours.format(milliseconds // _HOUR, milliseconds % _HOUR // _MINUTE)
    return texts.minutes.format(milliseconds // _MINUTE)


@dataclass(frozen=True, slots=True)
class Stale:
    """Why what is genuine is not of today."""

    check: Check
    reason: str
    max_age_days: int | None

    def sentence(self, texts: Texts) -> str:
        """Return it in words."""
        if self.reason == "later-than-clock":
            return texts.later_than_clock
        return texts.stale[self.check].format(max_age_days=self.max_age_days)


def _status_line(verdict: Verdict, facts: Facts, texts: Texts) -> str:
    since = "" if facts.since is None else date(facts.since)
    status = texts.statuses[facts.status].format(since=since, word=safe(facts.status_word))
    form = texts.status if facts.as_of_is_exact else texts.status_undated
    line = form.format(as_of=date(facts.as_of), age=age(facts.age, texts), status=status)
    stale = (Stale(c.check, c.reason, facts.max_age_days) for c in verdict.checks if c.check in facts.stale)
    return " ".join((line, *(each.sentence(texts) for each in stale)))


def _issued_line(facts: Facts, texts: Texts) -> str:
    issued = facts.issued
    if issued is None:
        several = facts.status is Status.NOT_PROVEN
        return (texts.issued_several if several else texts.issued_none).format(
            time=date(facts.time), height=facts.height
        )
    return texts.issued.format(
        office=safe(issued.office),
        role=safe(issued.role),
        appointment=issued.appointment.hex(),
        time=date(facts.time),
        service=safe(issued.service),
    )


def final_lines(final: Final | None, texts: Texts) -> list[str]:
    """Return the line that tells the engine's word; none where it was not asked."""
    return [] if final is None else [texts.final.format(height=final.height, chain=safe(final.chain))]


def lines(verdict: Verdict, lang: str) -> list[str]:
    """Return the lines of a verdict in `lang`; see `Verdict.lines`."""
    texts = TEXTS[lang]
    failing, facts = verdict.failing, verdict.facts
    if facts is None:
        if failing is None:
            raise AssertionError("a verdict without facts names the check that failed")
        form = texts.unusable if verdict.exit is Exit.UNUSABLE else texts.not_valid
        first = form.format(check=texts.checks[failing.check], reason=safe(failing.reason))
        return [first] if verdict.exit is Exit.UNUSABLE else [first, texts.say_nothing, texts.nobody]
    signers = ", ".join(map(safe, facts.signers))
    return [
        texts.genuine.format(
            index=facts.index, ledger=safe(facts.ledger), signers=signers, run_by=texts.run_by[facts.engine]
        ),
        _status_line(verdict, facts, texts),
        _issued_line(facts, texts),
        *(texts.disclosed.format(field=safe(name), value=safe(value)) for name, value in facts.disclosed),
        *final_lines(facts.final, texts),
    ]

"""What must agree between the files of a pack, and what can be counted in it."""

from collections.abc import Iterable, Iterator

from kerege.dossiers.forms import World
from kerege.gateways.extracts.texts import needed_texts as import_texts
from kerege.kernel.errors import Refused
from kerege.modules.services.rules import check_names, legal_bases, text_ids
from kerege.modules.services.types import Known, LegalBasis
from kerege.node.pack.errors import (
    BadDate,
    BasisIncomplete,
    CodeTwice,
    NameUnknown,
    PlaceholdersDiffer,
    TextMissing,
    TextUnused,
    WrongValue,
)
from kerege.node.pack.texts import placeholders
from kerege.node.pack.types import Institution, Names, Office, Pack, Territory, in_force

FREE_SECTIONS = ("refusals", "faults", "events", "messages", "words", "import")
"""Sections whose ids come from the code, so that a pack cannot tell a leftover from a text in use."""


def check_pack(pack: Pack) -> None:
    """Raise the first `PackError` for parts that do not fit together."""
    _check_codes(pack)
    _check_periods(pack)
    _check_languages(pack)
    _check_references(pack)
    _check_offices(pack)
    _check_services(pack)
    for where, basis in legal_bases_of(pack):
        if not basis.unverified and not basis.complete:
            raise BasisIncomplete(*where.split(": ", 1))
    _check_texts(pack)


def legal_bases_of(pack: Pack) -> Iterator[tuple[str, LegalBasis]]:
    """Every legal basis of the pack with `file: place`."""
    for parameter in pack.parameters:
        for entry in parameter.history:
            yield from ((f"parameters.yaml: {parameter.name}", basis) for basis in entry.legal_basis)
    for holiday in pack.holidays:
        yield f"holidays.csv: {holiday.code}", holiday.legal_basis
    for service in pack.services:
        for where, basis in legal_bases(service.definition):
            yield f"services/{service.definition.code}/service.yaml: {where}", basis


def unverified(pack: Pack) -> tuple[tuple[str, LegalBasis], ...]:
    """Legal bases that nobody has looked up, with `file: place`: the work list behind `make help-law`."""
    return tuple((where, basis) for where, basis in legal_bases_of(pack) if basis.unverified)


def count_unverified(pack: Pack) -> int:
    """How many legal bases nobody has looked up."""
    return len(unverified(pack))


def known_of(pack: Pack) -> Known:
    """Names of this country that a service definition may use."""
    return Known(
        roles=frozenset(role.code for role in pack.roles),
        office_kinds=frozenset(kind.code for kind in pack.office_kinds),
        institutions=frozenset(body.code for body in pack.institutions),
        parameters=frozenset(parameter.name for parameter in pack.parameters),
        currencies=frozenset(currency.code for currency in pack.nation.currencies),
    )


def world_of(pack: Pack, service: str, day: int) -> World:
    """What the form of a service is checked against on a day; raises `KeyError` for an unknown service."""
    territory: dict[str, list[tuple[int | None, int | None]]] = {}
    for unit in pack.territory:
        territory.setdefault(unit.code, []).append((unit.valid_from, unit.valid_to))
    values = {parameter.name: found.value for parameter in pack.parameters if (found := parameter.on(day))}
    return World(
        today=day,
        territory=territory,
        offices=frozenset(office.code for office in pack.offices if in_force(office.valid_from, office.valid_to, day)),
        allowed={name: value for name, value in values.items() if isinstance(value, tuple)},
        pin_pattern=str(values.get("identity.pin_pattern", "")),
        sex_digits=tuple(text[0] for text in _texts(values.get("identity.pin_sex_digits"))),
        name_forms=pack.service(service).name_forms,
    )


def _texts(value: object) -> tuple[str, ...]:
    return value if isinstance(value, tuple) else ()


def _check_codes(pack: Pack) -> None:
    lists: tuple[tuple[str, str, Iterable[str]], ...] = (
        ("institutions.yaml", "institutions", (body.code for body in pack.institutions)),
        ("institutions.yaml", "validators", (seat.institution for seat in pack.validators)),
        ("institutions.yaml", "office_kinds", (kind.code for kind in pack.office_kinds)),
        ("roles.yaml", "roles", (role.code for role in pack.roles)),
        ("parameters.yaml", "parameters", (parameter.name for parameter in pack.parameters)),
        ("nation.yaml", "services", pack.nation.services),
        ("nation.yaml", "languages", pack.nation.languages),
        ("nation.yaml", "currencies", (currency.code for currency in pack.nation.currencies)),
        ("holidays.csv", "day", (str(holiday.day) for holiday in pack.holidays)),
    )
    for file, where, codes in lists:
        seen: set[str] = set()
        for code in codes:
            if code in seen:
                raise CodeTwice(file, where, code)
            seen.add(code)
    _check_versions("territory.csv", pack.territory)
    _check_versions("offices.csv", pack.offices)


def _check_versions(file: str, entries: Iterable[Territory | Office]) -> None:
    """Entries of one code follow each other in time and never overlap."""
    versions: dict[str, list[Territory | Office]] = {}
    for entry in entries:
        if entry.valid_from is not None and entry.valid_to is not None and entry.valid_to < entry.valid_from:
            raise BadDate(file, entry.code, "the last day lies before the first")
        for other in versions.setdefault(entry.code, []):
            apart = _before(entry, other) or _before(other, entry)
            if not apart:
                raise CodeTwice(file, "code", entry.code)
        versions[entry.code].append(entry)


def _before(first: Territory | Office, second: Territory | Office) -> bool:
    return first.valid_to is not None and second.valid_from is not None and first.valid_to < second.valid_from


def _check_periods(pack: Pack) -> None:
    """A parameter's history is in order of time, and only its first entry has no day."""
    for parameter in pack.parameters:
        days = [entry.valid_from for entry in parameter.history]
        if any(day is None for day in days[1:]):
            raise BadDate("parameters.yaml", parameter.name, "only the first entry may have no day")
        known = [day for day in days if day is not None]
        if known != sorted(set(known)):
            raise BadDate("parameters.yaml", parameter.name, "entries are not in order of time")
        kinds = {type(entry.value) for entry in parameter.history}
        if len(kinds) > 1:
            raise WrongValue("parameters.yaml", parameter.name, "values of one parameter are of one kind")


def _check_languages(pack: Pack) -> None:
    wanted = set(pack.nation.languages)
    named: list[tuple[str, str, Names]] = [("nation.yaml", "names", pack.nation.names)]
    named += [("nation.yaml", currency.code, currency.names) for currency in pack.nation.currencies]
    named += [("institutions.yaml", body.code, body.names) for body in pack.institutions]
    named += [("offices.csv", office.code, office.names) for office in pack.offices]
    named += [("territory.csv", unit.code, unit.names) for unit in pack.territory]
    for file, where, names in named:
        for language in pack.nation.languages:
            if not names.get(language, "").strip():
                raise TextMissing(file, where, language)
        if set(names) != wanted:
            raise NameUnknown(file, where, ", ".join(sorted(set(names) - wanted)))


def _check_references(pack: Pack) -> None:
    known = known_of(pack)
    uses: list[tuple[str, str, str, Iterable[str]]] = [
        ("nation.yaml", "currency", pack.nation.currency, known.currencies)
    ]
    for body in pack.institutions:
        uses += [("institutions.yaml", body.code, role, known.roles) for role in body.roles]
        if body.parent:
            uses.append(("institutions.yaml", body.code, body.parent, known.institutions))
        _check_ancestors(body, pack)
    roles_of = {body.code: body.roles for body in pack.institutions}
    for seat in pack.validators:
        uses.append(("institutions.yaml", "validators", seat.institution, known.institutions))
        uses.append(("institutions.yaml", seat.institution, seat.role, roles_of.get(seat.institution, ())))
    for kind in pack.office_kinds:
        uses.append(("institutions.yaml", kind.code, kind.institution, known.institutions))
        uses += [("institutions.yaml", kind.code, role, known.roles) for role in kind.roles]
    for file, where, name, names in uses:
        if name not in names:
            raise NameUnknown(file, where, name)
    codes = {unit.code for unit in pack.territory}
    for unit in pack.territory:
        if unit.parent and (unit.parent not in codes or unit.parent == unit.code):
            raise NameUnknown("territory.csv", unit.code, unit.parent)


def _check_ancestors(body: Institution, pack: Pack) -> None:
    parents = {other.code: other.parent for other in pack.institutions}
    at, steps = body.parent, 0
    while at:
        at, steps = parents.get(at, ""), steps + 1
        if at == body.code or steps > len(parents):
            raise WrongValue("institutions.yaml", body.code, "belongs to itself")


def _check_offices(pack: Pack) -> None:
    kinds = {kind.code: kind for kind in pack.office_kinds}
    institutions = {body.code for body in pack.institutions}
    units: dict[str, list[Territory]] = {}
    for unit in pack.territory:
        units.setdefault(unit.code, []).append(unit)
    for office in pack.offices:
        kind = kinds.get(office.kind)
        if kind is None or office.institution not in institutions:
            raise NameUnknown("offices.csv", office.code, office.kind if kind is None else office.institution)
        if (kind.stands == "abroad") == bool(office.territory):
            raise WrongValue("offices.csv", office.code, "an office serves a territory here, or stands abroad")
        if office.territory and not _serves_existing(office, units.get(office.territory, [])):
            raise NameUnknown("offices.csv", office.code, office.territory)


def _serves_existing(office: Office, versions: list[Territory]) -> bool:
    """The territory exists on the office's first day (or from the beginning, where the office has none)."""
    if office.valid_from is None:
        return any(unit.valid_from is None for unit in versions)
    return any(in_force(unit.valid_from, unit.valid_to, office.valid_from) for unit in versions)


def _check_services(pack: Pack) -> None:
    known = known_of(pack)
    for service in pack.services:
        try:
            check_names(service.definition, known)
        except Refused as refused:
            raise NameUnknown(f"services/{service.definition.code}/service.yaml", refused.code, refused) from refused
        lists = {choices.code: choices.values for choices in service.definition.choice_lists}
        for form in service.name_forms:
            if form.code not in lists.get(form.list, ()):
                raise NameUnknown(f"services/{service.definition.code}/names.yaml", form.list, form.code)


def needed_texts(pack: Pack) -> tuple[str, ...]:
    """Ids that the data of the pack asks for, each once."""
    ids = [f"roles.{role.code}" for role in pack.roles]
    ids += [f"roles.{role.code}.duty" for role in pack.roles]
    ids += [f"office-kinds.{kind.code}" for kind in pack.office_kinds]
    ids += [f"parameters.{parameter.name}" for parameter in pack.parameters]
    ids += [f"holidays.{holiday.code}" for holiday in pack.holidays]
    for service in pack.services:
        ids += text_ids(service.definition)
    if pack.extracts:
        ids += import_texts()
    return tuple(dict.fromkeys(ids))


def _check_texts(pack: Pack) -> None:
    needed = needed_texts(pack)
    first = pack.nation.languages[0]
    every = dict.fromkeys(key for language in pack.nation.languages for key in pack.texts[language])
    for language in pack.nation.languages:
        texts = pack.texts[language]
        for key in (*needed, *every):
            if key not in texts:
                raise TextMissing(f"texts/{language}.yaml", key, language)
            if placeholders(texts[key]) != placeholders(pack.texts[first].get(key, "")):
                raise PlaceholdersDiffer(f"texts/{language}.yaml", key, texts[key])
    wanted = set(needed)
    for key in every:
        if key not in wanted and key.split(".", 1)[0] not in FREE_SECTIONS:
            raise TextUnused(f"texts/{first}.yaml", key, key)

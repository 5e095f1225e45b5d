"""Read a nation pack: folder in, checked `Pack` out, or one `PackError` that names the place and the cure."""

from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import Struct

from kerege.dossiers.forms import NameForm
from kerege.gateways.extracts.errors import ProfileInvalid
from kerege.gateways.extracts.profile import Profile, check_distinct, parse_profile
from kerege.kernel.errors import Refused
from kerege.kernel.types import Code
from kerege.modules.services.rules import check_definition
from kerege.modules.services.types import (
    ChoiceList,
    Evidence,
    Fee,
    Field,
    FourEyes,
    LegalBasis,
    ServiceDefinition,
    Step,
)
from kerege.node.pack import check
from kerege.node.pack.convert import Defaults, convert
from kerege.node.pack.errors import DefinitionRefused, KeyUnknown, NameUnknown, WrongValue
from kerege.node.pack.sources import Document, Folder, check_plain_name
from kerege.node.pack.tables import read_holidays, read_offices, read_territory
from kerege.node.pack.texts import merge_texts, read_texts
from kerege.node.pack.types import (
    Dated,
    Example,
    ExampleFault,
    ExampleStep,
    Institution,
    Nation,
    OfficeKind,
    Pack,
    Parameter,
    Role,
    Service,
    ValidatorBody,
)

T = TypeVar("T", bound=Struct)

DEFAULTS: dict[type[Struct], dict[str, Any]] = {
    LegalBasis: {"act": "", "article": "", "url": "", "read_on": None, "unverified": False},
    ChoiceList: {"parameter": ""},
    Field: {
        "limit": 200,
        "choices": "",
        "asked": True,
        "required": False,
        "printed": [],
        "readers": ["institution", "subject"],
    },
    Evidence: {"required": True, "source": "requester"},
    Step: {"office_kinds": [], "place_field": "", "suspensions": [], "lapse": ""},
    FourEyes: {"percent": 0, "first": "", "second": ""},
    Fee: {"when": True},
    Institution: {"parent": "", "roles": []},
    Dated: {"valid_from": None},
    ExampleStep: {"reasons": []},
    ExampleFault: {"detail": ""},
}
"""What an absent key stands for; every other key must be there."""

DEFINITION_DEFAULTS: dict[type[Struct], dict[str, Any]] = {
    **DEFAULTS,
    ServiceDefinition: {
        "valid_to": None,
        "withdrawal": "",
        "rules": [],
        "evidence": [],
        "suspensions": [],
        "fees": [],
        "choice_lists": [],
        "record_fields": [],
        "request_fields": [],
    },
}

_FORM_KEYS = ("choice_lists", "record_fields", "request_fields")


class _Institutions(Struct, frozen=True):
    institutions: tuple[Institution, ...]
    validators: tuple[ValidatorBody, ...]
    office_kinds: tuple[OfficeKind, ...]


class _Roles(Struct, frozen=True):
    roles: tuple[Role, ...]


class _Parameters(Struct, frozen=True):
    parameters: tuple[Parameter, ...]


class _Form(Struct, frozen=True):
    record_fields_of: str
    record_fields_required: bool
    """False: the same slots, none of which must be filled in, as for acts that were written long ago."""
    choice_lists: tuple[ChoiceList, ...]
    record_fields: tuple[Field, ...]
    request_fields: tuple[Field, ...]


class _OneForm(Struct, frozen=True):
    code: Code
    ending_male: str
    ending_female: str


class _NameList(Struct, frozen=True):
    choices: Code
    parameter: Code
    sex_field: Code
    forms: tuple[_OneForm, ...]
    history: tuple[Dated, ...]


class _NameLists(Struct, frozen=True):
    lists: tuple[_NameList, ...]


_BODIES_DEFAULTS: dict[type[Struct], dict[str, Any]] = {**DEFAULTS, _Institutions: {"validators": []}}


def read_pack(path: Path) -> Pack:
    """The pack in this folder. Raises `PackError`, the first fault found, and nothing else for any files."""
    folder = Folder(path)
    nation = _read(folder, "nation.yaml", Nation)
    for at, name in enumerate(nation.services):
        check_plain_name("nation.yaml", f"services.{at}", name)
    bodies = _read(folder, "institutions.yaml", _Institutions, _BODIES_DEFAULTS)
    services, narrowing = _read_services(folder, nation)
    texts = _read_all_texts(folder, nation)
    parameters = (*_read(folder, "parameters.yaml", _Parameters).parameters, *narrowing)
    folder.ignore("README.md")
    pack = Pack(
        nation=nation,
        institutions=bodies.institutions,
        validators=bodies.validators,
        office_kinds=bodies.office_kinds,
        offices=read_offices(folder, nation.languages),
        roles=_read(folder, "roles.yaml", _Roles).roles,
        territory=read_territory(folder, nation.languages),
        parameters=parameters,
        holidays=read_holidays(folder),
        services=services,
        texts=texts,
        extracts=_read_extracts(folder),
        digest=folder.close(),
    )
    check.check_pack(pack)
    return pack


def _read(folder: Folder, name: str, kind: type[T], defaults: Defaults = DEFAULTS) -> T:
    document = folder.yaml(name)
    return convert(kind, document, (), document.data, defaults)


def _read_extracts(folder: Folder) -> tuple[Profile, ...]:
    """Profiles of old registries' extracts; a pack may have none."""
    try:
        profiles = tuple(parse_profile(folder.text(name), name) for name in folder.names("extracts", ".yaml"))
        check_distinct(profiles, "extracts")
    except ProfileInvalid as error:
        raise WrongValue(str(error.facts["file"]), "", error.facts["reason"]) from error
    return profiles


def _read_all_texts(folder: Folder, nation: Nation) -> dict[str, dict[str, str]]:
    """Texts of the nation and of its services in one space of ids."""
    places = ["texts", *(f"services/{name}/texts" for name in nation.services)]
    texts: dict[str, dict[str, str]] = {}
    for language in nation.languages:
        files = [read_texts(folder, f"{place}/{language}.yaml") for place in places]
        texts[language] = merge_texts(files)
    return texts


def _read_services(folder: Folder, nation: Nation) -> tuple[tuple[Service, ...], tuple[Parameter, ...]]:
    services: list[Service] = []
    narrowing: list[Parameter] = []
    for name in nation.services:
        place = f"services/{name}"
        definition = _read_definition(folder, place, services)
        if definition.code != name:
            raise WrongValue(f"{place}/service.yaml", "code", f"needs {name}, the folder's name; has {definition.code}")
        forms, parameters = _read_names(folder, f"{place}/names.yaml")
        narrowing.extend(parameters)
        examples = tuple(_read_example(folder, file) for file in folder.names(f"{place}/examples", ".yaml"))
        services.append(Service(definition, forms, examples))
    return tuple(services), tuple(narrowing)


def _read_definition(folder: Folder, place: str, before: list[Service]) -> ServiceDefinition:
    document = folder.yaml(f"{place}/service.yaml")
    for key in _FORM_KEYS:
        if isinstance(document.data, dict) and key in document.data:
            raise KeyUnknown(document.file, document.where((key,)), f"{key} belongs into fields.yaml")
    definition = convert(ServiceDefinition, document, (), document.data, DEFINITION_DEFAULTS)
    form = _read_form(folder, f"{place}/fields.yaml", before)
    definition = msgspec.structs.replace(
        definition,
        choice_lists=form.choice_lists,
        record_fields=form.record_fields,
        request_fields=form.request_fields,
    )
    try:
        check_definition(definition)
    except Refused as refused:
        raise DefinitionRefused(document.file, refused.code, refused) from refused
    return definition


def _read_form(folder: Folder, name: str, before: list[Service]) -> _Form:
    document = folder.yaml(name)
    absent: dict[str, Any] = {"record_fields_of": "", "record_fields_required": True, **{key: [] for key in _FORM_KEYS}}
    defaults: dict[type[Struct], dict[str, Any]] = {**DEFAULTS, _Form: absent}
    form = convert(_Form, document, (), document.data, defaults)
    if not form.record_fields_of:
        if not form.record_fields_required:
            raise KeyUnknown(name, document.where(("record_fields_required",)), "only beside record_fields_of")
        return form
    if form.record_fields:
        raise KeyUnknown(name, document.where(("record_fields",)), "record_fields beside record_fields_of")
    for service in before:
        definition = service.definition
        if definition.code == form.record_fields_of:
            lists = definition.choice_lists + form.choice_lists
            fields = definition.record_fields
            if not form.record_fields_required:
                fields = tuple(msgspec.structs.replace(field, required=False) for field in fields)
            return msgspec.structs.replace(form, record_fields=fields, choice_lists=lists)
    raise NameUnknown(name, document.where(("record_fields_of",)), form.record_fields_of)


def _read_names(folder: Folder, name: str) -> tuple[tuple[NameForm, ...], tuple[Parameter, ...]]:
    if not folder.has(name):
        return (), ()
    lists = _read(folder, name, _NameLists).lists
    forms = tuple(
        NameForm(form.code, listed.choices, form.ending_male, form.ending_female, listed.sex_field)
        for listed in lists
        for form in listed.forms
    )
    return forms, tuple(Parameter(listed.parameter, "codes", listed.history) for listed in lists)


def _read_example(folder: Folder, file: str) -> Example:
    document: Document = folder.yaml(file)
    if isinstance(document.data, dict) and "name" in document.data:
        raise KeyUnknown(file, document.where(("name",)), "name")
    data = document.data
    if isinstance(data, dict):
        data = {"name": Path(file).stem, "evidence": [], "faults": [], "path": [], "outcome": "", **data}
    return convert(Example, document, (), data, DEFAULTS)

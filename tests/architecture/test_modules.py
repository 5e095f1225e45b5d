"""Every module has the same rooms, and its doors open one way."""

import ast

import pytest

from kerege.modules import MODULES
from tools import anatomy

FOLDERS = anatomy.folders()
BY_NAME = {module.name: module for module in MODULES}


def by_folder(function):
    return pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)(function)


def test_modules_are_those_of_the_blueprint_in_its_order():
    names = [module.name for module in MODULES]
    assert names == [name for name in anatomy.ORDER if name in names]
    assert sorted(names) == [folder.name for folder in FOLDERS]


@by_folder
def test_no_file_has_a_name_of_its_own(folder):
    assert anatomy.unknown_files(folder) == []


def test_an_unknown_file_is_found(tmp_path):
    (tmp_path / "keeper.py").touch()
    (tmp_path / "helpers.py").touch()
    (tmp_path / "rules").mkdir()
    assert anatomy.unknown_files(tmp_path) == ["helpers.py", "rules"]


@by_folder
def test_the_page_has_its_headings_in_order(folder):
    assert anatomy.headings((folder / "README.md").read_text(encoding="utf-8"), 2) == list(anatomy.HEADINGS)


@by_folder
def test_the_door_of_a_module_holds_module_and_nothing_else(folder):
    body = ast.parse((folder / "__init__.py").read_text(encoding="utf-8")).body
    statements = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom | ast.Expr)]
    assert [ast.unparse(node).partition(" = ")[0] for node in statements] == ["MODULE"]


@by_folder
def test_imports_follow_the_order_and_reach_only_keeper_and_types(folder):
    before = anatomy.ORDER[: anatomy.ORDER.index(folder.name)]
    wrong = [
        found
        for found in anatomy.imports_of_modules(folder)
        if found.module not in before or found.file not in anatomy.OPEN_TO_OTHERS
    ]
    assert wrong == []


def test_a_wrong_import_is_found(tmp_path):
    folder = tmp_path / "bank"
    folder.mkdir()
    (folder / "keeper.py").write_text(
        "from kerege.modules.policy.keeper import Policy\n"
        "from kerege.modules.services import handlers\n"
        "from kerege.modules import MODULES\n"
        "import kerege.modules.identity.state\n"
        "from kerege.modules.bank.errors import Frozen\n",
        encoding="utf-8",
    )
    found = [(one.module, one.file) for one in anatomy.imports_of_modules(folder)]
    assert sorted(found) == [("MODULES", ""), ("identity", "state"), ("policy", "keeper"), ("services", "handlers")]


@by_folder
def test_the_doors_of_money_are_opened_by_a_named_list(folder):
    for found in anatomy.imports_of_modules(folder):
        for name in found.names:
            if name in anatomy.MONEY_DOORS:
                assert folder.name in anatomy.MONEY_DOORS[name], f"{found.path}:{found.line} imports {name}"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_tables_are_named_after_their_module_and_told_in_its_page(module):
    state = anatomy.section((anatomy.MODULES / module.name / "README.md").read_text(encoding="utf-8"), "State", 2)
    for table in module.tables:
        assert table.name.startswith(f"{module.name}.")
        assert table.doc
        assert table.name in state, f"{table.name} is not in the State section"


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_event_that_changes_the_read_model_is_declared(module):
    for kind in module.events:
        assert str(kind.__struct_config__.tag).startswith(f"{module.name}."), kind
        assert kind.__doc__
    assert set(module.projections) <= set(module.events)


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
def test_every_invariant_is_told_in_the_page(module):
    told = anatomy.section((anatomy.MODULES / module.name / "README.md").read_text(encoding="utf-8"), "Invariants", 2)
    for invariant in module.invariants:
        assert invariant.name in told, f"{invariant.name} is not in the Invariants section"

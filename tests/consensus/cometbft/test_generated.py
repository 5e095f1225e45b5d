"""The generated messages are what the engine's own `.proto` files make; the folder stands alone."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from kerege.consensus.cometbft import messages as m
from tools import abci

FOLDER = Path(__file__).parents[3] / "src/kerege/consensus/cometbft"


def test_what_is_checked_in_is_what_the_sources_make(tmp_path: Path) -> None:
    folders = abci.sources()
    if folders is None:
        pytest.skip(f"the sources of {abci.COMETBFT} are not in {abci.module_cache()}: make engine")
    abci.generate(folders, tmp_path)
    made, kept = (
        {path.relative_to(root): path.read_text() for path in root.rglob("*.py*") if path.suffix in {".py", ".pyi"}}
        for root in (tmp_path, abci.TARGET)
    )
    assert made == kept


def test_every_method_of_the_protocol_has_its_types() -> None:
    asked = {field.name for field in m.Request.DESCRIPTOR.fields}
    answered = {field.name for field in m.Response.DESCRIPTOR.fields}
    assert answered - asked == {"exception"}
    for name in asked:
        words = name.title().replace("_", "")
        assert hasattr(m, f"Request{words}")
        assert hasattr(m, f"Response{words}")


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.name)
def test_no_file_knows_the_ledger(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        assert all(name.startswith("kerege.consensus.cometbft") for name in names if name.startswith("kerege"))


def test_the_server_loads_without_the_ledger() -> None:
    code = (
        "import sys, kerege.consensus.cometbft.server;"
        "print(*sorted(n for n in sys.modules if n.startswith('kerege.') and 'cometbft' not in n))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["kerege.consensus"]

"""What the pure side must not say, beyond what imports show: floats, unordered iteration, identity, swallowed errors.

`kernel/` and `modules/` give equal roots from equal bytes only where nothing depends on the machine, the process or
the hash seed. import-linter bans the modules that read a clock or a file (`.importlinter`); this reads the code.

    python -m tools.pure [FILE …]
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PURE = (ROOT / "src/kerege/kernel", ROOT / "src/kerege/modules")

# Built-ins whose answer differs between machines, processes or runs, with what to use instead.
BANNED_CALLS = {
    "float": "money and measures are integers of minor units (kernel.types.Amount)",
    "complex": "money and measures are integers of minor units (kernel.types.Amount)",
    "round": "it rounds halves to even and returns floats; write the division and its rounding rule",
    "hash": "it differs per process; use SHA-256 of canonical bytes",
    "id": "it is an address in memory; compare keys",
    "open": "the pure side does no I/O; use a Table",
    "print": "the pure side does no I/O; announce an event",
    "input": "the pure side does no I/O",
    "eval": "a message is data, never code",
    "exec": "a message is data, never code",
    "globals": "all that a handler has is `ctx`",
    "vars": "its order is that of assignment; name the fields",
}
BANNED_IMPORTS = {
    "time": "block time is the only time (`ctx.time`)",
    "datetime": "days are integers (kernel.days)",
    "random": "random bytes are brought by the message",
    "secrets": "random bytes are brought by the message",
    "uuid": "identifiers are brought by the message",
    "math": "it computes in floats; integers have `//`, `divmod` and `pow`",
    "decimal": "amounts are integers of minor units",
    "os": "the pure side does no I/O",
    "threading": "the pure side has one thread and one order",
}
SETS = ("set", "frozenset")


class Finding(NamedTuple):
    """One place and what to do there."""

    line: int
    text: str


class _Reader(ast.NodeVisitor):
    """Collects findings of one file. Knows a set when it sees one made: names are not followed beyond a function."""

    def __init__(self) -> None:
        self.findings: list[Finding] = []
        self._sets: list[dict[str, bool]] = [{}]

    def _found(self, node: ast.expr | ast.stmt | ast.ExceptHandler, text: str) -> None:
        self.findings.append(Finding(node.lineno, text))

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, float | complex):
            self._found(node, f"the float {node.value}: {BANNED_CALLS['float']}")

    def visit_BinOp(self, node: ast.BinOp) -> None:
        if isinstance(node.op, ast.Div):
            self._found(node, "`/` makes a float: use `//` and say how it rounds")
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.op, ast.Div):
            self._found(node, "`/=` makes a float: use `//=` and say how it rounds")
        self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            self._imported(node, alias.name)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        self._imported(node, node.module or "")

    def _imported(self, node: ast.stmt, name: str) -> None:
        reason = BANNED_IMPORTS.get(name.partition(".")[0])
        if reason:
            self._found(node, f"`import {name}`: {reason}")

    def visit_Call(self, node: ast.Call) -> None:
        if isinstance(node.func, ast.Name):
            if node.func.id in BANNED_CALLS:
                self._found(node, f"`{node.func.id}()`: {BANNED_CALLS[node.func.id]}")
            if node.func.id in {"list", "tuple", "iter", "enumerate", "map", "dict", "zip"}:
                for argument in node.args:
                    self._iterated(argument)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "join":
            for argument in node.args:
                self._iterated(argument)
        if isinstance(node.func, ast.Attribute) and node.func.attr == "pop" and not node.args:
            self._iterated(node.func.value)
        self.generic_visit(node)

    def visit_For(self, node: ast.For) -> None:
        self._iterated(node.iter)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        self._iterated(node.iter)
        self.generic_visit(node)

    def visit_Starred(self, node: ast.Starred) -> None:
        self._iterated(node.value)
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._sets.append({})
        self.generic_visit(node)
        self._sets.pop()

    def visit_Assign(self, node: ast.Assign) -> None:
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._sets[-1][target.id] = self._is_set(node.value)
        self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if isinstance(node.target, ast.Name):
            annotated = ast.unparse(node.annotation).partition("[")[0] in SETS
            self._sets[-1][node.target.id] = annotated or (node.value is not None and self._is_set(node.value))
        self.generic_visit(node)

    def visit_ExceptHandler(self, node: ast.ExceptHandler) -> None:
        broad = node.type is None or (
            isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"}
        )
        if broad and all(isinstance(statement, ast.Pass | ast.Continue) for statement in node.body):
            self._found(node, "a swallowed exception: the kernel must see it")
        self.generic_visit(node)

    def _iterated(self, node: ast.expr) -> None:
        if self._is_set(node):
            self._found(node, f"`{ast.unparse(node)}` has no order: iterate over `sorted(…)` or keep a list or dict")

    def _is_set(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Set | ast.SetComp):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            return node.func.id in SETS
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitAnd | ast.BitOr | ast.Sub | ast.BitXor):
            return self._is_set(node.left) or self._is_set(node.right)
        if isinstance(node, ast.Name):
            return any(scope.get(node.id, False) for scope in self._sets)
        return False


def findings(source: str) -> list[Finding]:
    """Everything in a file's text that the pure side must not say, in order of lines."""
    reader = _Reader()
    reader.visit(ast.parse(source))
    return sorted(reader.findings)


def files() -> Iterator[Path]:
    """Every file of the pure side."""
    for folder in PURE:
        yield from sorted(folder.rglob("*.py"))


def main(arguments: list[str]) -> int:
    """Print findings; return 1 where there are any."""
    count = 0
    for path in [Path(name) for name in arguments] or files():
        for finding in findings(path.read_text(encoding="utf-8")):
            print(f"{path}:{finding.line}: {finding.text}")
            count += 1
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

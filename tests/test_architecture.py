"""The shape of the house: who may import whom, what is public, what is never used, and how large things get."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import frazil

PACKAGE = Path(frazil.__file__).parent
FLOORS = (
    ("errors", "types", "version"),
    (
        "naming",
        "seeding",
        "extras",
        "budget",
        "progress",
        "files",
        "console",
        "container",
        "strictzip",
        "journal",
        "folderlock",
        "runlog",
        "signing",
    ),
    ("sources", "schema", "notation", "roles", "profile", "matrix"),
    ("checks", "task", "ticks", "folds", "metrics", "measures", "stats"),
    ("features", "models"),
    ("selection",),
    ("search",),
    ("artifact", "evaluation", "report"),
    ("model",),
    ("auto", "cli", "commands", "options", "expressions", "reproducing", "sklearn", "__main__", "__init__"),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}
# Here modules of one floor build on each other; that they do so in one direction is the test on rings.
FLOORS_THAT_MEET = (1, 2, 3, 9)

PUBLIC_NAMES = (
    "ArtifactError",
    "Budget",
    "BudgetError",
    "DiskError",
    "Forward",
    "FrazilError",
    "InputError",
    "MissingColumnError",
    "MissingExtraError",
    "Model",
    "PanicError",
    "Progress",
    "Recipe",
    "SchemaError",
    "Search",
    "SettingError",
    "SourceError",
    "TargetError",
    "__version__",
    "aggregate",
    "arrivals",
    "bearing",
    "bin_numbers",
    "bin_target",
    "binary_stats",
    "boolean_stats",
    "business_days",
    "categories",
    "chain",
    "check",
    "clean",
    "clip",
    "cluster_distance",
    "compare_texts",
    "compare_to_group",
    "compare_windows",
    "count_of_kind",
    "cross_numbers",
    "cyclic_time",
    "date_parts",
    "dates",
    "describe_series",
    "diff",
    "digits",
    "distances",
    "elapsed",
    "embed",
    "encode_count",
    "encode_hierarchy",
    "encode_ordered",
    "encode_ordinal",
    "encode_share",
    "encode_target",
    "encode_target_quantile",
    "encode_target_spread",
    "encode_woe",
    "ewm",
    "expanding",
    "export_study",
    "express",
    "fill_forward",
    "fit_auto",
    "fourier",
    "from_function",
    "grid_cell",
    "group_size",
    "group_stats",
    "hash_levels",
    "hash_text",
    "haversine",
    "holidays",
    "impute",
    "keep_numbers",
    "lag",
    "latest",
    "lead",
    "list_items",
    "list_stats",
    "lists",
    "load",
    "log",
    "manhattan_distance",
    "midpoint",
    "min_hash",
    "month_distance",
    "numbers",
    "one_hot",
    "outlier_flag",
    "pca",
    "pct_change",
    "polynomial",
    "power",
    "quantile_transform",
    "rank_transform",
    "rare_levels",
    "reproduce",
    "rolling",
    "rolling_corr",
    "rotate",
    "row_stats",
    "scale",
    "seasonal_index",
    "seasonal_lag",
    "seasonal_naive",
    "seasonal_rolling",
    "series_stats",
    "similarity",
    "spline",
    "sql",
    "streak",
    "struct_fields",
    "suggest",
    "svd",
    "synthesize",
    "text_stats",
    "texts",
    "tfidf",
    "time_index",
    "time_since",
)

HEAVY = {
    "catboost",
    "duckdb",
    "imblearn",
    "lightgbm",
    "onnxruntime",
    "optuna",
    "pandas",
    "pyarrow",
    "rich",
    "scipy",
    "sklearn",
    "tokenizers",
    "xgboost",
}
PICKLERS = {"cloudpickle", "dill", "joblib", "marshal", "pickle", "shelve"}
RUNNERS = {"compile", "eval", "exec"}
LOADERS = {"import_module", "load"}
DANGEROUS_NAMES = {"__reduce__", "__reduce_ex__", "__setstate__", "deserialize", "popen", "system", "unsafe_load"}
DANGEROUS_SWITCHES = {"allow_pickle", "shell"}
MOST_LINES_IN_A_MODULE = 400
MOST_LINES_IN_A_FUNCTION = 60


def sources() -> dict[str, str]:
    """Return the source text of every module of the package by its dotted name."""
    return {module_name(path): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


def module_name(path: Path) -> str:
    parts = ("frazil", *path.relative_to(PACKAGE).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    return module.split(".")[1] if "." in module else "__init__"


def imports_of(module: str, source: str, modules: set[str]) -> set[str]:
    """Return the modules of the package that a source text imports.

    Imports inside functions count, and so do those for type checking: a name in a signature is knowledge too. A string
    that names a module counts as well, because `load("frazil...")` and the package's lazy exports import by one.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = f"{package_of(module, node.level, modules)}{node.module or ''}".rstrip(".")
            found |= {name if (name := f"{base}.{alias.name}") in modules else base for alias in node.names}
        elif isinstance(node, ast.Constant) and node.value in modules - {"frazil"}:
            found.add(node.value)
    return found & modules


def package_of(module: str, level: int, modules: set[str]) -> str:
    """Return what the dots of a relative import stand for, with a dot behind it; nothing for an absolute one."""
    if level == 0:
        return ""
    is_package = any(other.startswith(f"{module}.") for other in modules)
    parts = module.split(".")
    return ".".join(parts[: len(parts) - level + is_package]) + "."


def upward(texts: dict[str, str]) -> list[str]:
    """Return every import that goes up, or to a neighbour on a floor whose rooms never meet."""
    modules = set(texts)
    return [
        f"{module} -> {imported}"
        for module, text in texts.items()
        for imported in sorted(imports_of(module, text, modules))
        if not may_import(room_of(module), room_of(imported))
    ]


def may_import(room: str, other: str) -> bool:
    floor, other_floor = FLOOR_OF[room], FLOOR_OF[other]
    return room == other or other_floor < floor or (other_floor == floor and floor in FLOORS_THAT_MEET)


def rings(edges: dict[str, set[str]]) -> list[str]:
    """Return what can be reached from itself."""
    return [name for name in edges if name in reached_from(name, edges)]


def reached_from(name: str, edges: dict[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = set(edges[name])
    while waiting:
        seen |= waiting
        waiting = set().union(*(edges[other] for other in waiting)) - seen
    return seen


def module_edges(texts: dict[str, str]) -> dict[str, set[str]]:
    """Return who imports whom; a package's own `__init__` stands for what it gathers, not for a user of it."""
    modules = set(texts)
    return {module: imports_of(module, text, modules) - {module} for module, text in texts.items()}


def room_edges(texts: dict[str, str]) -> dict[str, set[str]]:
    edges: dict[str, set[str]] = {}
    for module, imported in module_edges(texts).items():
        room = room_of(module)
        edges.setdefault(room, set()).update({room_of(other) for other in imported} - {room})
    return edges


def dangers(source: str) -> list[str]:
    """Return uses of what runs code from data: picklers, eval and its kin, shells, unsafe loaders."""
    return [f"line {node.lineno}: {what}" for node in ast.walk(ast.parse(source)) for what in dangers_of(node)]


def dangers_of(node: ast.AST) -> set[str]:
    match node:
        case ast.Import() | ast.ImportFrom():
            return {name.partition(".")[0] for name in imported_names(node)} & PICKLERS
        case ast.Call(func=ast.Name(id=name)):
            first = node.args[0].value if node.args and isinstance(node.args[0], ast.Constant) else None
            return ({name} & RUNNERS) | ({first} & PICKLERS if name in LOADERS else set())
        case ast.Attribute(attr=name) | ast.FunctionDef(name=name):
            return {name} & DANGEROUS_NAMES
        case ast.keyword(arg=name, value=ast.Constant(value=True)):
            return {name} & DANGEROUS_SWITCHES
    return set()


def bare_names(source: str) -> list[str]:
    """Return calls of `pl.col` with names that may be a user's: there `^x$` is a pattern, in `schema.column` a name."""
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pl.col" and not all(map(is_ours, node.args))
    ]


def is_ours(name: ast.expr) -> bool:
    """Say whether a name is written in the source: a text, one made of texts and numbers, or a constant."""
    match name:
        case ast.Constant() | ast.JoinedStr() | ast.Call(func=ast.Name(id="str")):
            return True
        case ast.Name(id=constant):
            return constant.isupper()
    return False


def heavy_imports(source: str) -> set[str]:
    """Return the slow packages that are imported outside of type checking; they go through `frazil.extras.load`."""
    tree = ast.parse(source)
    for_types = {id(node) for block in ast.walk(tree) if is_for_types(block) for node in ast.walk(block)}
    return {
        name.partition(".")[0]
        for node in ast.walk(tree)
        if id(node) not in for_types
        for name in imported_names(node)
        if name.partition(".")[0] in HEAVY
    }


def is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def long_functions(source: str) -> list[str]:
    """Return the functions whose body, docstring aside, is longer than it should be."""
    return [
        f"{node.name}: {lines_of_code(node)} lines"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and lines_of_code(node) > MOST_LINES_IN_A_FUNCTION
    ]


def lines_of_code(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


def run(statement: str) -> str:
    return subprocess.run([sys.executable, "-c", statement], check=True, capture_output=True, text=True).stdout


def test_every_room_has_a_floor():
    assert {room_of(module) for module in sources()} <= set(FLOOR_OF)


def test_no_module_imports_from_a_floor_above():
    assert upward(sources()) == []


@pytest.mark.parametrize(
    "planted",
    [
        "import frazil.auto",
        "from frazil import auto",
        "from frazil.auto import fit_auto",
        "def later():\n    from frazil.auto import fit_auto",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from frazil.auto import fit_auto",
        "from frazil.extras import load\nauto = load('frazil.auto')",
        "from . import auto",
        "from .auto import fit_auto",
    ],
)
def test_a_planted_upward_import_is_found(planted):
    texts = {"frazil": "", "frazil.auto": "", "frazil.extras": "", "frazil.naming": planted}
    assert upward(texts) == ["frazil.naming -> frazil.auto"]


def test_features_and_models_never_meet():
    met = upward({"frazil.features.one": "import frazil.models.two", "frazil.models.two": ""})
    assert met == ["frazil.features.one -> frazil.models.two"]
    assert not may_import("models", "features")


def test_no_module_imports_itself_by_a_detour():
    assert rings(module_edges(sources())) == []


def test_no_room_imports_itself_by_a_detour():
    assert rings(room_edges(sources())) == []


def test_a_planted_ring_is_found():
    texts = {
        "frazil.task": "import frazil.folds",
        "frazil.folds": "def f():\n    import frazil.task",
        "frazil.types": "",
    }
    assert rings(module_edges(texts)) == ["frazil.task", "frazil.folds"]


def test_the_public_names_are_these():
    assert tuple(frazil.__all__) == PUBLIC_NAMES


@pytest.mark.parametrize("name", PUBLIC_NAMES)
def test_every_public_name_can_be_had(name):
    assert getattr(frazil, name) is not None
    assert name in dir(frazil)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'frazil' has no attribute 'fit_otto'"):
        frazil.fit_otto  # noqa: B018


def test_nothing_runs_code_from_data():
    assert {module: found for module, text in sources().items() if (found := dangers(text))} == {}


@pytest.mark.parametrize(
    "planted",
    [
        "import pickle",
        "from joblib import load",
        "load('cloudpickle')",
        "eval(text)",
        "exec(text)",
        "yaml.unsafe_load(text)",
        "os.system(text)",
        "pl.Expr.deserialize(text)",
        "subprocess.run(text, shell=True)",
        "np.load(path, allow_pickle=True)",
        "class A:\n    def __reduce__(self): ...",
    ],
)
def test_a_planted_danger_is_found(planted):
    assert len(dangers(planted)) == 1


def test_slow_packages_are_loaded_through_one_door():
    met = {module: found for module, text in sources().items() if (found := heavy_imports(text))}
    # A transformer derives from scikit-learn's classes; its module is imported by those who use them.
    assert met == {"frazil.sklearn": {"sklearn"}}


def test_a_planted_slow_import_is_found():
    assert heavy_imports("def f():\n    from sklearn.linear_model import Ridge") == {"sklearn"}
    assert heavy_imports("if TYPE_CHECKING:\n    import duckdb") == set()


@pytest.mark.parametrize("statement", ["import frazil", "from frazil import fit_auto"])
def test_the_import_loads_no_slow_package(statement):
    loaded = run(f"import sys; {statement}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))").split()
    assert HEAVY & set(loaded) == set()


def test_no_module_is_too_long_to_be_read():
    lengths = {module: len(text.splitlines()) for module, text in sources().items()}
    assert {module: lines for module, lines in lengths.items() if lines > MOST_LINES_IN_A_MODULE} == {}


def test_no_function_is_too_long_to_be_read():
    assert {module: found for module, text in sources().items() if (found := long_functions(text))} == {}


def test_a_planted_long_function_is_found():
    body = "\n".join(["    x = 1"] * (MOST_LINES_IN_A_FUNCTION + 1))
    assert long_functions(f"def f():\n    'doc'\n{body}") == ["f: 61 lines"]


def test_no_name_of_a_users_is_taken_for_a_pattern():
    texts = {module: text for module, text in sources().items() if module != "frazil.schema"}
    assert {module: found for module, text in texts.items() if (found := bare_names(text))} == {}


@pytest.mark.parametrize("planted", ["pl.col(name)", "pl.col(known.name)", "pl.col([*names])", "pl.col('a', name)"])
def test_a_planted_bare_name_is_found(planted):
    assert bare_names(planted) == [f"line 1: {planted}"]

"""What the package says about itself is true: docstrings, examples, names, types, version."""
import ast
import dataclasses
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
import tomllib

import pytest

import drydock
from conftest import ROOT
from drydock import _core

MODULES = ["drydock", *(f"drydock.{module.name}" for module in pkgutil.iter_modules(drydock.__path__) if module.name not in ("_core",))]
SOURCE = ROOT / "src" / "drydock"
PACKAGE = ROOT / "python" / "drydock"


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_the_docstrings(name, root):
    if name == "drydock.magics":
        shell_without_history()
    finder = doctest.DocTestFinder(exclude_empty=True)
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    said = []
    for test in finder.find(module, name):
        runner.run(test, out=said.append, clear_globs=True)
    assert runner.summarize(verbose=False).failed == 0, "".join(said)


def shell_without_history():
    shell = pytest.importorskip("IPython.core.interactiveshell")
    from traitlets.config import Config
    return shell.InteractiveShell.instance(config=Config({"HistoryManager": {"enabled": False}}))


def public_callables():
    for name in MODULES:
        module = importlib.import_module(name)
        for attribute in getattr(module, "__all__", []):
            value = getattr(module, attribute)
            if getattr(value, "__module__", "") == name and callable(value):
                yield f"{name}.{attribute}", value
                if inspect.isclass(value):
                    for inner, method in vars(value).items():
                        if not inner.startswith("_") and inspect.isfunction(method):
                            yield f"{name}.{attribute}.{inner}", method


@pytest.mark.parametrize("name, value", [entry for entry in public_callables()], ids=lambda entry: entry if isinstance(entry, str) else "")
def test_every_name_is_described(name, value):
    text = inspect.getdoc(value) or ""
    if name.rsplit(".", 1)[-1] in ("to_text", "to_html", "to_dict", "summary"):
        return  # described once, in display.Rich
    assert text, f"{name} has no docstring"
    pure = inspect.isclass(value) or name.startswith("drydock.display") or ">>>" in text and "Errors" not in text
    if inspect.isfunction(value) and not pure:
        assert re.search(r"Errors: ", text) and re.search(r"Source: ", text), f"{name}: Errors and Source"
        assert ">>>" in text or "has an example" in text, f"{name}: an example"


def structs():
    """{struct or class of a public header: the names in its body}"""
    found = {}
    for path in SOURCE.rglob("*.hpp"):
        for name, body in re.findall(r"^(?:struct|class) (\w+) [^;{\n]*\{[^\n]*\n(.*?)^\};", path.read_text(), re.MULTILINE | re.DOTALL):
            found.setdefault(name, set()).update(re.findall(r"\w+", re.sub(r"//.*", "", body)))
    return found


# What a class adds to its C++ namesake, with the reason in its docstring; and classes whose form is a JSON that docs/plan.md lists.
MORE = {"Outcome": {"stdout", "stderr", "duration_s", "left_out", "timeline"}, "Snapshot": {"process", "ids", "security", "network"},
        "Layout": set(), "Record": {"image_id"}, "Image": set(), "Slot": {"name", "kind"}}
FROM_JSON = {"Step", "Plan"}
OWN = {"Drawing", "Listing", "LayerStack", "Mounts", "TracedStep", "Timeline", "Namespaces", "Comparison", "Node", "Tree", "Sample", "Samples", "Layer", "Changes",
       "Endpoint", "Leaks", "Topology", "Bridge", "Examination", "Change"}


def test_classes_have_the_names_of_the_core():
    known = structs()
    kinds = {cls.__name__: cls for name in MODULES for cls in vars(importlib.import_module(name)).values()
             if inspect.isclass(cls) and cls.__module__ == name and dataclasses.is_dataclass(cls)}
    assert len(kinds) > 20
    for name, cls in kinds.items():
        if name in OWN:
            continue
        assert name in known, f"{name} is no struct of the core"
        if name in FROM_JSON:
            continue
        fields = {field.name for field in dataclasses.fields(cls) if not field.name.startswith("_")}
        assert fields - MORE.get(name, set()) <= known[name], f"{name}: {fields - known[name]}"


def test_functions_have_the_names_of_the_engine():
    header = (SOURCE / "container" / "container.hpp").read_text()
    engine = re.search(r"class Engine \{(.*?)^ private:", header, re.DOTALL | re.MULTILINE).group(1)
    methods = set(re.findall(r"^  [^/\n(]*?(\w+)\(", engine, re.MULTILINE))
    ours = {name for name in ("plan", "run", "list", "find", "remove", "reset") if hasattr(drydock, name)}
    ours |= {name for name in ("exec", "logs", "wait", "stop", "kill") if hasattr(drydock.Container, name)}
    assert ours <= methods
    # start: the constructor of Container; attach: a terminal's business; the others serve these.
    assert methods - ours == {"Engine", "paths", "start", "start_exec", "attach", "list_of_all_hosts", "recover"}


def test_every_source_named_in_a_docstring_is_there():
    text = "\n".join(path.read_text() for path in PACKAGE.glob("*.py"))
    core = "\n".join(path.read_text() for path in SOURCE.rglob("*.hpp"))
    named = set(re.findall(r"Source: (?:drydock::)?(?:\w+::)*(\w+)(?=[.;]|$)", text)) - {"docs"}
    missing = [name for name in named if f"{name}" not in core and f"def {name}" not in text]
    assert missing == []
    files = set(re.findall(r"\((\w+/\w+\.hpp)", text))
    assert [name for name in files if not (SOURCE / name).exists()] == []


def mypy(*arguments):
    result = subprocess.run([sys.executable, "-m", *arguments], capture_output=True, text=True, timeout=600, cwd=ROOT / "python",
                            env={**os.environ, "MYPYPATH": "", "MYPY_CACHE_DIR": os.environ["DRYDOCK_ROOT"] + "-mypy"})
    assert result.returncode == 0, result.stdout + result.stderr


def unpack():
    version = tuple(int(part) for part in importlib.import_module("mypy.version").__version__.split(".")[:2])
    return ["--enable-incomplete-feature=Unpack"] if version < (1, 7) else []


def test_types_of_the_package_and_of_its_examples():
    pytest.importorskip("mypy")
    mypy("mypy", "--config-file", str(ROOT / "pyproject.toml"), "--strict", *unpack(), "--no-error-summary", "drydock", "examples")


def test_the_stub_is_what_the_module_has(tmp_path):
    """stubtest for the names; pybind11 tells signatures in docstrings, so those are compared here."""
    pytest.importorskip("mypy")
    settings, allowed = tmp_path / "mypy.ini", tmp_path / "allowed"
    # Every class of pybind11 has its metaclass, and those that only functions make have its __init__.
    allowed.write_text("drydock\\._core\\.[A-Z]\\w+(\\.__init__)?\n")
    settings.write_text("[mypy]\n" + ("enable_incomplete_feature = Unpack\n" if unpack() else ""))
    result = subprocess.run([sys.executable, "-m", "mypy.stubtest", "drydock._core", "--mypy-config-file", str(settings), "--allowlist", str(allowed)],
                            capture_output=True, text=True, timeout=600, env=dict(os.environ), cwd=tmp_path)
    assert result.returncode == 0, result.stdout + result.stderr


def test_the_stub_has_the_arguments_of_the_module():
    stub = ast.parse((PACKAGE / "_core.pyi").read_text())
    told = {node.name: [argument.arg for argument in node.args.args] for node in stub.body if isinstance(node, ast.FunctionDef)}
    told |= {f"{cls.name}.{node.name}": [argument.arg for argument in node.args.args]
             for cls in stub.body if isinstance(cls, ast.ClassDef) for node in cls.body if isinstance(node, ast.FunctionDef) and node.name != "__init__"}
    found = {}
    for name, value in vars(_core).items():
        if inspect.isclass(value):
            found |= {f"{name}.{inner}": getattr(value, inner) for inner in vars(value) if not inner.startswith("_")}
        elif callable(value) and not name.startswith("_"):
            found[name] = value
    assert set(told) == set(found)
    for name, value in found.items():
        if isinstance(value, property) or not value.__doc__:
            continue
        words = re.sub(r"\[[^][]*(\[[^][]*\])*[^][]*\]", "", value.__doc__.split("(", 1)[1].split(") ->")[0])
        assert re.findall(r"(\w+): ", words) == told[name], name


def test_one_version():
    cmake = re.search(r"project\(drydock VERSION ([\d.]+)", (ROOT / "CMakeLists.txt").read_text()).group(1)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert cmake == project["version"] == drydock.__version__

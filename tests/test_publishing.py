"""How the book is published: workflows, the container, and Binder, all in the versions it names."""

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
OLDEST, NEWEST = (3, 11), (3, 13)
REQUIREMENT = re.compile(r"^([A-Za-z][\w.-]*)\s*(==[^\s;]+)?", re.MULTILINE)


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def steps(workflow: Path) -> list[dict]:
    """All steps of the jobs of a workflow."""
    jobs = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"].values()
    return [step for job in jobs for step in job["steps"]]


def pins() -> dict[str, str]:
    """The versions that the book is tested with, by the lowercase names of the packages."""
    return {name.lower(): pin for name, pin in REQUIREMENT.findall(text("requirements.txt"))}


def python_versions(found: str) -> list[tuple[int, ...]]:
    return [tuple(map(int, version.split("."))) for version in re.findall(r"3\.\d+", found)]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_asks_for_little_and_pins_its_actions(workflow: Path) -> None:
    source = workflow.read_text(encoding="utf-8")
    read = yaml.safe_load(source)
    assert read["permissions"] == {"contents": "read"}, "a job that needs more says so"
    assert all(job["runs-on"] for job in read["jobs"].values())
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used and all(re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", action) for action in used)
    assert len(re.findall(r"uses: \S+ # v\d+\.\d+\.\d+$", source, re.MULTILINE)) == len(used)
    assert all(("run" in step) != ("uses" in step) for step in steps(workflow))


def test_one_action_is_the_same_version_everywhere() -> None:
    used = {step["uses"] for workflow in WORKFLOWS for step in steps(workflow) if "uses" in step}
    assert len({action.split("@")[0] for action in used}) == len(used)


def test_what_workflows_run_is_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    commands = "\n".join(step["run"] for w in WORKFLOWS for step in steps(w) if "run" in step)
    made = set(re.findall(r"\bmake ([a-z-]+)", commands))
    assert {"book", "pdf", "epub", "links", "test"} <= made <= targets
    assert ".ci/run" in commands and (ROOT / ".ci" / "run").is_file()
    (copied,) = re.findall(r"^cp -r (.+?) _build", commands, re.MULTILINE)
    assert all((ROOT / name).exists() for name in copied.split())


def test_everything_is_tested_on_three_systems_and_each_python() -> None:
    jobs = yaml.safe_load(text(".github/workflows/test.yml"))["jobs"]
    matrix = jobs["test"]["strategy"]["matrix"]
    assert {name.split("-")[0] for name in matrix["os"]} == {"ubuntu", "macos", "windows"}
    assert python_versions(" ".join(matrix["python"])) == [(3, 11), (3, 12), (3, 13)]
    supported = tomllib.loads(text("pyproject.toml"))["project"]["requires-python"]
    assert supported == f">={OLDEST[0]}.{OLDEST[1]}"


def test_the_site_is_published_and_released_with_all_that_readers_take_along() -> None:
    source = text(".github/workflows/publish.yml")
    order = [source.index(step) for step in ("make book", "make pdf", "make epub", "_build/html")]
    assert order == sorted(order), "the site comes last, so that it holds the files"
    for file in ("_build/take/*.pdf", "_build/take/*.epub", "_build/notebooks/*.zip"):
        assert file in source[source.index("gh release create") :]


def test_what_makes_the_site_is_named_where_it_is_installed_from() -> None:
    scripts = list((ROOT / "site").glob("*.py"))
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in scripts]
    found = [node for tree in trees for node in ast.walk(tree)]
    modules = {a.name for node in found if isinstance(node, ast.Import) for a in node.names}
    modules |= {node.module for node in found if isinstance(node, ast.ImportFrom)}
    names = {name.partition(".")[0] for name in modules} - {path.stem for path in scripts}
    makers = packages_distributions()
    needed = {makers[name][0].lower() for name in names - set(sys.stdlib_module_names)}
    project = tomllib.loads(text("pyproject.toml"))["project"]
    listed = project["dependencies"] + project["optional-dependencies"]["site"]
    named = {REQUIREMENT.match(requirement)[1].lower() for requirement in listed}
    assert "sphinx" in needed and needed - {project["name"]} <= named


def test_binder_installs_the_versions_of_the_book() -> None:
    lines = text("binder/requirements.txt").splitlines()
    assert "-c ../requirements.txt" in lines, "versions come from there, and from nowhere else"
    assert not [line for line in lines if "=" in line.split("#")[0] and line[:1] != "-"]
    names = {name.lower() for name, _ in REQUIREMENT.findall("\n".join(lines))}
    assert all(pins().get(name) for name in names), "each is pinned there"
    library = tomllib.loads(text("pyproject.toml"))["project"]["dependencies"]
    needed = {REQUIREMENT.match(requirement)[1].lower() for requirement in library}
    assert needed | {"ipykernel", "jupyterlab"} <= names
    assert "--no-deps" in text("binder/postBuild")
    (python,) = python_versions(text("binder/runtime.txt"))
    assert OLDEST <= python <= NEWEST


def test_the_container_installs_the_versions_of_the_book() -> None:
    lines = [line for line in text("Dockerfile").splitlines() if not line.startswith("#")]
    (base,) = [line for line in lines if line.startswith("FROM ")]
    assert OLDEST <= python_versions(base)[0] <= NEWEST
    installs = [line for line in lines if re.search(r"\bpip\b|\bpip3\b|==", line)]
    assert installs == [], "only bootstrap.py installs, and it installs requirements.txt"
    assert "RUN python bootstrap.py" in lines
    packages = set(" ".join(lines).split())
    (needed,) = re.findall(r"for each in (.*); do", text(".ci/run"))
    assert {each.split(":")[1] for each in needed.split()} <= packages
    ignored = text(".dockerignore").split()
    assert {".venv", "_build", "desk"} <= set(ignored)


def commands() -> set[str]:
    """The targets of the Makefile that explain themselves."""
    return set(re.findall(r"^([a-z-]+):.*##", text("Makefile"), re.MULTILINE))


def test_the_table_of_commands_is_complete() -> None:
    table = text("CONTRIBUTING.md")
    rows = re.findall(r"^\| `make ([^`]+)`", table, re.MULTILINE)
    assert {row.split()[0] for row in rows} == commands()
    assert len(set(rows)) == len(rows), "a command is listed twice"
    for script in re.findall(r"\.venv/bin/python ([\w/]+\.py)", table + text("README.md")):
        assert (ROOT / script).is_file(), script


def test_the_readme_is_short_and_names_only_commands_that_exist() -> None:
    readme = text("README.md")
    assert len(readme.splitlines()) < 110
    named = {a or b for a, b in re.findall(r"^    make ([a-z-]+)$|`make ([a-z-]+)`", readme, re.M)}
    assert {"book", "test", "lab", "pdf", "epub"} <= named <= commands()
    for image in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", readme):
        assert (ROOT / image).is_file()
    for link in re.findall(r"\]\(([^)#:]+)", readme):
        assert (ROOT / link).exists(), link

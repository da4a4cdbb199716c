"""Whether a person looks on, asked in a real kernel by the programs that run notebooks."""

import subprocess
import sys

import nbformat
import pytest
from jupyter_client.manager import start_new_kernel
from nbclient import NotebookClient
from nbval.kernel import RunningKernel

from seqdec_lib.watching import someone_watches

ASK = "from seqdec_lib.watching import someone_watches\nprint(someone_watches())"


@pytest.fixture(scope="module")
def client():
    manager, client = start_new_kernel()
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


@pytest.mark.parametrize("front_end", [True, False])
def test_a_kernel_is_watched_by_whoever_can_answer_it(client, front_end: bool) -> None:
    printed = []

    def keep(message: dict) -> None:
        printed.append(message["content"].get("text", ""))

    client.execute_interactive(ASK, allow_stdin=front_end, output_hook=keep, timeout=60)
    assert "".join(printed).strip() == str(front_end)


def test_what_runs_notebooks_by_itself_does_not_watch() -> None:
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(ASK)])
    NotebookClient(notebook, timeout=60).execute()
    assert notebook.cells[0].outputs[0].text.strip() == "False"


def test_the_tests_of_the_chapters_do_not_watch() -> None:
    kernel = RunningKernel("python3")
    try:
        kernel.execute_cell_input(ASK, allow_stdin=False)  # as nbval's plugin does
        while (message := kernel.get_message(stream="iopub", timeout=60))["msg_type"] != "stream":
            assert message["msg_type"] != "error", message
        assert message["content"]["text"].strip() == "False"
    finally:
        kernel.stop()


def test_a_script_is_watched_in_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert someone_watches()
    monkeypatch.setattr("sys.stderr.isatty", lambda: False, raising=False)
    assert not someone_watches()
    run = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "False"

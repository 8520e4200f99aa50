"""No code or setting from a working folder or a user's profile: planted files stay unread, and the bytes are the same under any of them."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from tornado.websocket import websocket_connect

from lyeval import resources
from lyeval.report import load, save
from lyeval.run import execution
from lyeval.run.execution import joined
from lyeval.tables.store import rounded

ROOT = Path(__file__).resolve().parents[1]
MODULES = (
    "traitlets", "json", "numpy", "pandas", "matplotlib", "pickle", "socket", "zmq", "ipykernel", "ipykernel_launcher", "jupyterlab",
    "lyeval", "multiprocessing", "sitecustomize", "usercustomize", "planted_backend", "ipython_config", "ipython_kernel_config",
    "jupyter_config", "jupyter_server_config", "jupyter_lab_config",
)  # fmt: skip
LOUD_RC = "font.size: 22\naxes.grid: True\nsavefig.facecolor: red\nsavefig.bbox: tight\nlines.linewidth: 9\npath.sketch: 4, 90, 2\n"
NOTEBOOK = (
    "import hashlib, math, os, sys, time\nimport matplotlib, matplotlib.pyplot as plt\nimport numpy as np\nimport pandas as pd\nimport lyeval",
    "a = np.random.default_rng(1).normal(size=(90, 90))\n"
    "print(*(hashlib.sha256(x.tobytes()).hexdigest()[:16] for x in (a @ a, np.exp(a), np.tanh(a), np.linalg.inv(a))))\n"
    "print(sum(math.exp(x) for x in a[0]).hex())",
    "print('one', flush=True)\ntime.sleep(0.5)\nprint('side', file=sys.stderr, flush=True)\ntime.sleep(0.5)\nprint('two')",
    "plt.plot([1, 3, 2])\nplt.show()",
    "print(sorted(n for n in os.environ if n.startswith(('PLANTED', 'PANDAS', 'NUMBA'))), os.environ.get('PYTHONPATH'))\n"
    "print(matplotlib.rcParams['font.size'], pd.get_option('display.max_rows'), __debug__)",
    "print(os.path.samefile(lyeval.__path__[0], place), '' in sys.path, os.getcwd() in sys.path)",
)
EXECUTE = (
    "import sys, pathlib; from lyeval.run.execution import execute, kernels; from lyeval import resources; "
    "away, notebook, output, folder = map(pathlib.Path, sys.argv[1:]); away.mkdir(); k = kernels(away); k.__enter__(); "
    "execute(notebook, output, {'place': str(resources.PACKAGE)}, folder=folder)"
)
COMPUTE = """\
import sys, pathlib
from lyeval import figures
from lyeval.report import load
from lyeval.run import compute
home = pathlib.Path(sys.argv[1])
tables = load(compute(home, policy="zhoushan-2020", ledger="sample:zhoushan-shengsi", year=2020, draws=100, seed=1,
                      quotas={"demolition": 2400, "closures": 4, "blocks": 1}))
for name, drawn in (("attainment", figures.attainment(tables["targets"])), ("odds", figures.odds(tables["simulation"]))):
    svg, png = figures.save(drawn)
    (home / f"{name}.svg").write_text(svg, encoding="utf-8")
    (home / f"{name}.png").write_bytes(png)
"""


def plant(folder: Path, witness: Path) -> None:
    """Put files into a folder that leave a witness when they are executed, and settings that would show."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in MODULES:
        text = f"open({str(witness / f'{folder.name}-{name}')!r}, 'w').close()\n"
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    (folder / "startup").mkdir(exist_ok=True)
    (folder / "startup/00.py").write_text(f"open({str(witness / 'startup')!r}, 'w').close()\n", encoding="utf-8")
    (folder / "matplotlibrc").write_text(LOUD_RC + "backend: module://planted_backend\n", encoding="utf-8")
    (folder / ".env").write_text("PLANTED=1\n", encoding="utf-8")


def surroundings(home: Path, witness: Path) -> dict[str, str]:
    """Return variables that point Python, IPython, Jupyter, Matplotlib and numpy to a home full of settings."""
    plant(home, witness)
    for place in (".ipython/profile_default", ".ipython/profile_default/startup", ".jupyter", ".config/matplotlib"):
        plant(home / place, witness)
    (home / ".config/matplotlib/matplotlibrc").write_text(LOUD_RC, encoding="utf-8")
    return {
        "HOME": str(home), "IPYTHONDIR": str(home / ".ipython"), "JUPYTER_CONFIG_DIR": str(home / ".jupyter"), "LC_ALL": "C",
        "JUPYTER_CONFIG_PATH": str(home), "JUPYTER_PATH": str(home), "MPLCONFIGDIR": str(home / ".config/matplotlib"),
        "MATPLOTLIBRC": str(home / ".config/matplotlib"), "PYTHONSTARTUP": str(home / "sitecustomize.py"), "PYTHONOPTIMIZE": "1",
        "PYTHONHASHSEED": "77", "TZ": "Asia/Shanghai", "OPENBLAS_CORETYPE": "Nehalem", "OPENBLAS_NUM_THREADS": "2",
        "NPY_DISABLE_CPU_FEATURES": "X86_V3 X86_V4", "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-FMA,-FMA4",
        "NUMBA_DISABLE_JIT": "1", "PANDAS_COPY_ON_WRITE": "0", "PLANTED": "1", "COLUMNS": "40",
    }  # fmt: skip


def python(*words: object, cwd: Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-P", *map(str, words)]
    lyeval = {"PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, cwd=cwd, env=os.environ | lyeval | env, capture_output=True, text=True, encoding="utf-8", check=False
    )


@pytest.fixture
def witness(tmp_path: Path) -> Iterator[Path]:
    """A folder that no planted file may leave a witness in."""
    place = tmp_path / "witness"
    place.mkdir()
    yield place
    assert sorted(p.name for p in place.iterdir()) == []


def written(path: Path, sources: tuple[str, ...]) -> Path:
    """Write a notebook of code cells, its parameter ``place`` first."""
    tags = [{"tags": ["parameters"]}, *({} for _ in sources)]
    cells = [
        {"cell_type": "code", "execution_count": None, "id": f"c{i}", "metadata": tags[i], "outputs": [], "source": text}
        for i, text in enumerate(("place = ''", *sources))
    ]  # fmt: skip
    metadata = {"language_info": {"name": "python"}}
    text = json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})
    path.write_text(text, encoding="utf-8")
    return path


def outputs(path: Path) -> list[list[dict[str, Any]]]:
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return [c["outputs"] for c in cells if c["cell_type"] == "code"]


def test_a_kernel_runs_nothing_from_its_folder_and_gives_the_same_bytes_under_any_settings(
    tmp_path: Path, witness: Path
) -> None:
    notebook = written(tmp_path / "a.ipynb", NOTEBOOK)
    bare, hostile = tmp_path / "bare", tmp_path / "hostile"
    bare.mkdir()
    plant(hostile, witness)
    for folder, env in ((bare, {}), (hostile, surroundings(tmp_path / "home", witness))):
        away, output = tmp_path / f"{folder.name}-away", tmp_path / f"{folder.name}.ipynb"
        done = python("-c", EXECUTE, away, notebook, output, folder, cwd=folder, env=env)
        assert done.returncode == 0, done.stderr[-2000:]
    told = outputs(tmp_path / "hostile.ipynb")
    assert told == outputs(tmp_path / "bare.ipynb")
    assert (tmp_path / "hostile.ipynb").read_bytes() == (tmp_path / "bare.ipynb").read_bytes()
    texts = [["".join(o["text"]) for o in cell if o["output_type"] == "stream"] for cell in told]
    assert texts[4] == ["one\ntwo\n", "side\n"]
    assert texts[6] == ["[] None\n10.0 60 True\n"]
    assert texts[7] == ["True False False\n"]


def test_streams_cut_and_mixed_by_the_clock_are_joined() -> None:
    def said(name: str, text: str | list[str]) -> dict[str, Any]:
        return {"output_type": "stream", "name": name, "text": text}

    shown = {"output_type": "display_data", "data": {}}
    cut = [said("stderr", "w"), said("stdout", ["a\n", "b"]), said("stdout", "c\nd"), shown, said("stdout", "e\n")]
    whole = [said("stdout", ["a\n", "bc\n", "d"]), said("stderr", ["w"]), shown, said("stdout", ["e\n"])]
    assert joined(cut) == whole
    assert joined(whole) == whole


def test_tables_and_figures_of_the_library_are_the_same_bytes_under_any_settings(tmp_path: Path, witness: Path) -> None:
    made = {}
    hostile = surroundings(tmp_path / "home", witness) | {"MPLBACKEND": "agg"}
    for name, env in (("plain", {"OPENBLAS_CORETYPE": "Haswell"}), ("hostile", hostile)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "matplotlibrc").write_text(LOUD_RC if env is hostile else "", encoding="utf-8")
        done = python("-c", COMPUTE, tmp_path / name / "out", cwd=tmp_path / name, env=env)
        assert done.returncode == 0, done.stderr[-2000:]
        made[name] = {p.name: p.read_bytes() for p in (tmp_path / name / "out").iterdir()}
    assert made["plain"].keys() == made["hostile"].keys()
    assert [n for n in made["plain"] if made["plain"][n] != made["hostile"][n]] == []
    assert {"targets.csv", "simulation_enterprises.csv", "odds.svg", "attainment.png"} <= made["plain"].keys()


@pytest.mark.parametrize(
    ("value", "exact", "drawn"),
    [
        (0.1 + 0.2, 0.3, 0.3),
        (2 / 3, 0.666666666667, 0.66666667),
        (1234567.891234567, 1234567.89123, 1234567.89),
        (98765432109876.0, 98765432109876.0, 98765432109876.0),
        (-2.2e-16, 0.0, 0.0),
        (float("inf"), float("inf"), float("inf")),
    ],
)
def test_numbers_are_written_without_their_last_bits(tmp_path: Path, value: float, exact: float, drawn: float) -> None:
    import pandas as pd

    frame = pd.DataFrame({"x": [value], "nested": pd.Series([{"k": [value]}], dtype=object)})
    save(tmp_path, {"targets": frame, "simulation": frame, "forecast_meta": {"v": value}})
    back = load(tmp_path)
    assert (back["targets"]["x"][0], back["targets"]["nested"][0]) == (exact, {"k": [exact]})
    assert (back["simulation"]["x"][0], back["forecast_meta"]["v"]) == (drawn, drawn)
    assert "-0.0" not in (tmp_path / "targets.csv").read_text(encoding="utf-8-sig")


def test_rounding_keeps_three_digits_more_than_a_page_prints() -> None:
    for value in (0.0498, 0.2, 3.1613, 864.52, 123456.78):
        assert rounded(value * (1 + 4e-12), 9, 8) == value
        assert rounded(value, 9, 8) == value
    assert rounded(2.999999998, 12, 12) < 3


@pytest.mark.skipif(os.name == "nt", reason="no start of a console script here")
def test_commands_run_nothing_from_the_working_folder(tmp_path: Path, witness: Path) -> None:
    space = tmp_path / "space"
    plant(space, witness)
    (space / "a.yaml").write_text(
        "kind: review\npolicy: zhoushan-2020\nledger: sample:zhoushan-shengsi\nyear: 2031\n", encoding="utf-8"
    )
    lyeval = "import sys; from lyeval.cli import main; main(sys.argv[1:])"
    done = python("-c", lyeval, "batch", "a.yaml", cwd=space, env={"PYTHONSAFEPATH": ""})
    assert (done.returncode, "Traceback" in done.stderr, "2031" in done.stderr) == (1, False, True), done.stderr


@pytest.fixture
def lab(tmp_path: Path, witness: Path) -> Iterator[tuple[str, str]]:
    """The address and token of the server of ``lyeval explore``, started in a workspace and a home full of planted files."""
    space = tmp_path / "space"
    for folder in (space, space / "explore", space / "data"):
        plant(folder, witness)
    env = os.environ | surroundings(tmp_path / "home", witness) | {"PYTHONPATH": str(ROOT)}
    code = "import sys; from lyeval.cli import main; main(['explore', '--no-browser'])"
    log = tmp_path / "log"
    with log.open("w") as file:
        server = subprocess.Popen([sys.executable, "-P", "-c", code], cwd=space, env=env, stdout=file, stderr=file)
    try:
        for _ in range(3000):
            found = re.search(r"(http://(?:localhost|127\.0\.0\.1):\d+)/lab\S*\?token=(\w+)", log.read_text("utf-8"))
            if found or server.poll() is not None:
                break
            time.sleep(0.1)
        assert found, log.read_text(encoding="utf-8")[-3000:]
        lab = (found.group(1), found.group(2))
        for _ in range(600):  # the address is told a moment before anybody listens there
            with suppress(urllib.error.URLError):
                asked(lab, "status")
                break
            time.sleep(0.1)
        yield lab
    finally:
        _stopped(server, log)


def _stopped(server: subprocess.Popen[bytes], log: Path) -> None:
    """Ask the server to end, through its own door, and wait for it."""
    found = re.search(r"(http://(?:localhost|127\.0\.0\.1):\d+)/lab\S*\?token=(\w+)", log.read_text("utf-8"))
    if found and server.poll() is None:
        asked(found.groups(), "shutdown", {})  # type: ignore[arg-type]
    try:
        server.wait(20)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def asked(lab: tuple[str, str], path: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{lab[0]}/api/{path}", data, {"Authorization": f"token {lab[1]}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


async def printed(lab: tuple[str, str], kernel: str, code: str) -> str:
    """Execute code in a kernel of the server, and return what it prints first."""
    address = f"{lab[0].replace('http', 'ws', 1)}/api/kernels/{kernel}/channels?token={lab[1]}"
    socket = await websocket_connect(address)
    header = {
        "msg_id": "m",
        "msg_type": "execute_request",
        "session": "s",
        "username": "",
        "version": "5.3",
        "date": "",
    }
    message = {"header": header, "parent_header": {}, "metadata": {}, "content": {"code": code}, "channel": "shell"}
    await socket.write_message(json.dumps(message | {"buffers": []}))
    while True:
        told = json.loads(str(await asyncio.wait_for(socket.read_message(), 60)))
        if told["msg_type"] in ("stream", "error"):
            socket.close()
            return str(told["content"].get("text", told["content"]))


def test_explore_runs_nothing_from_the_workspace_or_the_profile(lab: tuple[str, str]) -> None:
    specs = asked(lab, "kernelspecs")["kernelspecs"]
    argv = specs["python3"]["spec"]["argv"]
    assert argv[1] == "-P"
    assert Path(argv[3]) == resources.PACKAGE / "run/kernel.py"
    kernel = {"path": "explore/explore.ipynb", "type": "notebook", "name": "", "kernel": {"name": "python3"}}
    id = asked(lab, "sessions", kernel)["kernel"]["id"]
    code = (
        "import json, os, sys, numpy, pandas, matplotlib, lyeval\n"
        "print('' in sys.path, os.getcwd() in sys.path, os.path.basename(os.getcwd()), matplotlib.rcParams['font.size'])"
    )
    assert asyncio.run(printed(lab, id, code)) == "False False explore 10.0\n"


def test_explore_keeps_how_its_page_looks_and_nothing_else_of_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: dict[str, str] = {}
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTERLAB_SETTINGS_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(name, str(tmp_path / "planted"))
    monkeypatch.setattr(execution.subprocess, "call", lambda _, cwd, env: told.update(env) or 7)
    assert execution.open_lab(tmp_path / "a.ipynb", browser=False) == 7
    home = {n: v for n, v in told.items() if n.startswith(("JUPYTER", "IPYTHON")) and str(tmp_path) in v}
    assert sorted(home) == ["JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR"]
    assert all(Path(place).parent.parent.name == "lyeval" for place in home.values())

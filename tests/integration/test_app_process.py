"""An app's process is as the app expects one to be, says what becomes of it, and leaves nothing behind."""

from __future__ import annotations

import logging
import re
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import numpy as np
import psutil
import pytest
from flwr.app import ArrayRecord, RecordDict

from shared.app_host.ring import NO_MEMORY
from shared.app_process import AppProcess, starting
from shared.errors import AppDied
from shared.flower_app import read_app
from tests.support.app_host import AskedApp, a_message
from tests.support.apps import CLIENT_APP, SERVER_APP, write_app
from tests.support.processes import ROOT, app_family, wait_until_gone
from tests.support.waiting import wait_until

Start = Callable[[str], AskedApp]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts an app whose ClientApp has these functions, and has it loaded."""
    with ExitStack() as ending:

        def start(client_app: str) -> AskedApp:
            asked = AskedApp(client_app, tmp_path / "app")
            ending.enter_context(asked.process)
            asked.load()
            return asked

        yield start


def pids(file: Path, number: int) -> list[psutil.Process]:
    """The processes whose ids an app has written into a file, once they are so many."""

    def written() -> list[psutil.Process] | None:
        lines = file.read_text(encoding="utf-8").split() if file.exists() else []
        return [psutil.Process(int(line)) for line in lines] if len(lines) == number else None

    return wait_until(written, f"{number} processes are named in {file}")


def test_an_app_does_not_get_what_is_meant_for_fedloom_alone(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FEDLOOM_STORE", "postgresql://fedloom:secret@localhost/fedloom")
    monkeypatch.setenv("FEDLOOM_DATA_DIR", "/data")

    start("")

    for process in app_family():
        environment = process.environ()
        assert "FEDLOOM_STORE" not in environment
        assert environment["FEDLOOM_DATA_DIR"] == "/data"


def test_an_app_whose_warden_is_killed_ends_with_what_it_has_started(start: Start, tmp_path: Path) -> None:
    asked = start(
        """
if not os.fork():
    time.sleep(600)


@app.query()
def query(msg, context):
    time.sleep(600)
"""
    )
    warden, _host, _child = family = app_family()
    asked.tell(a_message())

    warden.kill()

    with pytest.raises(AppDied, match="Its process is gone"):
        asked.reply()
    wait_until_gone(family)


def test_an_app_that_takes_nothing_any_more_is_killed_when_it_should_end(start: Start) -> None:
    asked = start("")
    _warden, host = app_family()
    host.suspend()
    begun = threading.Event()

    def fill() -> None:
        with suppress(AppDied):
            while True:
                asked.process.send("execute", [bytes(32 << 10)])
                begun.set()

    filling = threading.Thread(target=fill, daemon=True)
    filling.start()
    assert begun.wait(10)

    asked.process.end(grace_s=0.5)

    assert not asked.process.is_alive
    filling.join(10)
    assert not filling.is_alive(), "whoever sends to it goes on"


@pytest.mark.parametrize("has_memory", [True, False], ids=["shared memory", "none"])
def test_models_of_any_size_come_and_go_with_and_without_shared_memory(
    start: Start, monkeypatch: pytest.MonkeyPatch, has_memory: bool
) -> None:
    if not has_memory:
        monkeypatch.setattr(starting, "share_memory", lambda: NO_MEMORY)
    asked = start(
        """
@app.query()
def query(msg, context):
    return Message(msg.content, reply_to=msg)
"""
    )
    _warden, host = app_family()

    for values in (10, 100_000, 400_000, 3_000_000, 100_000):  # the fourth is larger than the memory
        content = RecordDict({"arrays": ArrayRecord([np.full(values, values, np.float32)] * 3)})
        asked.tell(a_message(content=content))
        assert asked.reply().content == content
    used = sum(part.rss for part in host.memory_maps() if "memfd:fedloom" in part.path)
    assert (used > 0) is has_memory


def test_an_app_that_is_told_to_end_does_so_in_order(start: Start, tmp_path: Path) -> None:
    asked = start("import atexit\natexit.register(lambda: Path('left').write_text('in order'))\n")
    family = app_family()

    asked.process.end(grace_s=20)

    assert (tmp_path / "app" / "left").read_text(encoding="utf-8") == "in order"
    assert not asked.process.is_alive
    wait_until_gone(family)


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", r"it crashed.*\(SIGSEGV\).*Segmentation fault"),
        ("os.abort()", r"it aborted.*\(SIGABRT\)"),
        ("os.kill(os.getpid(), signal.SIGKILL)", r"it was killed.*memory.*\(SIGKILL\)"),
        ("os._exit(3)", "with exit code 3"),
        ("print('no GPU', file=sys.stderr); os._exit(0)", r"left by itself.*: no GPU"),
    ],
)
def test_how_a_process_ended_is_said_in_words(start: Start, how: str, words: str) -> None:
    asked = start(f"@app.query()\ndef query(msg, context):\n    {how}\n")
    asked.tell(a_message())

    with pytest.raises(AppDied, match=f"(?s){words}"):
        asked.process.receive()


def test_an_app_is_in_the_main_thread_of_a_process_without_fedloom(start: Start) -> None:
    asked = start(
        "@app.query()\n"
        "def query(msg, context):\n"
        "    signal.signal(signal.SIGALRM, lambda *_: None)\n"
        "    signal.set_wakeup_fd(-1)\n"
        "    strange = {'app', 'client', 'shared', 'mesh', 'bench'} & set(sys.modules)\n"
        f"    strange |= {{place for place in sys.path if place == {str(ROOT)!r}}}\n"
        "    assert not strange, strange\n"
        "    assert sys.path[0] == os.path.dirname(os.path.dirname(__file__))\n"
        "    assert sys.stdin.read() == ''\n"
        "    assert os.environ['OMP_NUM_THREADS'] == '1'\n"
        "    assert os.getpgid(0) == os.getpid() == os.getsid(0)\n"
        "    oom = Path('/proc/self/oom_score_adj')\n"
        "    return answer(msg, oom=int(oom.read_text()) if oom.exists() else 1000)\n"
    )

    assert asked.query() == {"oom": 1000}


FORKS = """
def work(path):
    with open(path, "a") as file:
        file.write(f"{os.getpid()}\\n")
    time.sleep(600)

def double(number):
    return 2 * number

@app.query()
def query(msg, context):
    child = multiprocessing.Process(target=work, args=("pids",))
    child.start()
    child.terminate()
    child.join()
    with multiprocessing.get_context("METHOD").Pool(2) as pool:
        found = pool.map(double, [1, 2, 3])
    return answer(msg, found=found, exitcode=child.exitcode)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_children_of_an_app_work_and_can_be_signalled(start: Start, method: str) -> None:
    asked = start(FORKS.replace("METHOD", method))

    assert asked.query() == {"found": [2, 4, 6], "exitcode": -signal.SIGTERM}
    assert asked.query()["found"] == [2, 4, 6]


@pytest.mark.parametrize("how", ["sys.exit('done')", "raise RuntimeError('in the child')", "return None"])
def test_a_forked_child_that_comes_back_does_not_answer(start: Start, how: str) -> None:
    asked = start(
        "@app.query()\n"
        "def query(msg, context):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        f"        {how}\n"
        "    return answer(msg, code=os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )

    assert asked.query() == {"code": 0 if how == "return None" else 1}
    assert asked.query() == asked.query()


def test_whatever_an_app_raises_is_a_failure_and_it_goes_on(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    asked = start(
        "calls = 0\n"
        "@app.query()\n"
        "def query(msg, context):\n"
        "    global calls\n"
        "    calls += 1\n"
        "    if calls == 1:\n"
        "        sys.exit('no data here')\n"
        "    if calls == 2:\n"
        "        raise KeyboardInterrupt\n"
        "    return answer(msg, calls=calls)\n"
    )

    first = asked.failure()
    assert "SystemExit: no data here" in first
    assert "app_host" not in first, "what is shown begins in the app"
    assert "KeyboardInterrupt" in asked.failure()
    assert asked.query() == {"calls": 3}
    wait_until(lambda: "query failed" in caplog.text, "what failed is in the log", 5)


WITH_A_MOD = """
def mod(msg, context, call_next):
    return call_next(msg, context)

app = ClientApp(mods=[mod])

@app.query()
def look(msg, context):
    return {"a": 1}
"""


@pytest.mark.parametrize(
    ("client_app", "words"),
    [
        ("@app.query()\ndef query(msg, context):\n    pass\n", r"`query` of the ClientApp \(.*returned None"),
        (WITH_A_MOD, r"`look` of the ClientApp \(pkg/client_app\.py, line 20\) returned a dict; it must"),
    ],
)
def test_what_is_no_reply_is_named_with_its_place(start: Start, client_app: str, words: str) -> None:
    said = start(client_app).failure()

    assert re.search(words, said), said


def test_what_an_app_prints_and_logs_is_in_the_log(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    asked = start(
        "@app.query()\n"
        "def query(msg, context):\n"
        "    print('printed')\n"
        "    os.system('echo by a child')\n"
        "    for step in range(3):\n"
        "        print(f'\\rstep {step}', end='', file=sys.stderr, flush=True)\n"
        "    print(file=sys.stderr)\n"
        "    logging.getLogger('theirs').warning('logged %s', 1)\n"
        "    try:\n"
        "        1 / 0\n"
        "    except ZeroDivisionError:\n"
        "        logging.getLogger('theirs').exception('and with a traceback')\n"
        "    return answer(msg, a=1)\n"
    )

    asked.query()

    def find(message: str) -> logging.LogRecord:
        def look() -> logging.LogRecord | None:
            return next((record for record in caplog.records if record.getMessage() == message), None)

        return wait_until(look, f"{message!r} is in the log", 5)

    for line in ("printed", "by a child", "step 2"):
        assert (find(line).name, find(line).levelno) == ("app", logging.INFO)
        assert find(line).__dict__["is_printed"], "it is on the terminal, and not printed once more"
    assert (find("logged 1").name, find("logged 1").levelno) == ("theirs", logging.WARNING)
    assert "ZeroDivisionError: division by zero" in str(find("and with a traceback").__dict__["traceback"])


def test_what_an_app_does_to_its_process_as_a_whole_is_its_own_affair(
    start: Start, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    asked = start(
        "multiprocessing.set_start_method('spawn')\n"
        "logging.basicConfig(force=True, level='DEBUG', format='%(levelname)s %(message)s')\n"
        "os.environ['PATH'] = ''\n"
        "sys.setrecursionlimit(50_000)\n"
        "os.chdir('/')\n"
        "@app.query()\n"
        "def query(msg, context):\n"
        "    logging.debug('in a format of its own')\n"
        "    sys.stdout.close()\n"
        "    return answer(msg, a=1)\n"
    )

    assert asked.query() == {"a": 1}
    wait_until(lambda: "DEBUG in a format of its own" in caplog.text, "what it logs is in the log", 5)
    asked.process.end(grace_s=20)
    with pytest.raises(AppDied, match=r"left by itself \(exit code 0\)"):
        asked.process.receive()


def test_state_comes_with_the_reply_when_it_has_changed(start: Start) -> None:
    asked = start(
        "@app.query()\n"
        "def query(msg, context):\n"
        "    if 'calls' not in context.state:\n"
        "        context.state['calls'] = MetricRecord({'calls': 0})\n"
        "    elif context.state['calls']['calls'] < 2:\n"
        "        context.state['calls']['calls'] += 1\n"
        "    return answer(msg, a=1)\n"
    )
    seen = []
    for _ in range(4):
        before = asked.state
        asked.query()
        seen.append((asked.kept()["calls"]["calls"], asked.state is not before))

    assert seen == [(0, True), (1, True), (2, True), (2, False)]


def test_a_pause_stops_all_processes_of_an_app(start: Start, tmp_path: Path) -> None:
    asked = start(
        "@app.query()\n"
        "def query(msg, context):\n"
        "    child = os.fork()\n"
        "    if not child:\n"
        "        os.setsid()\n"
        "    with open('pids', 'a') as file:\n"
        "        file.write(f'{os.getpid()}\\n')\n"
        "    if not child:\n"
        "        time.sleep(600)\n"
        "    return answer(msg, a=1)\n"
    )
    asked.query()
    family = pids(tmp_path / "app" / "pids", 2)

    def all_are(*statuses: str) -> bool:
        return all(process.status() in statuses for process in family)

    asked.process.pause(True)
    wait_until(lambda: all_are(psutil.STATUS_STOPPED), "they are stopped", 5)
    asked.process.pause(False)
    wait_until(lambda: not all_are(psutil.STATUS_STOPPED), "they go on", 5)
    asked.process.pause(True)
    asked.process.close()

    wait_until_gone(family)


def test_a_process_that_sends_what_is_no_frame_is_ended(start: Start) -> None:
    asked = start(
        "import gc, socket\n"
        "@app.query()\n"
        "def query(msg, context):\n"
        "    for each in gc.get_objects():\n"
        "        if type(each) is socket.socket and each.type == socket.SOCK_STREAM:\n"
        "            each.sendall(b'\\x7f' * 1000)\n"
        "    time.sleep(600)\n"
    )
    asked.tell(a_message())

    with pytest.raises(AppDied, match="what it sent cannot be used: a header of"):
        asked.process.receive()
    assert asked.process.wait(5)


def test_a_process_that_closes_its_channel_is_ended(start: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.app_process.process.GONE_S", 0.1)
    asked = start("@app.query()\ndef query(msg, context):\n    os.closerange(3, 1000)\n    time.sleep(600)\n")
    asked.tell(a_message())

    with pytest.raises(AppDied, match="has closed its connection"):
        asked.process.receive()
    assert asked.process.wait(5)


def test_an_app_may_have_the_names_that_fedloom_has(tmp_path: Path) -> None:
    folder = write_app(tmp_path / "app", "code")
    for name in ("app", "shared", "client"):
        (folder / name).mkdir()
        (folder / name / "script.py").write_text("raise RuntimeError\n", encoding="utf-8")
    (folder / "shared" / "theirs.py").write_text("here = True\n", encoding="utf-8")
    (folder / "code" / "client_app.py").write_text(
        f"import shared.theirs\nassert shared.theirs.here\n{CLIENT_APP}", encoding="utf-8"
    )
    app = read_app(folder)

    with AppProcess.start(app, app.folder, "client", cwd=tmp_path) as process:
        process.load()


def test_an_app_of_two_files_may_call_them_client_and_server(tmp_path: Path) -> None:
    folder = write_app(tmp_path / "app", "pkg")
    (folder / "client.py").write_text(CLIENT_APP, encoding="utf-8")
    (folder / "server.py").write_text(SERVER_APP, encoding="utf-8")
    project = folder / "pyproject.toml"
    text = project.read_text(encoding="utf-8")
    text = text.replace("pkg.server_app", "server").replace("pkg.client_app", "client")
    project.write_text(text, encoding="utf-8")
    app = read_app(folder)

    for role in ("client", "server"):
        with AppProcess.start(app, app.folder, role, cwd=tmp_path) as process:
            process.load()

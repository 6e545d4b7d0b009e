"""The pool: results in order, little in flight, one object per process, and a clean end however it ends."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent / "prepare"))

import killing
from clerk import Clerk, Slow, elsewhere, plus_one

from instructavatar.errors import BadMedia, BadOption, InstructAvatarError, MissingFile
from instructavatar.pool import ONE_THREAD, Cluster, Processes, ThisProcess, open_pool

# --- any pool -----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("workers", "kind"), [(1, ThisProcess), (2, Processes)])
def test_results_come_in_order(workers, kind):
    clerk = Clerk()
    with open_pool(workers) as pool:
        assert type(pool) is kind
        for chunk, length in ((1, 7), (3, 7), (50, 7), (2, 1), (4, 0)):
            found = list(pool.map(clerk.square, range(length), chunk))
            assert found == [(number, number**2) for number in range(length)]
        assert list(pool.map(plus_one, [4, 1], 1)) == [(4, 5), (1, 2)], "functions too"


def test_one_worker_is_this_process():
    clerk = Clerk()
    with open_pool(1) as pool:
        results = pool.map(clerk.count, range(5), 2)
        assert next(results) == (0, (os.getpid(), 1)), "nothing is done before it is asked for"
        assert clerk.done == 1


def test_a_late_first_result_keeps_the_order():
    with open_pool(2) as pool:
        assert [result for _, result in pool.map(Clerk().odd_last, range(8), 1)] == list(range(8))


def test_a_refused_item_is_told_as_it_is():
    for workers in (1, 2):
        with pytest.raises(BadMedia, match="^expected sound, got noise; record it again$"), open_pool(workers) as pool:
            list(pool.map(Clerk().refuse, range(9), 2))


@pytest.mark.parametrize("workers", [0, -3])
def test_no_workers_are_refused(workers):
    with pytest.raises(BadOption, match="at least 1 worker"):
        open_pool(workers)


# --- processes ----------------------------------------------------------------------------------------------------------------------------


def test_an_object_is_copied_once_to_each_process_and_stays(tmp_path):
    clerk = Slow(tmp_path)
    with open_pool(2) as pool:
        first = [result for _, result in pool.map(clerk.nap, range(40), 1)]
        list(pool.map(plus_one, range(4), 1))  # a function comes between
        again = [result for _, result in pool.map(clerk.count, range(20), 1)]
    copies = len((tmp_path / "copies").read_text())
    assert len({*first, *(pid for pid, _ in again)}) == copies == 2
    assert os.getpid() not in first
    assert sum(max(done for pid, done in again if pid == one) for one in {pid for pid, _ in again}) == 20, "its state goes on"
    assert clerk.done == 0


def test_another_object_takes_its_place():
    with open_pool(2) as pool:
        list(pool.map(Clerk().square, range(4), 1))
        other = Clerk()
        other.done = 100
        assert max(done for _, (_, done) in pool.map(other.count, range(4), 1)) > 100


def test_few_chunks_are_in_flight():
    taken = []

    class Items(list):
        def __getitem__(self, part):
            taken.append(part.stop)
            return super().__getitem__(part)

    with open_pool(2) as pool:
        results = pool.map(Clerk().square, Items(range(100_000)), 5)
        for _ in range(11):
            next(results)
        assert max(taken) <= 5 * (3 * 2 + 2)
        results.close()


def test_processes_keep_to_one_thread_and_ours_do_not(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with open_pool(2) as pool:
        seen = [result for _, result in pool.map(Clerk().see, range(2), 1)]
    assert {name: seen[0][name] for name in ONE_THREAD} == ONE_THREAD
    assert seen[0]["signal"] == signal.SIG_IGN
    assert (os.environ["OMP_NUM_THREADS"], os.environ.get("MKL_NUM_THREADS")) == ("7", None)
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_killed_worker_is_one_line():
    wanted = r"^a worker process was killed .*; run the same command again, .*--workers"
    with pytest.raises(InstructAvatarError, match=wanted) as told, open_pool(2) as pool:
        list(pool.map(Clerk().die, range(9), 1))
    assert "\n" not in str(told.value)


def test_an_error_outside_stops_what_is_running(tmp_path):
    before = time.monotonic()
    with pytest.raises(ZeroDivisionError), open_pool(2) as pool:
        next(pool.map(Clerk(tmp_path).sleep, range(9), 1))
        raise ZeroDivisionError
    assert time.monotonic() - before < 20, "nobody waits for a minute's sleep"


SLEEPER = """
import sys
sys.path.append({here!r})
from instructavatar.cli import main
from clerk import Clerk
from instructavatar.prepare import build
from instructavatar.pool import open_pool

def sleep(*args, **options):
    with open_pool(2) as pool:
        list(pool.map(Clerk({folder!r}).sleep, range(1, 9), 1))

build.prepare_from_config = sleep
if __name__ == "__main__":
    sys.exit(main(["prepare", "--base", {config!r}, "-o", {folder!r}]))
"""


@pytest.fixture
def sleeper(tmp_path):
    """The command line with two workers asleep, in a process group of its own."""
    config = str(killing.ROOT / "configs" / "corpora" / "tiny.yaml")
    script = tmp_path / "sleeper.py"
    script.write_text(SLEEPER.format(here=str(Path(__file__).parent / "prepare"), folder=str(tmp_path), config=config), encoding="utf-8")
    pipe = subprocess.PIPE
    process = subprocess.Popen(
        [sys.executable, str(script)],
        cwd=killing.ROOT,
        stdout=pipe,
        stderr=pipe,
        text=True,
        start_new_session=True,
        # a shell's background job ignores Ctrl-C, and so would all that it starts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    while len(list(tmp_path.glob("at-*"))) < 2 and process.poll() is None:
        time.sleep(0.02)
    yield process
    if killing.living(process.pid):
        os.killpg(process.pid, signal.SIGKILL)


def test_ctrl_c_is_one_line(sleeper):
    os.killpg(sleeper.pid, signal.SIGINT)
    _, err = sleeper.communicate(timeout=60)
    assert sleeper.returncode == 130
    assert err.strip().splitlines() == ["interrupted; nothing half-written was left"]
    assert killing.gone_within(20, sleeper.pid)


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_workers_end_with_their_parent(sleeper, how):
    assert len(killing.living(sleeper.pid)) >= 3
    os.kill(sleeper.pid, how)  # it alone
    assert killing.gone_within(20, sleeper.pid)
    assert "Traceback" not in sleeper.communicate()[1]


# --- Ray ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["somewhere", "host:", ":6379", "host:six"])
def test_what_is_no_address_is_refused(address):
    pytest.importorskip("ray")
    with pytest.raises(BadOption, match="auto or host:port"):
        open_pool(2, address)


def test_a_cluster_that_is_not_there_is_one_line():
    pytest.importorskip("ray")
    with pytest.raises(MissingFile, match=r"^expected a Ray cluster at 127.0.0.1:1, got none \(.*\); start one with: ray start --head$"):
        open_pool(2, "127.0.0.1:1")


def test_ray_that_is_not_installed_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingFile, match=r"pip install 'instructavatar\[cluster\]'"):
        open_pool(2, "auto")


@pytest.fixture(scope="module", autouse=True)
def token(tmp_path_factory):
    """Before anything imports Ray."""
    with killing.own_token(tmp_path_factory.mktemp("ray") / "token"):
        yield


@pytest.fixture(scope="module")
def cluster():
    """The address of a real cluster on this machine."""
    pytest.importorskip("ray")
    # a socket's path may have 107 characters, of which Ray itself needs sixty
    with tempfile.TemporaryDirectory(prefix="ray-") as folder, killing.ray_cluster(Path(folder)) as address:
        yield address


@pytest.fixture
def far(cluster):
    """A pool on the cluster."""
    with open_pool(1, cluster) as pool:
        assert type(pool) is Cluster
        yield pool


@pytest.mark.slow
def test_a_cluster_does_the_same(far):
    clerk = Clerk()
    assert list(far.map(clerk.square, range(20), 3)) == [(number, number**2) for number in range(20)]
    assert list(far.map(plus_one, range(3), 1)) == [(0, 1), (1, 2), (2, 3)]
    assert list(far.map(clerk.square, [], 3)) == []


@pytest.mark.slow
def test_on_a_cluster_an_object_stays_too(far):
    counted = [result for _, result in far.map(Clerk().count, range(40), 1)]
    pids = {pid for pid, _ in counted}
    assert len(pids) <= 2
    assert sum(max(done for pid, done in counted if pid == one) for one in pids) == 40


@pytest.mark.slow
def test_on_a_cluster_paths_and_threads_are_the_drivers(far, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (_, seen) = next(far.map(Clerk().see, range(1), 1))
    assert seen["folder"] == str(tmp_path)
    assert {name: seen[name] for name in ONE_THREAD} == ONE_THREAD


@pytest.mark.slow
def test_ray_repeats_what_a_killed_process_did(far, tmp_path):
    assert [result for _, result in far.map(Clerk(tmp_path).die_once, range(9), 1)] == list(range(9))
    assert (tmp_path / "died").exists()


@pytest.mark.slow
def test_work_that_always_kills_its_process_is_one_line(far):
    with pytest.raises(InstructAvatarError, match="^the Ray cluster lost work .*; run the same command again, it goes on$") as told:
        list(far.map(Clerk().die_at, range(1), 1))
    assert "\n" not in str(told.value)


@pytest.mark.slow
def test_on_a_cluster_a_refused_item_is_told_as_it_is(far):
    with pytest.raises(BadMedia, match="^expected sound, got noise; record it again$"):
        list(far.map(Clerk().refuse, range(9), 2))


@pytest.mark.slow
def test_another_version_on_a_node_is_refused(far, monkeypatch):
    monkeypatch.setattr("instructavatar.pool.__version__", "9.9")
    with pytest.raises(InstructAvatarError, match=r"expected instructavatar 9.9 on .*; install one version on all nodes"):
        list(far.map(Clerk().square, range(2), 1))


@pytest.mark.slow
def test_a_node_without_this_package_is_one_line(far, monkeypatch):
    monkeypatch.setattr("instructavatar.pool._work_far", elsewhere)  # lies where no node looks for it
    with pytest.raises(MissingFile, match=r"^expected instructavatar .* on every node of the Ray cluster; pip install it there$"):
        list(far.map(Clerk().square, range(2), 1))

"""A full disk and a place that cannot be written: one line, an intact store, and the same command goes on once there is space.

The disk is a small tmpfs in a namespace of its own, where the machine allows that; a limit on the size of files stands in elsewhere.
"""

import subprocess
import sys
import textwrap
from functools import cache
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "prepare"))

import killing

CLIPS = 8

PRELUDE = """
import os, resource, signal, subprocess, sys
from pathlib import Path
import numpy as np
sys.path.append({tests!r})
from killing import store_digest
from instructavatar.cli import main
from instructavatar.data.header import Header
from instructavatar.data.store import FeatureStore
from instructavatar.data.writer import StoreWriter
from instructavatar.errors import CannotWrite

disk = Path({disk!r})
StoreWriter.batch = 4

def mount(options):
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(disk)], check=True)

def fill(free=0):
    "Leave so many bytes free."
    with (disk / "fill").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(1024)) == 1024:
                pass
        except OSError:
            pass
        file.truncate(max(0, file.tell() - free))

def write(name, sentences=40):
    "A table of sentences; about 30 kB each."
    with StoreWriter(disk / name, Header.started("corpus", {{}})) as writer:
        for number in range(sentences):
            tokens = np.full((40, 384), number, np.float16)
            writer.add_text(f"sentence {{number}}", tokens, tokens[0])
        writer.finish({{"train": []}})
    return store_digest(disk / name)

def refused(work, *args):
    try:
        work(*args)
    except CannotWrite as error:
        assert "\\n" not in str(error) and str(disk) in str(error), error
        return str(error)
    raise AssertionError("it was written")
"""


@cache
def can_mount():
    command = ["unshare", "-rm", "mount", "-t", "tmpfs", "none", "/mnt"]
    try:
        return subprocess.run(command, capture_output=True).returncode == 0
    except FileNotFoundError:
        return False


def run(folder, steps, mounts=True):
    """Run steps in a process that may mount `disk`; gives what they print."""
    if mounts and not can_mount():
        pytest.skip("this machine lets nobody but root mount a file system")
    disk = folder / "disk"
    disk.mkdir()
    script = folder / "steps.py"
    prelude = PRELUDE.format(tests=str(Path(__file__).parents[1] / "prepare"), disk=str(disk))
    script.write_text(prelude + textwrap.dedent(steps), encoding="utf-8")
    command = [*(["unshare", "-rm"] if mounts else []), sys.executable, str(script)]
    result = subprocess.run(command, cwd=killing.ROOT, capture_output=True, text=True, timeout=300)
    assert result.returncode == 0, f"exit code {result.returncode} (-7, 135: a map could not be written): {result.stdout}{result.stderr}"
    assert len(result.stderr.splitlines()) <= 1, result.stderr
    return result.stdout


def test_a_disk_that_fills_up_keeps_what_was_written(tmp_path):
    run(
        tmp_path,
        """
        mount("size=1m")
        told = refused(write, "store")
        assert "free some space" in told, told
        try:
            FeatureStore.open(disk / "store")
            raise AssertionError("an unfinished store was opened")
        except Exception as error:
            assert "cut short" in str(error), error
        kept = (disk / "store" / "data.mdb").stat().st_size
        assert kept > 300_000, f"only {kept} bytes are left of a megabyte"
        mount("remount,size=50m")
        resumed = write("store")
        assert resumed == write("undisturbed")
        """,
    )


def test_a_limit_on_files_does_the_same_without_a_disk(tmp_path):
    run(
        tmp_path,
        """
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (600_000, resource.RLIM_INFINITY))
        refused(write, "store")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        resumed = write("store")
        assert resumed == write("undisturbed")
        """,
        mounts=False,
    )


@pytest.mark.parametrize("free", [0, 4096, 8192, 12288])
def test_a_disk_that_is_full_before_is_told(tmp_path, free):
    """LMDB writes its lock file through a map, which ends the process on a full disk (SIGBUS)."""
    run(
        tmp_path,
        f"""
        mount("size=100k")
        fill(free={free})
        refused(write, "store")
        (disk / "fill").unlink()
        mount("remount,size=50m")
        assert write("store") == write("undisturbed")
        """,
    )


def test_a_store_on_a_disk_that_is_full_now_stays_readable(tmp_path):
    run(
        tmp_path,
        """
        mount("size=50m")
        write("store", 6)
        (disk / "store" / "lock.mdb").unlink()
        before = store_digest(disk / "store")
        mount("remount,size=500k")
        fill()
        refused(write, "store")
        assert store_digest(disk / "store") == before
        assert len(list(FeatureStore.open(disk / "store").sentences())) == 6
        (disk / "fill").unlink()
        mount("remount,size=50m")
        assert write("store") == write("undisturbed")
        """,
    )


def test_a_read_only_disk_is_told_and_can_be_read(tmp_path):
    run(
        tmp_path,
        """
        mount("size=50m")
        before = write("store", 6)
        mount("remount,ro")
        assert "Read-only" in refused(write, "store", 6)
        assert "Read-only" in refused(write, "another", 6)
        assert store_digest(disk / "store") == before
        assert len(list(FeatureStore.open(disk / "store").sentences())) == 6
        """,
    )


def test_a_folder_that_is_a_file_is_told(tmp_path):
    run(tmp_path, '(disk / "store").write_text("mine"); refused(write, "store")\n', mounts=False)
    assert (tmp_path / "disk" / "store").read_text() == "mine"


@pytest.mark.parametrize(
    "size", ["100k", "700k", pytest.param("1300k", marks=pytest.mark.slow), pytest.param("1900k", marks=pytest.mark.slow)]
)
@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_the_command_line_ends_with_one_line_and_goes_on(tmp_path, size, workers):
    """First the cache of speech features finds no room, then the store does."""
    config = killing.puppet_config(tmp_path, CLIPS)
    told = run(
        tmp_path,
        f"""
        if __name__ == "__main__":
            command = ["prepare", "--base", {str(config)!r}, "-o", str(disk / "store"), "--workers", "{workers}"]
            mount("size={size}")
            assert main(command) == 7
            assert not list(disk.rglob("*.part")), "something half-written is left"
            mount("remount,size=50m")
            assert main(command) == 0
            assert main([*command[:4], str(disk / "undisturbed"), *command[5:]]) == 0
            assert store_digest(disk / "store") == store_digest(disk / "undisturbed")
            print("went on")
        """,
    )
    assert told.strip().endswith("went on")

"""A real Spark on this machine: a standalone master and workers on loopback, each a process.

The programs are those of the pyspark package; Java has to be there. Nothing leaves 127.0.0.1.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

PATIENCE = 120.0  # seconds until a process of the cluster must have said that it is ready


def why_not() -> str:
    """Return why no Spark can be started here; empty if it can."""
    if find_spec("pyspark") is None:
        return "pyspark is not installed: uv run --extra spark pytest -n 0 -m spark"
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "Spark needs Java, of which there is none: apt-get install default-jre-headless"
    return ""


class Cluster:
    """A master and its workers; `stop` ends the processes that were started here, and no others."""

    def __init__(self, workers: int = 2, memory: str = "1g") -> None:
        import pyspark

        self.folder = Path(tempfile.mkdtemp(prefix="spark-"))
        self.program = str(Path(pyspark.__file__).parent / "bin" / "spark-class")
        self.memory, self.processes = memory, []
        master = self._start("master.Master", "master", "--port", "0", "--webui-port", "0")
        self.master = master
        self.address = self._read("master", r"Starting Spark master at (spark://[\w.:]+)")
        self.workers = [self._worker(i) for i in range(workers)]

    def _worker(self, number: int) -> subprocess.Popen[bytes]:
        name = f"worker{number}"
        process = self._start(
            "worker.Worker", name, "--cores", "1", "--memory", self.memory, "--port", "0",
            "--webui-port", "0", "--work-dir", str(self.folder / name), self.address,
        )  # fmt: skip
        self._read(name, r"(Successfully registered) with master")
        return process

    def _start(self, role: str, name: str, *options: str) -> subprocess.Popen[bytes]:
        environment = os.environ | {
            "SPARK_LOCAL_IP": "127.0.0.1",
            "SPARK_DAEMON_MEMORY": "256m",
            "SPARK_LOCAL_DIRS": str(self.folder),
            "PYSPARK_PYTHON": sys.executable,
        }
        command = [self.program, f"org.apache.spark.deploy.{role}", "--host", "127.0.0.1"]
        with (self.folder / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, *options], stdout=log, stderr=log, env=environment,
                start_new_session=True,
            )  # fmt: skip
        self.processes.append(process)
        return process

    def _read(self, name: str, pattern: str) -> str:
        """Return what a process says of itself, once it does."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            text = (self.folder / f"{name}.log").read_text(errors="replace")
            if match := re.search(pattern, text):
                return match.group(1)
            time.sleep(0.2)
        raise TimeoutError(f"{name} of Spark is not ready:\n{text[-2_000:]}")

    def session(self, name: str, **settings: str):
        """Return a session whose executors are the workers of this cluster."""
        from pyspark.sql import SparkSession

        os.environ |= {"PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
        defaults = {
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.driver.memory": "1g",
            "spark.executor.memory": "512m",
            "spark.executor.cores": "1",
            "spark.ui.enabled": "false",
            "spark.ui.showConsoleProgress": "false",
            "spark.log.level": "ERROR",
            "spark.sql.shuffle.partitions": "4",
            "spark.sql.session.timeZone": "UTC",
            "spark.sql.warehouse.dir": str(self.folder / "warehouse"),
        }
        builder = SparkSession.builder.master(self.address).appName(name)
        for key, value in (defaults | settings).items():
            builder = builder.config(key, value)
        return builder.getOrCreate()

    def kill(self, number: int) -> None:
        """End a worker and its executors at once, as a machine that fails does."""
        os.killpg(self.workers[number].pid, 9)
        self.workers[number].wait()

    def add_worker(self) -> None:
        """Start one more worker, whose executor joins the sessions that run."""
        self.workers.append(self._worker(len(self.workers)))

    def executors(self, number: int) -> list[int]:
        """Return the process ids of the executors of a worker."""
        return children(self.workers[number].pid)

    def stop(self) -> None:
        """End every process that was started here."""
        for process in reversed(self.processes):
            if process.poll() is None:
                os.killpg(process.pid, 15)
        for process in self.processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, 9)
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def children(pid: int) -> list[int]:
    """Return the child processes of a process."""
    command = ["ps", "-o", "pid=", "--ppid", str(pid)]
    listed = subprocess.run(command, capture_output=True, text=True, check=False)
    return [int(line) for line in listed.stdout.split()]

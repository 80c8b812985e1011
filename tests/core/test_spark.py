"""On a real cluster of Spark: the numbers of pandas, also when a worker dies in the middle.

`uv run --extra spark pytest -n 0 -m spark` runs them; Java has to be there.
"""

import ast
import pickle
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import cxstats as cx
from cxstats.core import column_sums, engine_sums, value_counts
from cxstats.core.row_formulas import (
    Constant,
    Difference,
    MeanOfAnswered,
    Share,
    Sum,
    SumOfProducts,
    WhereAnswered,
)
from cxstats.core.spark_jobs import WorkerRows, _worker
from tests.core.spark_cluster import why_not
from tests.core.test_engines_matrix import assert_equal, numbers

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(bool(why_not()), reason=why_not()),
    # Of Spark's own sockets, which it leaves to the collector.
    pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"),
]
# Whole numbers are added up exactly; the last digits are those of a few divisions.
SAME = 1e-12
N = 40_000
GAPS = {
    "scale": (1, 7), "constructs": {"A": ["a", "b"]}, "perception": "{item}",
    "expectation": {"a": "c", "b": "d"},
}  # fmt: skip


@pytest.fixture(scope="module")
def frame():
    rng = np.random.default_rng(8)
    table = pd.DataFrame(rng.integers(1, 8, (N, 5)).astype("int8"), columns=list("abcde"))
    table["x"] = rng.normal(size=N)
    table["score"] = rng.integers(0, 11, N)
    table["bought"] = rng.random(N) < 0.2
    table["group"] = rng.choice(["A", "B"], N)
    table["w"] = rng.uniform(0.5, 2, N)
    return table


@pytest.fixture(scope="module")
def files(frame, tmp_path_factory):
    folder = tmp_path_factory.mktemp("answers")
    for i, part in enumerate(np.array_split(np.arange(N), 8)):
        frame.iloc[part].to_parquet(folder / f"{i}.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def table(spark, files):
    return spark.read.parquet(str(files))


@pytest.mark.parametrize(
    "method",
    [
        lambda f: cx.nps(f, column="score"),
        lambda f: cx.nps(f, "group", column="score", weights="w"),
        lambda f: cx.csat(f, "group", column="a", scale=(1, 7)),
        lambda f: cx.csat(f, column="a", scale=(1, 7), kind="mean"),
        lambda f: cx.rate(f, column="bought", by="group"),
        lambda f: cx.ab_test(f, outcome="bought", group="group", control="A"),
        lambda f: cx.ab_test(f, outcome="x", group="group", control="A", metric="mean"),
    ],
)
def test_metrics_are_those_of_pandas(method, frame, table):
    result, wanted = method(table), method(frame)
    for name, part in result.tables().items():
        pd.testing.assert_frame_equal(
            part.reset_index(drop=True), wanted.tables()[name].reset_index(drop=True), rtol=SAME,
            atol=SAME, check_dtype=False, check_categorical=False,
        )  # fmt: skip


def test_no_rows_come_here(frame, table, monkeypatch):
    import pyspark.sql.classic.dataframe as classic

    monkeypatch.setattr("cxstats.core.engines.MOST_ROWS", 100)
    rows = []
    for name in ("collect", "toArrow"):
        original = getattr(classic.DataFrame, name)

        def counted(self, *args, original=original, **kwargs):
            result = original(self, *args, **kwargs)
            rows.append(len(result))
            return result

        monkeypatch.setattr(classic.DataFrame, name, counted)
    monkeypatch.delattr(classic.DataFrame, "toPandas")
    cx.moments(table, ["a", "b", "x"], by="group")
    cx.moments(table, ["a", "x"], weights="w")
    cx.nps(table, "group", column="score")
    assert rows
    assert max(rows) <= 2 * 8  # a row for each group of each partition


def test_servqual_brings_sums_and_counts_alone(frame, table, monkeypatch):
    import pyspark.sql.classic.dataframe as classic

    rows = []

    def counted(method):
        def call(self, *args, **kwargs):
            result = method(self, *args, **kwargs)
            rows.append(len(result))
            return result

        return call

    for name in ("toArrow", "collect"):
        monkeypatch.setattr(classic.DataFrame, name, counted(getattr(classic.DataFrame, name)))
    monkeypatch.delattr(classic.DataFrame, "toPandas")
    result = cx.servqual(table, GAPS, by="group")
    assert_equal(numbers(result), numbers(cx.servqual(frame, GAPS, by="group")))
    assert max(rows) <= 2 * 13 + 2 * 25  # the values that gaps, and means of two, can have


def test_days_are_those_of_the_session(spark, monkeypatch):
    """Whatever the clock of this machine: Python's times and Spark's must not be mixed."""
    rng = np.random.default_rng(2)
    days = pd.Timestamp("2024-01-01") + pd.to_timedelta(rng.integers(0, 60 * 24 * 90, 600), "min")
    frame = pd.DataFrame(
        {
            "customer": rng.integers(0, 40, 600),
            "time": days.astype("datetime64[us]"),
            "amount": rng.gamma(2, 20, 600).round(2),
        }
    )
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    zone = spark.conf.get("spark.sql.session.timeZone")
    cx.transactions(spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False)))
    spark.conf.set("spark.sql.session.timeZone", "Asia/Shanghai")  # which libraries may not notice
    try:
        table = spark.createDataFrame(pa.Table.from_pandas(frame, preserve_index=False))
        for method in (cx.transactions, lambda t: cx.rfm(cx.transactions(t), "2024-03-20")):
            assert_equal(numbers(method(table)), numbers(method(frame)))
    finally:
        spark.conf.set("spark.sql.session.timeZone", zone)
        monkeypatch.delenv("TZ")
        time.tzset()


def test_bad_data_are_named(spark, frame):
    for column, value, message in (
        ("x", np.inf, "column 'x' has an infinite value; allowed: numbers"),
        ("w", -1.0, "a weight is -1; allowed: finite numbers from 0 upwards"),
    ):
        wrong = frame.head(100).copy()
        wrong.loc[70, column] = value
        table = spark.createDataFrame(pa.Table.from_pandas(wrong, preserve_index=False))
        with pytest.raises(cx.DataError, match=message):
            cx.moments(table, ["a", "x"], weights="w")
    with pytest.raises(cx.DataError, match="column 'group' is not numeric"):
        cx.moments(table, ["a", "group"])
    with pytest.raises(cx.DataError, match="no cases: the table is empty"):
        cx.moments(table.filter("a > 99"), ["a", "x"])


def test_a_job_that_fails_says_why(table):
    broken = table.selectExpr("a", "cast(raise_error('no such disk') as int) as b")
    with pytest.raises(cx.DataError, match=r"Spark could not add up the table: .*no such disk.*"):
        cx.moments(broken, ["a", "b"])


def test_names_with_dots_spaces_and_quotes(spark, frame):
    renamed = frame[["a", "b", "group"]].set_axis(["a.1", "the `b`", "group of"], axis=1)
    table = spark.createDataFrame(pa.Table.from_pandas(renamed, preserve_index=False))
    result = cx.moments(table, ["a.1", "the `b`"], by="group of")
    wanted = cx.moments(renamed, ["a.1", "the `b`"], by="group of")
    assert list(result) == list(wanted) == ["A", "B"]
    np.testing.assert_allclose(result["A"].cov, wanted["A"].cov, rtol=SAME)


OF_DOTTED = {
    "nps": lambda t: cx.nps(t, "g.1", column="x.1"),
    "track": lambda t: cx.track(cx.csat(t, "g.1", column="x.1", scale=(1, 10))),
    "ab_test": lambda t: cx.ab_test(t, outcome="x.1", metric="nps", group="g.1", control="A"),
    "servqual": lambda t: cx.servqual(
        t, {"scale": (1, 10), "constructs": {"D": ["1"]}, "perception": "x.{item}",
            "expectation": "y.{item}"}
    ),
    "transactions": lambda t: cx.transactions(t, customer="g.1", amount="x.1", time="day"),
}  # fmt: skip


@pytest.mark.parametrize("method", OF_DOTTED)
def test_a_name_with_a_dot_is_an_error_that_says_how_to_rename(spark, method):
    dotted = pd.DataFrame(
        {"g.1": ["A", "B"] * 4, "x.1": range(1, 9), "y.1": range(1, 9), "day": "2024-01-01"}
    )
    table = spark.createDataFrame(pa.Table.from_pandas(dotted, preserve_index=False))
    with pytest.raises(cx.DataError, match=r"withColumnRenamed\('\w\.1', '\w_1'\)"):
        OF_DOTTED[method](table)
    assert cx.moments(table, ["x.1"]).mean == dotted["x.1"].mean()


NUMBERS = pa.record_batch({"c0": [1.0, 2.0, 4.0], "c1": [0.5, None, 2.0], "by": ["A", "A", None]})
POWERS = {"mean": 3, "c0": 1}
STEPS = (
    {"mean": MeanOfAnswered(("c0", "c1")), "sum": Sum(("c0", "c1")), "one": Constant(1.0)},
    {"off": Difference("c0", "mean"), "share": Share("c0", ("c0", "c1"))},
    {"products": SumOfProducts((("c0", "c1"), ("one", "off")))},
    {"answered": WhereAnswered(("c1",), "c0")},
)
# One job of every class of the package that travels to workers; a test looks that none is missing.
JOBS = {
    "engine_sums._Partition": lambda: engine_sums._Partition(("c0", "c1"), "by", None),
    "engine_sums._Partition of patterns": lambda: engine_sums._Partition(
        ("c0", "c1"), "by", None, patterns=True
    ),
    "column_sums._PowersJob": lambda: column_sums._PowersJob(
        WorkerRows(tuple(POWERS), STEPS, ("c0", "c1")), np.array([3, 1]), np.zeros(2), True
    ),
    "value_counts._ValuesJob": lambda: value_counts._ValuesJob(
        WorkerRows(tuple(name for step in STEPS for name in step), STEPS, ("c0", "c1")),
        tuple(f"x{i}" for i in range(7)),
    ),
    "value_counts._EndsJob": lambda: value_counts._EndsJob(
        WorkerRows(("c0", "c1"), (), ("c0", "c1")), np.array([1.0, 4.0])
    ),
}
IN_A_WORKER = (
    "import sys, pickle\n"
    "class Refuse:\n"
    "    def find_spec(self, name, *rest):\n"
    "        if name.split('.')[0] in ('cxstats', 'narwhals'): raise ImportError(name)\n"
    "sys.meta_path.insert(0, Refuse())\n"
    "from pyspark import cloudpickle\n"
    "jobs, batch = pickle.loads(sys.stdin.buffer.read())\n"
    "out = {name: [b.to_pylist() for b in cloudpickle.loads(job)(iter([batch]))]\n"
    "       for name, job in jobs.items()}\n"
    "assert 'cxstats' not in sys.modules\n"
    "sys.stdout.buffer.write(pickle.dumps(out))\n"
)


def job_classes():
    """Return every class of the package that has the method of a job, as `Job` says."""
    folder = Path(cx.__file__).parent
    classes = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef) and not any(
                isinstance(base, ast.Name) and base.id == "Protocol" for base in node.bases
            ):
                methods = {x.name for x in node.body if isinstance(x, ast.FunctionDef)}
                if "of_batches" in methods:
                    classes.add(f"{path.stem}.{node.name}")
    return classes


def test_every_job_is_tried_without_cxstats():
    assert {name.partition(" ")[0] for name in JOBS} == job_classes()


@pytest.fixture(scope="module")
def from_workers():
    """Return what each job yields in a Python that cannot import the package."""
    from pyspark import cloudpickle

    pickled = {
        name: cloudpickle.dumps(_worker(job(), pickled="_ValuesJob" not in name))
        for name, job in JOBS.items()
    }
    ran = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IN_A_WORKER], check=False, cwd="/",
        input=pickle.dumps((pickled, NUMBERS)), capture_output=True,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr.decode()[-2_000:]
    return pickle.loads(ran.stdout)


@pytest.mark.parametrize("name", JOBS)
def test_executors_need_no_cxstats(name, from_workers):
    """What travels to a worker gives there what it gives here."""
    here = list(JOBS[name]().of_batches(iter([NUMBERS])))
    if "_ValuesJob" in name:
        assert from_workers[name] == [batch.to_pylist() for batch in here]
        return
    there = [pickle.loads(row["part"]) for batch in from_workers[name] for row in batch]
    assert len(there) == len(here) > 0
    for part, wanted in zip(there, here, strict=True):
        assert repr(part) == repr(wanted)


def slowed(table):
    """Return a table whose partitions take some seconds each."""

    def slowly(batches):  # a function inside a function travels to the workers by value
        import time

        for batch in batches:
            time.sleep(2)
            yield batch

    return table.mapInArrow(slowly, table.schema)


def while_a_worker_dies(cluster, spark, number, call):
    """Return what a call returns while a worker, and its executor with it, is killed."""
    killed = []

    def kill():
        end = time.monotonic() + 120
        while not killed and time.monotonic() < end:
            if cluster.executors(number) and active_tasks(spark) > 0:
                time.sleep(1)
                killed.extend(cluster.executors(number))
                cluster.kill(number)
            time.sleep(0.1)

    killer = threading.Thread(target=kill)
    killer.start()
    result = call()
    killer.join()
    assert killed, "no worker was killed while the job ran"
    end = time.monotonic() + 30  # the system takes a moment to clear them away
    while any(Path(f"/proc/{pid}").exists() for pid in killed) and time.monotonic() < end:
        time.sleep(0.1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in killed)
    return result


@pytest.mark.filterwarnings("ignore:PySpark does not yet:FutureWarning")
def test_a_worker_that_dies_in_the_middle_changes_nothing(frame, table, cluster, spark):
    """One of two workers is killed, and its executor with it, while partitions are added up."""
    whole = cx.moments(table, list("abcdex"), by="group")
    slow = slowed(table)
    result = while_a_worker_dies(
        cluster, spark, 0, lambda: cx.moments(slow, list("abcdex"), by="group")
    )
    wanted = cx.moments(frame, list("abcdex"), by="group")
    for group, moments in result.items():
        assert (moments.n, moments.dropped) == (wanted[group].n, wanted[group].dropped)
        # Partitions are merged in their order: the same digits, whoever added them up.
        np.testing.assert_array_equal(moments.cov, whole[group].cov)
        np.testing.assert_allclose(moments.cov, wanted[group].cov, rtol=1e-10, atol=SAME)


@pytest.mark.filterwarnings("ignore:PySpark does not yet:FutureWarning")
def test_servqual_while_a_worker_dies(frame, table, cluster, spark):
    cluster.add_worker()  # another test may have killed one
    slow = slowed(table)
    result = while_a_worker_dies(
        cluster, spark, 1, lambda: cx.servqual(slow, GAPS, by="group")
    )  # fmt: skip
    assert_equal(numbers(result), numbers(cx.servqual(frame, GAPS, by="group")))


def active_tasks(session):
    tracker = session.sparkContext.statusTracker()
    stages = [tracker.getStageInfo(stage) for stage in tracker.getActiveStageIds()]
    return sum(stage.numActiveTasks for stage in stages if stage)

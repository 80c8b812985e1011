"""The report of a client's file."""

import tempfile
from pathlib import Path

import cxstats as cx
from tests.gallery import Case


def _report(n, **options):
    frame, codebook = cx.simulate_servqual(n, seed=7)
    keys = {**codebook.to_dict(), "questions": {"nps": {"kind": "nps", "column": "recommend"}}}
    frame["recommend"] = [i % 11 for i in range(n)]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "answers.csv")
        frame.to_csv(file, index=False)
        return cx.report(file, keys, **options)


CASES = {
    "Report/survey": Case(lambda: _report(60)),
    "Report/nearly nobody": Case(lambda: _report(3)),
}

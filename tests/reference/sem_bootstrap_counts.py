"""Write how often each case of sem_design_data.csv is drawn in our first resamples of seed 1."""

from pathlib import Path

import pandas as pd

from cxstats.core.moments import resampling_counts

FOLDER = Path(__file__).parent
cases = len(pd.read_csv(FOLDER / "sem_design_data.csv"))
counts = next(resampling_counts(cases, 5, 1))[1].astype(int)
columns = {f"resample{b + 1}": row for b, row in enumerate(counts)}
pd.DataFrame(columns).to_csv(FOLDER / "sem_bootstrap_counts.csv", index=False)

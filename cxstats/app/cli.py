"""The command line: ``cxstats reproduce | audit | codebook | report | lab``.

Errors are one line. Exit status: 0 done, 1 a run failed, 2 the command was used wrongly.
"""

from __future__ import annotations

import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cxstats import __version__
from cxstats.core.errors import (
    CxError,
    DataError,
    MissingToolError,
    ReproductionError,
    WriteError,
)
from cxstats.core.messages import printable

if TYPE_CHECKING:
    from nbformat import NotebookNode
    from rich.table import Table

    from cxstats.app.reproduce import Run
    from cxstats.cases import Audit

_HIGH_CONTROLS = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
MAX_PROBLEMS = 20  # of a file that are printed, one line each
MAX_ROWS = 2_000  # of a printed table, whose widths take a minute for a hundred thousand

PURPOSE = "Customer-experience statistics: case studies re-derived, and the tools for your own."

app = typer.Typer(
    name="cxstats",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


class Format(StrEnum):
    """How an audit is printed."""

    table = "table"
    json = "json"
    csv = "csv"


class Lang(StrEnum):
    """A language of the project."""

    en = "en"
    zh = "zh"


class ReportForm(StrEnum):
    """A form of a report."""

    html = "html"
    xlsx = "xlsx"
    pptx = "pptx"
    docx = "docx"


# The tables of a printed audit, each with its columns.
AUDIT_COLUMNS = {
    "facts": ("id", "quantity", "published", "recomputed", "verdict"),
    "checks": ("id", "check", "given", "recomputed", "verdict", "reason"),
    "formulas": ("id", "name", "formula", "status"),
    "source_errors": ("id", "claim", "correction"),
}


@app.callback(invoke_without_command=True, help=PURPOSE)
def start(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    """Print the version, or the help where no command is named."""
    if version:
        typer.echo(f"cxstats {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def reproduce(
    notebooks: Annotated[
        Path | None,
        typer.Argument(help="Folder, notebook, or its name or number; without it, the collection."),
    ] = None,
    output: Annotated[Path, typer.Option(help="Where the site is written.")] = Path("build"),
    jobs: Annotated[
        int | None, typer.Option(min=1, help="Notebooks at once; without it, one per core.")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write fresh outputs back to the notebooks.")
    ] = False,
    check: Annotated[
        bool, typer.Option("--check", help="Fail if committed numbers differ from a fresh run.")
    ] = False,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="NAME=VALUE",
            help="A value for the parameters cell of one notebook, such as file=client.xlsx; "
            "repeat it for more.",
        ),
    ] = None,
    lang: Annotated[
        Lang | None, typer.Option(help="One language; without it, the collection has both.")
    ] = None,
) -> None:
    """Execute every notebook and write the results as a site, in English and Chinese."""
    if update and check:
        raise CxError("--update and --check exclude each other: one writes what the other tests")
    if (values or lang) and (update or check):
        raise CxError(
            "--set and --lang go with neither --update nor --check: what a notebook says of other "
            "data is written to the output folder alone"
        )
    from cxstats.app.parameters import with_settings
    from cxstats.app.reproduce import (
        differences,
        find_notebooks,
        parse_notebook,
        read_notebook,
    )
    from cxstats.app.site.plain_pages import write_site

    settings = _settings(values or [], lang)
    paths = find_notebooks(notebooks, output)
    if values and len(paths) > 1:
        raise CxError(
            "--set goes with one notebook; name it, such as "
            f"cxstats reproduce {paths[0].stem} --set ..."
        )
    if values:  # what cannot be set is said before anything is written
        with_settings(read_notebook(paths[0]), settings, paths[0].name)
    _check_writable(output)
    if notebooks is None and not (update or check):
        _write_collection(paths, output, jobs, [lang] if lang else list(Lang))
        return
    runs = _run_with_progress(paths, jobs, settings)
    index = write_site(runs, output)
    failures = [f"{run.path}, {run.error}" for run in runs if run.error]
    for run in runs:
        if update and not run.error:
            try:
                _write_back(run)
            except WriteError as error:
                failures.append(str(error))
        if check and not run.error:
            changes = differences(parse_notebook(run.source, run.path), run.notebook)
            failures += [f"{run.path}, {change}" for change in changes]
    _raise_last(failures)
    typer.echo(f"{len(runs)} of {len(runs)} notebooks reproduced: {printable(str(index))}")


def _write_collection(
    paths: list[Path], output: Path, jobs: int | None, languages: list[Lang]
) -> None:
    """Execute the collection in each language, and write its site and the executed notebooks."""
    from cxstats.app.reproduce import find_solutions, write_notebook
    from cxstats.app.site.builder import build_site
    from cxstats.app.site.collection import page_name

    executed, failures = {}, []
    for lang in languages:
        runs = _run_with_progress([*paths, *find_solutions()], jobs, {"lang": lang.value})
        failures += [f"{run.path} ({lang.value}), {run.error}" for run in runs if run.error]
        executed[lang.value] = {page_name(run.path): run.notebook for run in runs}
        for name, notebook in executed[lang.value].items():
            write_notebook(notebook, output / "notebooks" / lang.value / f"{name}.ipynb")
    _raise_last(failures)
    index = build_site(executed, output / "site")
    named = ", ".join(executed)
    typer.echo(
        f"{len(paths)} of {len(paths)} notebooks reproduced ({named}): {printable(str(index))}"
    )


def _write_back(run: Run) -> None:
    """Write fresh outputs to a notebook; the numbers of its prose follow, in both languages."""
    from cxstats.app.prose_numbers import follow_outputs, with_new_numbers
    from cxstats.app.reproduce import parse_notebook, write_notebook
    from cxstats.app.translations import read_translation, twin_of
    from cxstats.core.files import write_text_whole

    committed = parse_notebook(run.source, run.path)
    twin = twin_of(run.path, "zh")
    followed = follow_outputs(committed, run.notebook, read_translation(run.path, "zh"))
    write_notebook(run.notebook, run.path, replaces=run.source)
    if followed.blocks:
        write_text_whole(twin, with_new_numbers(twin.read_text(encoding="utf-8"), followed))
    name = printable(run.path.name)
    for change in followed.changes:
        typer.echo(f"prose of {name}, {change}")
    for number in followed.lost:
        _print_error(f"prose of {name}, {number} stands in no output any more; write it anew")


def _raise_last(failures: list[str]) -> None:
    """Print what failed, a line each, and raise if there is anything."""
    if failures:
        for failure in failures[:-1]:
            _print_error(failure)
        raise ReproductionError(failures[-1])


def _settings(values: list[str], lang: Lang | None) -> dict[str, Any]:
    """Return the parameters that are set."""
    from cxstats.app.parameters import settings_of

    settings = settings_of(values, Path.cwd())
    if lang is not None and settings.setdefault("lang", lang.value) != lang.value:
        raise CxError(f"--lang {lang.value} and --set lang={settings['lang']} differ")
    return settings


def _check_writable(folder: Path) -> None:
    """Raise if the results cannot be written, before anything is executed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise CxError(f"{folder}: cannot be written: {error.strerror}") from error


def _run_with_progress(paths: list[Path], jobs: int | None, settings: dict[str, Any]) -> list[Run]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from cxstats.app.parameters import has_parameters, with_settings
    from cxstats.app.reproduce import run_notebooks
    from cxstats.app.translations import translated
    from cxstats.core.paths import SOLUTIONS

    def prepare(notebook: NotebookNode, path: Path) -> NotebookNode:
        prose = translated(notebook, path, settings.get("lang", "en"))
        if path.parent.name == SOLUTIONS and not has_parameters(prose):
            return prose
        return with_settings(prose, settings, path.name)

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("notebooks", total=len(paths))

        def report(run: Run) -> None:
            state = "FAILED" if run.error else "done"
            name = printable(run.path.name)
            bar.console.print(f"{state:6}  {name}", highlight=False, markup=False)
            bar.advance(task)

        return run_notebooks(paths, jobs, report, prepare if settings else None)


@app.command()
def audit(
    facts: Annotated[
        Path | None, typer.Argument(help="A CSV file of your own; without it, the case studies.")
    ] = None,
    output_format: Annotated[
        Format, typer.Option("--format", help="Form of the output.")
    ] = Format.table,
    lang: Annotated[Lang, typer.Option(help="Language of the output.")] = Lang.en,
    strict: Annotated[
        bool, typer.Option("--strict", help="Exit with 1 if a figure is contradicted.")
    ] = False,
    template: Annotated[
        bool, typer.Option("--template", help="Print a file to fill in with figures of your own.")
    ] = False,
) -> None:
    """Recompute every published figure and say which do not add up."""
    from cxstats.cases.audit import audit as run_audit
    from cxstats.cases.own_figures import template as own_template

    if template:
        sys.stdout.write(own_template(lang.value))
        return
    result = run_audit(facts)
    _write_audit(result, output_format, lang)
    if strict and result.disagree:
        raise typer.Exit(1)


def _write_audit(result: Audit, output_format: Format, lang: Lang) -> None:
    if output_format is Format.json:
        text = json.dumps(result.to_dict(lang.value), ensure_ascii=False, indent=2)
        # JSON writes out the control characters below the space, not those above "~".
        sys.stdout.write(_HIGH_CONTROLS.sub(lambda mark: f"\\u{ord(mark[0]):04x}", text) + "\n")
    elif output_format is Format.csv:
        rows = result.to_dict(lang.value)["facts"]
        writer = csv.DictWriter(sys.stdout, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _csv_cell(value) for key, value in row.items()} for row in rows)
    else:
        _print_audit(result, lang.value)


def _csv_cell(value: object) -> object:
    """Return a value that neither a spreadsheet nor a terminal takes for more than text."""
    from cxstats.core.export import csv_text

    return printable(csv_text(value), keep="\t\n") if isinstance(value, str) else value


def _print_audit(result: Audit, lang: str) -> None:
    from rich.console import Console

    from cxstats.core.formats import format_number
    from cxstats.core.language import label

    console = Console()
    for name, rows in _audit_rows(result, lang).items():
        if rows:
            headers = [label(f"audit.column.{column}", lang) for column in AUDIT_COLUMNS[name]]
            console.print(_table(label(f"audit.{name}.heading", lang), headers, rows[:MAX_ROWS]))
        if len(rows) > MAX_ROWS:
            shown = {"shown": format_number(MAX_ROWS), "n": format_number(len(rows))}
            console.print(label("audit.cut", lang, **shown), markup=False, highlight=False)
    console.print(printable(result.summary(lang), keep="\n"), markup=False, highlight=False)


def _audit_rows(result: Audit, lang: str) -> dict[str, list[tuple[str, ...]]]:
    """Return the rows of each table of an audit, in the order of `AUDIT_COLUMNS`."""
    from cxstats.core.language import label

    outcome = {True: "outcome.true", False: "outcome.false", None: "outcome.none"}
    return {
        "facts": [
            (
                f.fact.id,
                f.fact.name(lang),
                f.published_text(lang),
                f.change_text(lang),
                label(f"verdict.{f.verdict}", lang),
            )
            for f in result.facts
        ],
        "checks": [
            (
                c.id,
                c.title.get(lang),
                c.given,
                c.recomputed,
                label(outcome[c.agrees], lang),
                c.reason.get(lang),
            )
            for c in result.checks
        ],
        "formulas": [
            (f.id, f.name.get(lang), f.formula.get(lang), label(f"status.{f.status}", lang))
            for f in result.formulas
        ],
        "source_errors": [
            (e.id, e.claim.get(lang), e.correction.get(lang)) for e in result.source_errors
        ],
    }


def _table(title: str, headers: list[str], rows: list[tuple[str, ...]]) -> Table:
    from rich.table import Table
    from rich.text import Text

    table = Table(title=title, title_justify="left", title_style="bold", header_style="bold")
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        # Text: cells are data, never markup
        table.add_row(*(Text(printable(cell, keep="\n")) for cell in row))
    return table


@app.command()
def codebook(
    file: Annotated[Path, typer.Argument(help="The client's file: .xlsx, .csv, .sav ...")],
    out: Annotated[
        Path | None, typer.Option(help="Where the codebook is written; without it, it is printed.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of an Excel file.")] = None,
    lang: Annotated[Lang, typer.Option(help="Language of comments and proposed names.")] = Lang.en,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the file if it is there already.")
    ] = False,
) -> None:
    """Draft a codebook for a survey file: YAML with the evidence of every line, to be corrected."""
    import warnings

    from cxstats.core.language import label, set_language
    from cxstats.survey.codebook import Codebook
    from cxstats.survey.read import read_survey

    if out is not None and os.path.exists(out) and not replace:
        raise CxError(f"{out}: is there already; name another file, or say --replace")
    set_language(lang.value)
    with warnings.catch_warnings(record=True) as doubts:
        warnings.simplefilter("always")
        frame = read_survey(file, sheet=sheet)
    draft = Codebook.draft(frame, lang.value)
    for doubt in doubts:
        print(f"cxstats: {printable(' '.join(str(doubt.message).split()))}", file=sys.stderr)
    if out is None:
        sys.stdout.write(draft.to_yaml(lang.value))
        return
    draft.write(out, lang.value)
    typer.echo(printable(draft.summary(lang.value), keep="\n"))
    typer.echo(label("survey.draft.written", lang.value, path=printable(str(out))))


@app.command()
def report(  # noqa: PLR0913, PLR0917  (options of a command)
    file: Annotated[Path, typer.Argument(help="The client's file: .xlsx, .csv, .sav ...")],
    codebook: Annotated[
        str | None,
        typer.Option(help="The codebook (YAML); without it, one is drafted for you to correct."),
    ] = None,
    out: Annotated[Path, typer.Option(help="Folder of the report.")] = Path("report"),
    lang: Annotated[
        list[Lang] | None, typer.Option(help="Language of the report; say it twice for both.")
    ] = None,
    form: Annotated[
        list[ReportForm] | None, typer.Option(help="Only this form; may be said several times.")
    ] = None,
    template: Annotated[
        Path | None, typer.Option(help="The client's own .pptx, for slides in its look.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of an Excel file.")] = None,
    group: Annotated[
        list[str] | None, typer.Option(help="Column that compares respondents; several allowed.")
    ] = None,
    wave: Annotated[str | None, typer.Option(help="Column of time.")] = None,
    weights: Annotated[str | None, typer.Option(help="Column of weights.")] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=NUMBER", help="Target of a question or construct."),
    ] = None,
    min_cell: Annotated[
        int, typer.Option(min=1, help="Respondents below which a cell is hidden.")
    ] = 10,
) -> None:
    """Analyse a client's file and write the report: HTML, Excel, PowerPoint and Word."""
    from cxstats.app.report.reporting import FORMS
    from cxstats.app.report.reporting import report as make_report
    from cxstats.core.language import set_language

    languages = [one.value for one in lang or [Lang.en]]
    set_language(languages[0])
    made = make_report(
        file, codebook, lang=languages, out=out, template=template, sheet=sheet,
        forms=[f".{name.value}" for name in form] if form else FORMS,
        groups=group or None, wave=wave, weights=weights, targets=_targets(target or []),
        min_cell=min_cell,
    )  # fmt: skip
    typer.echo(printable(str(made), keep="\n"))


def _targets(texts: list[str]) -> dict[str, float]:
    """Return targets by name from ``NAME=NUMBER``."""
    targets = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        try:
            targets[name] = float(number)
        except ValueError:
            name = ""
        if not name:
            raise CxError(f"--target {text}: allowed: NAME=NUMBER, such as nps=40")
    return targets


@app.command()
def ready(
    file: Annotated[Path, typer.Argument(help="The client's file: .xlsx, .csv, .sav ...")],
    codebook: Annotated[
        str | None, typer.Option(help="The codebook (YAML); without it, one is drafted.")
    ] = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of an Excel file.")] = None,
    lang: Annotated[Lang, typer.Option(help="Language of the output.")] = Lang.en,
) -> None:
    """Say which analyses a file allows, and what the others lack."""
    from cxstats.app.report.readiness import ready as readiness
    from cxstats.core.language import set_language

    set_language(lang.value)
    result = readiness(file, codebook, lang=lang.value, sheet=sheet)
    typer.echo(printable(result.summary(lang.value), keep="\n"))


@app.command(context_settings={"ignore_unknown_options": True})
def lab(
    arguments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FOLDER|OPTION",
            help="Folder to open (without it, the collection), then options of JupyterLab.",
        ),
    ] = None,
) -> None:
    """Open JupyterLab on the notebooks; outside a checkout, on a copy of the collection."""
    from importlib.util import find_spec

    options = list(arguments or [])
    named = bool(options) and not options[0].startswith("-")
    chosen = Path(options.pop(0)) if named else None
    if chosen is not None and not os.path.isdir(chosen):  # Path.is_dir raises on long names
        raise CxError(f"{chosen}: no such folder; name the one that holds the notebooks")
    if find_spec("jupyterlab") is None:
        raise MissingToolError(
            "jupyterlab is not installed; run 'uv run cxstats lab' in a checkout, or install it: "
            f"{Path(sys.executable).name} -m pip install 'cxstats[notebooks]'"
        )
    if _is_root() and "--allow-root" not in options:
        if not _is_container():
            raise CxError(
                "JupyterLab refuses to run as root, since whoever reaches it could do anything on "
                "this machine; run it as another user, or: cxstats lab --allow-root"
            )
        options.append("--allow-root")
    folder = _collection_to_open() if chosen is None else chosen
    command = [sys.executable, "-m", "jupyterlab", f"--notebook-dir={folder.resolve()}", *options]
    raise typer.Exit(subprocess.call(command))


def _collection_to_open() -> Path:
    """Return the collection of a checkout, or a copy of the installed one for its user to edit."""
    from cxstats.app.own_copy import FOLDER, copy_collection
    from cxstats.app.reproduce import notebook_folder
    from cxstats.core.paths import is_installed

    if Path("notebooks").is_dir() or not is_installed():
        return notebook_folder()
    copied = copy_collection(Path(FOLDER))
    typer.echo(f"{len(copied.written)} files copied to {printable(str(copied.folder))}")
    if copied.edited:
        typer.echo(f"{len(copied.edited)} files differ from the collection and stay as they are")
    return copied.folder


def _is_container() -> bool:
    """Return whether this is a container, which holds nothing of the machine's to protect."""
    # Docker and Podman leave a file; a pod of Kubernetes (as on Binder), LXC and nspawn a variable.
    return any(os.path.exists(mark) for mark in ("/.dockerenv", "/run/.containerenv")) or any(
        os.environ.get(variable) for variable in ("KUBERNETES_SERVICE_HOST", "container")
    )


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0


def _print_error(message: str) -> None:
    print(f"cxstats: error: {printable(' '.join(message.split()))}", file=sys.stderr)


def _use_utf8() -> None:
    """Write Chinese and real minus signs wherever the output goes, whatever the locale says."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.encoding.lower() != "utf-8":
            stream.reconfigure(encoding="utf-8")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status."""
    _use_utf8()
    try:
        return int(app(arguments, standalone_mode=False) or 0)
    except (ReproductionError, MissingToolError, WriteError) as error:
        status, messages = 1, [str(error)]
    except DataError as error:
        status, messages = 2, list(error.problems[:MAX_PROBLEMS])
        if len(error.problems) > MAX_PROBLEMS:
            messages.append(f"and {len(error.problems) - MAX_PROBLEMS} more problems")
    except CxError as error:
        status, messages = 2, [str(error)]
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        status, messages = 1, [f"{place}cannot be read or written: {error.strerror or error}"]
    except (KeyboardInterrupt, typer.Abort):
        status, messages = 1, ["stopped"]
    except Exception as error:
        # Typer carries its own copy of click; its usage errors are known by their form.
        if not hasattr(error, "format_message"):
            raise
        status, messages = 2, [error.format_message()]
    for message in messages:
        _print_error(message)
    return status


if __name__ == "__main__":
    sys.exit(main())

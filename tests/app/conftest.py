"""A small site for the tests: every page, but few notebooks with their charts and two topics."""

import pytest

from cxstats.app.reproduce import find_notebooks, find_solutions, read_notebook
from cxstats.app.site import builder, reference
from cxstats.app.site.collection import page_name
from cxstats.app.translations import translated

# Executed in full; of the others only the prose, so that every link still has its target.
IN_FULL = {"00_quickstart", "09_nps_csat_ces", "24_formulas_of_the_sources"}
TOPICS = ("service", "core")


def small_collection():
    collection = {"en": {}, "zh": {}}
    for path in [*find_notebooks(), *find_solutions()]:
        notebook = read_notebook(path)
        if path.stem not in IN_FULL:
            notebook.cells = [cell for cell in notebook.cells if cell.cell_type == "markdown"]
        for lang, notebooks in collection.items():
            notebooks[page_name(path)] = translated(notebook, path, lang)
    return collection


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The folder of a site, built once a process."""
    topics = {topic: reference.public_names()[topic] for topic in TOPICS}
    folder = tmp_path_factory.mktemp("site")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reference, "public_names", lambda: topics)
        builder.build_site(small_collection(), folder)
    return folder

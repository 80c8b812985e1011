"""Write the page of all formulas, in both languages: ``python -m tests.cases.formula_page``."""

from pathlib import Path

from cxstats.app.translations import page_twin, under_key
from cxstats.cases.formula_uses import formula_page

PAGE = Path(__file__).parent.parent.parent / "notebooks" / "pages" / "formulas.md"


def pages() -> dict[Path, str]:
    """Return what each file has to hold."""
    english, chinese = formula_page("en"), formula_page("zh")
    return {PAGE: english, page_twin(PAGE, "zh"): under_key(english, chinese)}


if __name__ == "__main__":
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")

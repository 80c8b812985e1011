"""Write the page of all formulas: ``python -m tests.cases.formula_page``."""

from pathlib import Path

from cxstats.cases.formula_uses import formula_page

PAGE = Path(__file__).parent.parent.parent / "notebooks" / "pages" / "formulas.md"

if __name__ == "__main__":
    PAGE.write_text(formula_page(), encoding="utf-8")

// Sort a table by the column whose head is pressed, and filter its rows by words.
function sortBy(table, column, head) {
  const down = head.getAttribute("aria-sort") === "ascending";
  const value = (row) => row.cells[column].textContent.trim();
  const number = (text) => parseFloat(text.replace(/[,\s]/g, "").replace("−", "-"));
  const rows = [...table.tBodies[0].rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    const [m, n] = [number(x), number(y)];
    // Numbers stand before texts, so that the order is one where a column has both.
    const order = isNaN(m) - isNaN(n) || (isNaN(m) ? x.localeCompare(y) : m - n);
    return down ? -order : order;
  });
  table.querySelectorAll("th").forEach((th) => th.setAttribute("aria-sort", "none"));
  head.setAttribute("aria-sort", down ? "descending" : "ascending");
  table.tBodies[0].append(...rows);
}

function addFilter(table, words) {
  const box = document.createElement("input");
  box.type = "search";
  box.className = "filter";
  box.setAttribute("aria-label", words);
  box.placeholder = words;
  box.addEventListener("input", () => {
    const wanted = box.value.toLowerCase();
    for (const row of table.tBodies[0].rows)
      row.hidden = !row.textContent.toLowerCase().includes(wanted);
  });
  table.parentElement.before(box);
}

document.addEventListener("DOMContentLoaded", () => {
  const words = document.getElementById("filter-label");
  document.querySelectorAll("table.sortable").forEach((table) => {
    table.querySelectorAll("th").forEach((head, column) => {
      head.querySelector("button").addEventListener("click", () => sortBy(table, column, head));
    });
    addFilter(table, words ? words.innerHTML.trim() : "");
  });
});

// What opens the pages below another one in the menu is called as that page is.
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("li.has-children > details > summary").forEach((summary) => {
    const link = summary.closest("li").querySelector("a");
    summary.setAttribute("aria-label", link.textContent.trim());
  });
});

// From a folder on disk a page cannot read others, so that results of a search have no summary.
if (location.protocol === "file:" && typeof DOCUMENTATION_OPTIONS !== "undefined")
  DOCUMENTATION_OPTIONS.SHOW_SEARCH_SUMMARY = false;

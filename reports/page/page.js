/* What the page does besides charts: one article (a run, an exploration, a plan) at a time, a list of the parts, sorting, filtering, copying. Without scripts
   everything but the charts is there to read. */
"use strict";
(() => {
  const index = document.getElementById("index");
  const articles = [...document.querySelectorAll("main > article")];

  function addParts(article) {
    const nav = document.createElement("nav");
    nav.className = "parts";
    nav.setAttribute("aria-label", "parts of this page");
    const add = (href, text) => {
      const link = document.createElement("a");
      link.href = href;
      link.textContent = text;
      nav.append(link);
    };
    if (index) add("#index", "\u2190 all of the database");
    for (const section of article.querySelectorAll("section[data-part]")) {
      section.id = article.id + "-" + section.dataset.part;
      add("#" + section.id, section.querySelector("h2").textContent);
    }
    article.querySelector("header").after(nav);
  }

  /* Runs that are named somewhere become links where the page has them. */
  function addLink(place) {
    if (!document.getElementById("run-" + place.dataset.run)) return;
    const link = document.createElement("a");
    link.href = "#run-" + place.dataset.run;
    link.textContent = place.textContent;
    place.replaceChildren(link);
  }

  /* With an index, the page shows that or the article that the address names. */
  function show() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const article = index ? target && target.closest("main > article") : articles[0];
    if (index) {
      index.hidden = Boolean(article);
      for (const each of articles) each.hidden = each !== article;
    }
    if (target instanceof HTMLDetailsElement) target.open = true;
    if (article) aqCharts.draw(article);
    if (target && target !== index) target.scrollIntoView();
    else if (index) window.scrollTo(0, 0);
  }

  const collator = new Intl.Collator("en", { numeric: true });

  function compare(a, b, numbers) {
    if (!numbers) return collator.compare(a, b);
    return (a === "" ? -Infinity : Number(a)) - (b === "" ? -Infinity : Number(b));
  }

  function sort(table, column, head) {
    const numbers = head.classList.contains("n");
    const before = head.getAttribute("aria-sort");
    const descending = before ? before === "ascending" : numbers;
    const body = table.tBodies[0];
    const key = row => {
      const cell = row.cells[column];
      return numbers ? cell.dataset.v || "" : cell.textContent;
    };
    const rows = [...body.rows].map(row => [key(row), row]);
    rows.sort((a, b) => (descending ? -1 : 1) * compare(a[0], b[0], numbers));
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    body.append(...rows.map(row => row[1]));
  }

  function makeSortable(table) {
    [...table.tHead.rows[0].cells].forEach((head, column) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      button.addEventListener("click", () => sort(table, column, head));
      head.replaceChildren(button);
    });
  }

  function makeCopy(button) {
    button.addEventListener("click", async () => {
      const code = button.parentElement.querySelector("code");
      getSelection().selectAllChildren(code);
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Selected";
      }
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  }

  function makeFilter(input) {
    const body = input.closest("section").querySelector("tbody");
    input.addEventListener("input", () => {
      const words = input.value.toLowerCase().split(/\s+/);
      for (const row of body.rows) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every(word => text.includes(word));
      }
    });
  }

  articles.forEach(addParts);
  document.querySelectorAll("[data-run]").forEach(addLink);
  document.querySelectorAll("table.sortable").forEach(makeSortable);
  document.querySelectorAll("button.copy").forEach(makeCopy);
  document.querySelectorAll("input.filter").forEach(makeFilter);
  addEventListener("hashchange", show);
  addEventListener("beforeprint", () => {
    for (const details of document.querySelectorAll("details.job")) details.open = true;
  });
  show();
})();

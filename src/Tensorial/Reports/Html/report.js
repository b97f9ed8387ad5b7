"use strict";
// The page is whole without this: what follows sorts, filters, reads values under the pointer and saves figures.

const make = (tag, properties, ...children) => {
  const element = Object.assign(document.createElement(tag), properties);
  element.append(...children);
  return element;
};

const save = (name, type, text) => {
  const url = URL.createObjectURL(new Blob([text], { type }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
};

// Tables: sort by heading, filter by text, save as CSV.
const numberIn = text => {
  const number = Number(text.replace(/[\s,%\u202f]/g, "").replace("\u2212", "-"));
  return text.trim() === "" || Number.isNaN(number) ? null : number;
};

const compare = (a, b) => {
  const x = numberIn(a), y = numberIn(b);
  if (x !== null && y !== null) return x - y;
  if (x !== null || y !== null) return x !== null ? -1 : 1;
  return a.localeCompare(b, "en", { numeric: true });
};

for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0], headings = [...table.tHead.rows[0].cells], original = [...body.rows];
  headings.forEach((heading, column) => {
    const button = make("button", { type: "button", title: heading.title || "sort" }, ...heading.childNodes);
    heading.append(button);
    button.addEventListener("click", () => {
      const next = { none: "descending", descending: "ascending", ascending: "none" }[heading.getAttribute("aria-sort") || "none"];
      headings.forEach(other => other.removeAttribute("aria-sort"));
      if (next !== "none") heading.setAttribute("aria-sort", next);
      const sign = next === "ascending" ? 1 : -1;
      const rows = original.slice();
      if (next !== "none") rows.sort((a, b) => sign * compare(a.cells[column].textContent, b.cells[column].textContent));
      body.append(...rows);
    });
  });

  const figure = table.closest("figure"), box = table.closest(".box"), tools = make("div", { className: "tools" });
  if (box.classList.contains("long")) {
    const filter = make("input", { type: "search", placeholder: "filter rows", ariaLabel: "Filter rows" });
    const count = make("span", { className: "note" });
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0;
      for (const row of original) {
        const text = row.textContent.toLowerCase();
        row.hidden = !words.every(word => text.includes(word));
        if (!row.hidden) shown++;
      }
      count.textContent = words.length ? `${shown} of ${original.length} rows` : "";
    });
    tools.append(filter, count);
  }
  const button = make("button", { type: "button" }, "Save as CSV");
  button.addEventListener("click", () => {
    const field = text => /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
    const value = cell => {
      const text = cell.textContent, number = cell.classList.contains("text") ? null : numberIn(text);
      return number === null ? (text === "\u2013" ? "" : text) : String(text.includes("%") ? Number((number / 100).toPrecision(12)) : number);
    };
    const lines = [headings.map(h => h.dataset.key), ...[...body.rows].filter(row => !row.hidden).map(row => [...row.cells].map(value))];
    save(`${figure.id}.csv`, "text/csv", lines.map(line => line.map(field).join(",") + "\r\n").join(""));
  });
  tools.append(button);
  box.before(tools);
}

// Charts: the value of the line nearest to the pointer.
const tip = document.getElementById("tip");

const axisOf = text => {
  const [kind, ...ends] = text.split(" ");
  const [low, high, from, to] = ends.map(Number);
  return place => {
    const t = (place - from) / (to - from);
    return { kind, value: kind === "log" ? low * (high / low) ** t : low + t * (high - low) };
  };
};

const shown = (kind, value) =>
  kind === "percent" ? `${(100 * value).toFixed(1)}\u202f%` : kind === "log" ? value.toPrecision(2) : value.toPrecision(3);

const pointsOf = path => (path.getAttribute("d").match(/-?[\d.]+ -?[\d.]+/g) || []).map(pair => pair.split(" ").map(Number));

const pick = (chart, name) => {
  chart.classList.toggle("picked", name !== null);
  for (const group of chart.querySelectorAll("g[data-name]")) group.classList.toggle("on", group.dataset.name === name);
};

for (const chart of document.querySelectorAll("svg.chart")) {
  let series = null, mark = null;
  const prepare = () => {
    const axisX = axisOf(chart.dataset.x), axisY = axisOf(chart.dataset.y), names = chart.dataset.names ? chart.dataset.names.split("\n") : null;
    series = [...chart.querySelectorAll("g[data-name]")].map(group => {
      const dots = group.querySelector(".dots");
      return { name: group.dataset.name, measured: !!dots, points: pointsOf(dots || group.querySelector(".line")), labels: group.dataset.labels ? group.dataset.labels.split("|") : [] };
    });
    mark = document.createElementNS("http://www.w3.org/2000/svg", "circle");
    mark.setAttribute("r", 4);
    chart.say = (line, x, y, label) => {
      const across = axisX(x), up = axisY(y);
      const at = names ? names[Math.round(across.value) - 1] || "" : shown(across.kind, across.value);
      tip.replaceChildren(make("b", {}, line.name), [label, at, shown(up.kind, up.value)].filter(Boolean).join(" \u00b7 "));
    };
  };
  // Measured points are taken as they are; on a curve, the place under the pointer.
  const nearest = (x, y) => {
    let best = null;
    const offer = (line, px, py, label) => {
      const distance = Math.hypot(px - x, py - y);
      if (!best || distance < best.distance) best = { line, x: px, y: py, label, distance };
    };
    for (const line of series) {
      if (line.measured) line.points.forEach(([px, py], k) => offer(line, px, py, line.labels[k]));
      else {
        for (let k = 1; k < line.points.length; k++) {
          const [ax, ay] = line.points[k - 1], [bx, by] = line.points[k];
          const square = (bx - ax) ** 2 + (by - ay) ** 2;
          const t = square ? Math.min(1, Math.max(0, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / square)) : 0;
          offer(line, ax + t * (bx - ax), ay + t * (by - ay));
        }
      }
    }
    return best && best.distance < 40 ? best : null;
  };
  const leave = () => {
    tip.hidden = true;
    if (mark) mark.remove();
    pick(chart, null);
  };
  chart.addEventListener("pointermove", event => {
    if (!series) prepare();
    const box = chart.getBoundingClientRect(), zoom = chart.viewBox.baseVal.width / box.width;
    const found = nearest((event.clientX - box.left) * zoom, (event.clientY - box.top) * zoom);
    if (!found) return leave();
    pick(chart, found.line.name);
    mark.setAttribute("cx", found.x);
    mark.setAttribute("cy", found.y);
    chart.append(mark);
    chart.say(found.line, found.x, found.y, found.label);
    tip.hidden = false;
    const x = box.left + found.x / zoom, y = box.top + found.y / zoom;
    const left = Math.min(Math.max(8, x + 14), innerWidth - tip.offsetWidth - 8);
    const top = y - tip.offsetHeight - 12 > 4 ? y - tip.offsetHeight - 12 : y + 16;
    tip.style.transform = `translate(${left}px, ${top}px)`;
  });
  chart.addEventListener("pointerleave", leave);
  addEventListener("scroll", () => { if (!tip.hidden) leave(); }, { passive: true });

  // A figure for a paper: the drawing with its title, its legend and its colours written into it.
  const drawing = () => {
    const copy = chart.cloneNode(true), plot = chart.closest(".plot"), figure = chart.closest("figure");
    copy.querySelectorAll("circle").forEach(circle => circle.remove());
    const from = [...chart.querySelectorAll("*")].filter(element => element.localName !== "circle"), to = copy.querySelectorAll("*");
    from.forEach((element, k) => {
      const style = getComputedStyle(element);
      const wanted = { path: ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin"], text: ["fill", "font-size"], tspan: ["fill", "font-size"], g: ["opacity"] }[element.localName] || [];
      wanted.forEach(name => to[k].setAttribute(name, style.getPropertyValue(name)));
    });
    const size = parseFloat(getComputedStyle(chart).fontSize), row = 1.6 * size, { width, height } = chart.viewBox.baseVal;
    const add = (tag, attributes, text) => {
      const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
      for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
      if (text) element.textContent = text;
      copy.prepend(element);
    };
    const legend = plot.querySelector(".legend") || figure.querySelector(".legend");
    const entries = legend ? [...legend.querySelectorAll("li[data-series]")] : [], ink = getComputedStyle(chart.querySelector("text.title") || chart).fill;
    // Names side by side, in as many rows as they need.
    let x = 0, rows = entries.length ? 1 : 0;
    const places = entries.map(entry => {
      const wide = 32 + 0.62 * size * entry.dataset.series.length + 18;
      if (x > 0 && x + wide > width) { x = 0; rows++; }
      const place = { entry, x, row: rows - 1 };
      x += wide;
      return place;
    });
    const head = 2 * row + rows * row;
    add("text", { x: 0, y: row - head, fill: ink, "font-size": 1.1 * size, "font-weight": 600 }, plot.querySelector("h4").textContent);
    for (const place of places) {
      const y = 2 * row - head + place.row * row, line = getComputedStyle(place.entry.querySelector("path"));
      add("path", { d: `M${place.x} ${y - 0.35 * size}h26`, fill: "none", stroke: line.stroke, "stroke-width": 1.5, "stroke-dasharray": line.strokeDasharray });
      add("text", { x: place.x + 32, y, fill: ink }, place.entry.dataset.series);
    }
    const box = { x: -12, y: -12 - head, width: width + 24, height: height + head + 24 };
    add("rect", { ...box, fill: getComputedStyle(document.documentElement).backgroundColor });
    copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
    copy.setAttribute("viewBox", Object.values(box).join(" "));
    copy.setAttribute("width", box.width);
    copy.setAttribute("height", box.height);
    copy.setAttribute("font-family", "Helvetica, Arial, sans-serif");
    copy.setAttribute("font-size", size);
    const name = `${figure.id}-${plot.querySelector("h4").textContent}`.replace(/[^\w.-]+/g, "_").slice(0, 80);
    return { name, width: box.width, height: box.height, text: new XMLSerializer().serializeToString(copy) };
  };
  const svg = make("button", { type: "button" }, "Save SVG"), png = make("button", { type: "button" }, "PNG");
  svg.addEventListener("click", () => {
    const { name, text } = drawing();
    save(`${name}.svg`, "image/svg+xml", text);
  });
  png.addEventListener("click", () => {
    const { name, width, height, text } = drawing(), scale = 3, picture = new Image();
    picture.addEventListener("load", () => {
      const canvas = make("canvas", { width: scale * width, height: scale * height });
      canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
      canvas.toBlob(blob => save(`${name}.png`, "image/png", blob));
    });
    picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  });
  chart.after(make("div", { className: "save" }, svg, png));
}

// Legends: a name picks its line in every chart of the figure.
for (const entry of document.querySelectorAll(".legend li[data-series]")) {
  entry.tabIndex = 0;
  const charts = [...entry.closest("figure").querySelectorAll("svg.chart")];
  const on = () => charts.forEach(chart => pick(chart, entry.dataset.series));
  const off = () => charts.forEach(chart => pick(chart, null));
  entry.addEventListener("pointerenter", on);
  entry.addEventListener("pointerleave", off);
  entry.addEventListener("focus", on);
  entry.addEventListener("blur", off);
}

// Decks: one card at a time, chosen by name.
for (const deck of document.querySelectorAll(".deck")) {
  const cards = [...deck.children];
  if (cards.length < 2) { cards.forEach(card => card.open = true); continue; }
  const select = make("select", { ariaLabel: deck.dataset.label });
  cards.forEach((card, k) => select.append(make("option", { value: String(k) }, card.querySelector(".name").textContent)));
  const show = k => {
    cards.forEach((card, other) => card.open = other === k);
    select.value = String(k);
    back.disabled = k === 0;
    on.disabled = k === cards.length - 1;
  };
  const back = make("button", { type: "button", ariaLabel: "previous" }, "\u2190"), on = make("button", { type: "button", ariaLabel: "next" }, "\u2192");
  select.addEventListener("change", () => show(Number(select.value)));
  back.addEventListener("click", () => show(Number(select.value) - 1));
  on.addEventListener("click", () => show(Number(select.value) + 1));
  deck.prepend(make("div", { className: "tools" }, select, back, on));
  deck.classList.add("single");
  const follow = () => {
    const k = cards.findIndex(card => "#" + card.id === location.hash);
    show(Math.max(k, 0));
    if (k >= 0) deck.scrollIntoView();
  };
  addEventListener("hashchange", () => { if (cards.some(card => "#" + card.id === location.hash)) follow(); });
  follow();
}

// Contents: where the reader is.
const watch = new IntersectionObserver(entries => {
  for (const entry of entries) document.querySelector(`nav a[href="#${entry.target.id}"]`).classList.toggle("here", entry.isIntersecting);
}, { rootMargin: "-12% 0px -82% 0px" });
document.querySelectorAll("main > section").forEach(section => watch.observe(section));

/* The charts of a run, an exploration or a plan, drawn with Chart.js from the JSON that stands in its article. */
"use strict";
const aqCharts = (() => {
  const drawn = new Map(); /* article -> charts */
  const colours = {
    light: ["#2563c9", "#d9730d", "#2c8a4b", "#b3337f", "#6b55c8", "#0b8796", "#a3791a", "#c23b3b", "#52698a", "#7f9c1e", "#8a5a3c", "#4b4b4b"],
    dark: ["#6ea8fe", "#f5a65b", "#63c787", "#e67fb5", "#a79bf2", "#4fc3d0", "#d9b35a", "#f08080", "#9fb3cc", "#b7d35a", "#c79a7c", "#c8c8c8"],
  };
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let printing = false;

  const variable = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const colour = i => { const list = dark.matches && !printing ? colours.dark : colours.light; return list[i % list.length]; };
  const faded = (hex, alpha) => hex + Math.round(alpha * 255).toString(16).padStart(2, "0");
  const count = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });

  function span(us) {
    if (us < 1000) return count.format(us) + " us";
    if (us < 1e6) return count.format(Number((us / 1000).toPrecision(3))) + " ms";
    return count.format(Number((us / 1e6).toPrecision(3))) + " s";
  }

  /* The stretches of time in which faults were in force, shaded and numbered. */
  const bands = {
    id: "bands",
    beforeDatasetsDraw(chart, args, options) {
      const { ctx, chartArea: area, scales: { x } } = chart;
      if (!options.faults) return;
      ctx.save();
      ctx.beginPath();
      ctx.rect(area.left, area.top, area.width, area.height);
      ctx.clip();
      ctx.font = "11px system-ui, sans-serif";
      ctx.textBaseline = "top";
      options.faults.forEach((fault, i) => {
        const from = Math.max(x.getPixelForValue(fault.at_s), area.left);
        const to = fault.until_s === null ? area.right : Math.min(x.getPixelForValue(fault.until_s), area.right);
        ctx.fillStyle = `rgba(${variable("--band")}, .16)`;
        ctx.fillRect(from, area.top, Math.max(to - from, 2), area.height);
        ctx.fillStyle = variable("--dim");
        const fits = options.faults.length < 4 && ctx.measureText(fault.name).width < to - from - 8;
        ctx.fillText(fits ? fault.name : fault.number, from + 4, area.top + 3 + (i % 3) * 13);
      });
      ctx.restore();
    },
  };

  /* Whiskers from `low` to `high` over each bar. */
  const whiskers = {
    id: "whiskers",
    afterDatasetsDraw(chart, args, options) {
      if (!options.on) return;
      const { ctx, scales: { y } } = chart;
      ctx.save();
      ctx.strokeStyle = variable("--text");
      ctx.lineWidth = 1.2;
      chart.data.datasets.forEach((set, i) => chart.getDatasetMeta(i).data.forEach((bar, k) => {
        const interval = set.intervals[k];
        if (!interval) return;
        const [low, high] = interval.map(value => y.getPixelForValue(value * 100));
        ctx.beginPath();
        ctx.moveTo(bar.x, low);
        ctx.lineTo(bar.x, high);
        for (const end of [low, high]) {
          ctx.moveTo(bar.x - 3, end);
          ctx.lineTo(bar.x + 3, end);
        }
        ctx.stroke();
      }));
      const even = y.getPixelForValue(options.even * 100);
      ctx.strokeStyle = variable("--dim");
      ctx.setLineDash([5, 4]);
      ctx.beginPath();
      ctx.moveTo(chart.chartArea.left, even);
      ctx.lineTo(chart.chartArea.right, even);
      ctx.stroke();
      ctx.restore();
    },
  };

  function axis(title, more = {}) {
    return {
      title: { display: Boolean(title), text: title, color: variable("--dim") },
      ticks: { color: variable("--dim"), maxRotation: 0, ...more.ticks },
      grid: { color: variable("--line") },
      ...more.scale,
    };
  }

  function base(more) {
    return {
      animation: false,
      responsive: true,
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      ...more,
      plugins: {
        legend: { labels: { color: variable("--text"), boxWidth: 12, boxHeight: 12 } },
        decimation: { enabled: false },
        ...more.plugins,
      },
    };
  }

  /* Axes of the same width, so that moments stand below one another. */
  const aligned = { afterFit(scale) { scale.width = 74; } };
  const line = (label, data, i, more = {}) => ({
    label, data, borderColor: colour(i), backgroundColor: faded(colour(i), .55), borderWidth: 1.6, pointRadius: data.length < 2 ? 3 : 0,
    pointHitRadius: 8, ...more,
  });

  function timeChart(data, datasets, y, more = {}) {
    return {
      type: "line",
      data: { datasets },
      options: base({
        parsing: false,
        scales: {
          x: axis("virtual time, s", { scale: { type: "linear", min: 0, max: Math.max(data.end_us / 1e6, 1e-6) } }),
          y,
        },
        plugins: { bands: { faults: data.faults.slice(0, 40) }, ...more },
      }),
      plugins: [bands],
    };
  }

  const middle = (data, bin) => {
    const from = bin * data.bin_us, to = Math.min(from + data.bin_us, data.end_us);
    return Math.max(from, (from + to) / 2) / 1e6;
  };
  const width = (data, bin) => Math.max(Math.min(data.bin_us, data.end_us - bin * data.bin_us), 1) / 1e6;
  const rates = (data, values) => values.map((value, bin) => ({ x: middle(data, bin), y: value / width(data, bin) }));
  const ends = (data, values) => values.map((value, bin) => ({ x: Math.min((bin + 1) * data.bin_us, data.end_us) / 1e6, y: value }));
  /* A decade has its first value named; where there are few decades, 2 and 5 as well. */
  const spanAxis = title => axis(title, { scale: { type: "logarithmic", ...aligned }, ticks: { autoSkip: false, callback(value) {
    const mantissa = Number(value.toExponential().split("e")[0]);
    return mantissa === 1 || (this.max / this.min < 1000 && (mantissa === 2 || mantissa === 5)) ? span(value) : null;
  } } });
  const spanTip = { tooltip: { callbacks: { label: item => `${item.dataset.label}: ${span(item.parsed.y)}` } } };
  /* A logarithmic axis has no place for 0. */
  const positive = us => Math.max(us, 1);

  const kinds = {
    throughput: data => timeChart(data, ["puts", "gets", "completions", "errors"]
      .filter(name => name !== "errors" || data.errors.some(Boolean))
      .map((name, i) => line(name, rates(data, data[name]), i === 3 ? 7 : i)), axis("per second", { scale: { min: 0, ...aligned } })),

    latency: (data, choice) => {
      const rows = data.latency[choice] || [];
      const series = k => {
        const points = [];
        for (let i = 0; i + 3 < rows.length; i += 4)
          if (rows[i] * data.bin_us <= data.end_us) points.push({ x: middle(data, rows[i]), y: positive(rows[i + 1 + k]) });
        return points;
      };
      return timeChart(data, ["p50", "p99", "max"].map((name, k) => line(name, series(k), k)), spanAxis(""), spanTip);
    },

    backlog: data => timeChart(data, ["ready", "reserved"].map((name, i) => line(name === "ready" ? "ready" : "leased", ends(data, data[name]), i)),
      axis("jobs", { scale: { min: 0, ...aligned } })),

    load: data => timeChart(data, data.servers.map((server, i) => line(server.name, rates(data, server.choices), i, { fill: i ? "-1" : "origin", stack: "load" })),
      axis("choices per second", { scale: { min: 0, stacked: true, ...aligned } })),

    shares: data => {
      const servers = data.servers.slice(0, data.phases.length ? data.phases[0].choices.length : 0);
      const interval = (hits, total) => {
        if (!total) return null;
        const z = 1.959963984540054, p = hits / total, scale = 1 + z * z / total;
        const centre = (p + z * z / (2 * total)) / scale, spread = z * Math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / scale;
        return [Math.max(centre - spread, 0), Math.min(centre + spread, 1)];
      };
      const short = text => text.length > 26 ? text.slice(0, 25) + "\u2026" : text;
      const rest = data.servers.length > servers.length ? Number.parseInt(data.servers.at(-1).name, 10) : 0;
      return {
        type: "bar",
        data: {
          labels: data.phases.map(phase => short(phase.name)),
          datasets: servers.map((server, i) => ({
            label: server.name,
            backgroundColor: faded(colour(i), .75),
            data: data.phases.map(phase => phase.total ? phase.choices[i] / phase.total * 100 : 0),
            intervals: data.phases.map(phase => interval(phase.choices[i], phase.total)),
          })),
        },
        options: base({
          scales: { x: axis(""), y: axis("% of the choices", { scale: { min: 0 } }) },
          plugins: {
            whiskers: { on: true, even: 1 / (servers.length + rest || 1) },
            tooltip: { callbacks: { label: item => {
              const range = item.dataset.intervals[item.dataIndex];
              return `${item.dataset.label}: ${item.parsed.y.toFixed(2)} %` + (range ? ` (${(range[0] * 100).toFixed(2)} to ${(range[1] * 100).toFixed(2)})` : "");
            } } },
          },
        }),
        plugins: [whiskers],
      };
    },

    outcomes: data => {
      const names = Object.keys(data.outcomes);
      const tones = { misrouted: "--fail", "origin gone": "--unknown", unknown: "--unknown" };
      return {
        type: "bar",
        data: { labels: names.map(name => `${name} ${count.format(data.outcomes[name])}`), datasets: [{
          label: "completions",
          data: names.map(name => data.outcomes[name]),
          backgroundColor: names.map(name => tones[name] ? variable(tones[name]) : faded(colour(0), .8)),
          minBarLength: 0,
        }] },
        options: base({ indexAxis: "y", scales: { x: axis("completions", { scale: { min: 0 } }), y: axis("") }, plugins: { legend: { display: false } } }),
      };
    },

    failover: data => ({
      type: "bar",
      data: {
        labels: data.failover.map((clients, i) => span(i * data.failover_bar_us)),
        datasets: [{ label: "departures", data: data.failover, backgroundColor: faded(colour(0), .8), categoryPercentage: 1, barPercentage: .95 }],
      },
      options: base({
        scales: { x: axis("after the stop", { ticks: { maxTicksLimit: 7, autoSkip: true } }), y: axis("departures", { scale: { min: 0 } }) },
        plugins: { legend: { display: false }, tooltip: { callbacks: { title: items =>
          `${span(items[0].dataIndex * data.failover_bar_us)} to ${span((items[0].dataIndex + 1) * data.failover_bar_us)}` } } },
      }),
    }),

    percentiles: data => {
      const share = x => {
        const digits = Math.max(0, Math.ceil(Math.log10(x)) - 2);
        return (100 - 100 / x).toFixed(digits) + " %";
      };
      return {
        type: "line",
        data: { datasets: Object.entries(data.percentiles).map(([name, values], i) => {
          const points = [];
          for (let k = 0; k + 1 < values.length; k += 2) points.push({ x: Math.max(values[k], 1), y: positive(values[k + 1]) });
          return line(name, points, i, { stepped: false });
        }) },
        options: base({
          parsing: false,
          interaction: { mode: "nearest", intersect: false },
          scales: {
            x: axis("share of the calls that took at most this long", { scale: { type: "logarithmic", min: 1 }, ticks: { callback: value => /^1e|^10*$/.test(String(value)) ? share(value) : "" } }),
            y: spanAxis(""),
          },
          plugins: { tooltip: { callbacks: { title: items => items.length ? share(items[0].parsed.x) : "", ...spanTip.tooltip.callbacks } } },
        }),
      };
    },
  };

  /* ---- explorations: stretches are [lowest seed, seeds, failing, busy us, sorts of failure not seen before] ---- */

  /* Few enough of them for a share or a rate to mean something. */
  function longer(stretches, most) {
    const each = Math.ceil(stretches.length / most), out = [];
    for (let i = 0; i < stretches.length; i += each)
      out.push(stretches.slice(i, i + each).reduce((sum, stretch) => sum.map((value, k) => k ? value + stretch[k] : value)));
    return out;
  }

  function seedChart(stretches, label, value, y, more = {}) {
    let done = 0;
    const points = [];
    for (const stretch of stretches) {
      done += stretch[1];
      points.push({ x: done, y: value(stretch) });
    }
    return {
      type: "line",
      data: { datasets: [line(label, points.filter(point => point.y !== null), 0, more)] },
      options: base({
        parsing: false,
        scales: { x: axis("seeds", { scale: { type: "linear", min: 0, max: Math.max(done, 1) } }), y: axis(y, { scale: { min: 0 }, ticks: { precision: more.precision } }) },
        plugins: { legend: { display: false }, tooltip: { callbacks: { title: items => `after ${count.format(items[0].parsed.x)} seeds` } } },
      }),
    };
  }

  kinds.sorts = data => {
    let sorts = 0;
    const chart = seedChart(data.stretches, "sorts of failure", stretch => sorts += stretch[4], "sorts", { stepped: "before", fill: "origin", precision: 0 });
    chart.data.datasets[0].data.unshift({ x: 0, y: 0 });
    return chart;
  };
  kinds.failing = data => seedChart(longer(data.stretches, 30), "% of the seeds fail", stretch => 100 * stretch[2] / stretch[1], "%", { fill: "origin" });
  kinds.pace = data => seedChart(longer(data.stretches, 60), "seeds per second", stretch => stretch[3] ? stretch[1] / (stretch[3] / 1e6) : null, "per second");

  /* ---- plans: points are [servers, lost, clients, seeds, held, then mean, half, theory, held of each measure], knees
     [servers, lost, clients, fails at, theory], with 0 for none ---- */

  const valueOf = (point, measure) => {
    const at = 5 + 4 * measure;
    return { mean: point[at], half: point[at + 1], theory: point[at + 2], held: point[at + 3] };
  };
  function inUnit(value, unit) {
    if (value === null) return "-";
    if (unit === "s") return span(value * 1e6);
    return count.format(Number(value.toPrecision(3))) === "0" && value ? value.toExponential(1) : Number(value.toPrecision(3)).toLocaleString("en") + unit;
  }

  /* Legend and tooltip of lines that have bands and companions: those belong to the line of their group and are not named. */
  const grouped = tip => ({
    legend: {
      labels: { color: variable("--text"), boxWidth: 22, boxHeight: 1, filter: (item, chart) => !chart.datasets[item.datasetIndex].silent },
      onClick(event, item, legend) {
        const sets = legend.chart.data.datasets, visible = legend.chart.isDatasetVisible(item.datasetIndex);
        sets.forEach((set, i) => { if (set.group === sets[item.datasetIndex].group) legend.chart.setDatasetVisibility(i, !visible); });
        legend.chart.update();
      },
    },
    tooltip: { filter: item => !item.dataset.silent, callbacks: tip },
  });
  const silent = { silent: true, pointRadius: 0, pointHitRadius: 0 };
  const band = (group, i, low, high) => [
    { ...line("", low, i), ...silent, group, borderWidth: 0 },
    { ...line("", high, i), ...silent, group, borderWidth: 0, fill: "-1", backgroundColor: faded(colour(i), .22) },
  ];
  const dashed = (group, i, points) => ({ ...line("", points, i), ...silent, pointRadius: points.length < 2 ? 3 : 0, pointStyle: "crossRot", group, borderDash: [6, 4], borderWidth: 1.2 });

  kinds.knees = data => {
    const sets = [];
    [...new Set(data.knees.map(knee => knee[1]))].forEach((lost, i) => {
      const knees = data.knees.filter(knee => knee[1] === lost), at = k => knees.map(knee => ({ x: knee[0], y: knee[k] }));
      const tops = knees.map(knee => ({ x: knee[0], y: knee[3] || knee[2] }));
      sets.push(...band(lost, i, at(2), tops));
      if (data.theory) sets.push(dashed(lost, i, at(4)));
      sets.push({ ...line(lostWord(lost), at(2), i), group: lost, knees, pointRadius: 4, borderWidth: 2, pointStyle: knees.map(knee => knee[3] ? "circle" : "triangle") });
    });
    const ticks = { precision: 0 };
    return {
      type: "line",
      data: { datasets: sets },
      options: base({
        parsing: false,
        scales: {
          x: axis("servers", { scale: { type: "linear", offset: new Set(data.knees.map(knee => knee[0])).size < 2, }, ticks: { ...ticks, stepSize: data.knees.at(-1)[0] - data.knees[0][0] < 20 ? 1 : undefined } }),
          y: axis("clients", { scale: { min: 0 }, ticks }),
        },
        plugins: grouped({
          title: items => items.length ? `${items[0].parsed.x} servers` : "",
          label: item => {
            const knee = item.dataset.knees[item.dataIndex];
            const fails = knee[3] ? `fails at ${count.format(knee[3])}` : "held up to the end";
            return `${item.dataset.label}: ${knee[2] ? count.format(knee[2]) : "none"}; ${fails}` + (data.theory ? `; theory ${count.format(knee[4])}` : "");
          },
        }),
      }),
    };
  };

  /* As many as have colours, spread over all. */
  function spread(list, most) {
    if (list.length <= most) return list;
    return Array.from({ length: most }, (none, i) => list[Math.round(i * (list.length - 1) / (most - 1))]);
  }

  kinds.measure = (data, choice, lost) => {
    const { unit, bound } = data.measures[choice], log = unit === "s", scaled = value => log ? value * 1e6 : value;
    const points = data.points.filter(point => point[1] === Number(lost)), sets = [];
    let least = Infinity;
    spread([...new Set(points.map(point => point[0]))], data.lines_max).forEach((servers, i) => {
      const of = points.filter(point => point[0] === servers).map(point => ({ x: point[2], ...valueOf(point, choice) }));
      const means = of.filter(v => v.mean !== null), bands = means.filter(v => v.half !== null), theory = of.filter(v => v.theory !== null);
      for (const v of means) if (v.mean > 0) least = Math.min(least, scaled(v.mean));
      const set = (values, y) => values.map(v => ({ x: v.x, y: scaled(y(v)) }));
      sets.push(...band(servers, i, set(bands, v => v.mean - v.half), set(bands, v => v.mean + v.half)));
      sets.push(dashed(servers, i, set(theory, v => v.theory)));
      sets.push({ ...line(`${servers} server${servers === 1 ? "" : "s"}`, set(means, v => v.mean), i), group: servers, values: means, pointRadius: 2.5, pointStyle: "circle" });
    });
    if (log) /* an interval that reaches down to 0 has no place on the axis */
      for (const set of sets) for (const point of set.data) point.y = Math.max(point.y, least / 2);
    const clients = points.map(point => point[2]), ends = [Math.min(...clients), Math.max(...clients)];
    if (bound !== null)
      sets.push({ ...line("bound", ends.map(x => ({ x, y: scaled(bound) })), 0), ...silent, silent: false, group: "bound", borderColor: variable("--fail"), borderDash: [2, 3] });
    return {
      type: "line",
      data: { datasets: sets },
      options: base({
        parsing: false,
        interaction: { mode: "nearest", intersect: false },
        scales: {
          x: axis("clients", { scale: { type: "linear" }, ticks: { precision: 0 } }),
          y: log ? spanAxis("") : axis(unit === "/s" ? "per second" : "", { scale: { ...aligned } }),
        },
        plugins: grouped({
          title: items => items.length ? `${count.format(items[0].parsed.x)} clients` : "",
          label: item => {
            const v = item.dataset.values && item.dataset.values[item.dataIndex];
            if (!v) return `bound: ${inUnit(bound, unit)}`;
            return `${item.dataset.label}: ${inUnit(v.mean, unit)} \u00b1 ${inUnit(v.half, unit)}` + (v.theory === null ? "" : `; theory ${inUnit(v.theory, unit)}`);
          },
        }),
      }),
    };
  };

  /* Puts a measure, or whether the objective holds, into the cells of the heat map. */
  const signs = { holds: "\u2713", fails: "\u2717", open: "?" };
  const HEATS = 8;
  function fillMap(figure, data, choice) {
    const cells = [...figure.querySelectorAll("[data-point]")], held = choice === "held";
    const unit = held ? "" : data.measures[choice].unit;
    const found = cells.map(cell => held ? null : valueOf(data.points[cell.dataset.point], Number(choice)));
    const means = found.filter(v => v && v.mean !== null).map(v => v.mean), least = Math.min(...means), most = Math.max(...means);
    const log = unit === "s" && least > 0, place = value => log ? Math.log(value) : value;
    const heat = value => most > least ? Math.round((HEATS - 1) * (place(value) - place(least)) / (place(most) - place(least))) : 0;
    cells.forEach((cell, i) => {
      const point = data.points[cell.dataset.point], v = found[i], word = held ? point[4] : v.held;
      const sign = cell.querySelector(".sign"), knee = cell.classList.contains("knee");
      sign.textContent = signs[word] || "";
      cell.querySelector(".value").textContent = held ? word : inUnit(v.mean, unit);
      cell.className = held ? word : v.mean === null ? "" : "heat-" + heat(v.mean);
      cell.classList.toggle("knee", knee);
    });
    figure.querySelector(".scale").textContent = means.length ? `Shaded from ${inUnit(least, unit)} to ${inUnit(most, unit)}${log ? ", by its logarithm" : ""}.` : "";
  }

  /* ---- what may be chosen above a figure: a name, and what each choice stands for ---- */

  const lostOf = data => [...new Set(data.points.map(point => point[1]))];
  const lostWord = lost => lost ? `${lost} lost` : "none lost";
  const measuresOf = data => data.measures.map((measure, i) => [measure.text, i]);
  const choices = {
    latency: data => ({ operation: Object.keys(data.latency).map(name => [name, name]) }),
    measure: data => ({ measure: measuresOf(data), "servers lost": lostOf(data).map(lost => [lostWord(lost), lost]) }),
    map: data => ({ measure: [["held", "held"], ...measuresOf(data)] }),
  };

  function addChoices(figure, kind, data, redraw) {
    let place = figure.querySelector("figcaption");
    for (const [title, list] of Object.entries(choices[kind](data))) {
      const set = document.createElement("fieldset");
      set.className = "choose";
      set.hidden = list.length < 2;
      set.setAttribute("aria-label", title);
      list.forEach(([name, value], i) => {
        const label = document.createElement("label"), input = document.createElement("input");
        input.type = "radio";
        input.name = [kind, title, figure.closest("article").id].join("-");
        input.value = value;
        input.checked = i === 0;
        input.addEventListener("change", redraw);
        label.append(input, " ", name);
        set.append(label);
      });
      place.after(set);
      place = set;
    }
  }

  const chosen = figure => [...figure.querySelectorAll("fieldset")].map(set => set.querySelector("input:checked").value);

  function drawOne(figure, data) {
    const old = Chart.getChart(figure.querySelector("canvas"));
    if (old) old.destroy();
    return new Chart(figure.querySelector("canvas"), kinds[figure.dataset.chart](data, ...chosen(figure)));
  }

  function tell(article, data) {
    const place = article.querySelector(".bands");
    if (!place) return;
    const until = fault => fault.until_s === null ? "end" : `${count.format(fault.until_s)} s`;
    const told = data.faults.slice(0, 12).map(fault => `${fault.number} \u2013 ${fault.name} (${count.format(fault.at_s)} s to ${until(fault)})`);
    if (data.faults.length > 12) told.push(`${data.faults.length - 12} more, see Faults`);
    const averaged = data.windows_per_bin > 1 ? ` Each point stands for ${data.windows_per_bin} windows of time; of latencies it shows the worst of them.` : "";
    place.textContent = (told.length ? `Shaded: ${told.join("; ")}.` : "No fault struck.") + averaged;
  }

  function draw(article) {
    const data = JSON.parse(article.querySelector("script.data").textContent);
    const figures = [...article.querySelectorAll("figure.chart")];
    if (!drawn.has(article)) {
      tell(article, data);
      for (const figure of figures)
        if (choices[figure.dataset.chart]) addChoices(figure, figure.dataset.chart, data, () => drawOne(figure, data));
      const map = article.querySelector("figure.map");
      if (map) addChoices(map, "map", data, () => fillMap(map, data, ...chosen(map)));
    }
    for (const figure of figures) drawOne(figure, data);
    drawn.set(article, true);
  }

  function redraw() {
    for (const article of drawn.keys()) if (!article.hidden) draw(article);
  }

  dark.addEventListener("change", redraw);
  addEventListener("beforeprint", () => { printing = true; redraw(); });
  addEventListener("afterprint", () => { printing = false; redraw(); });
  return { draw };
})();

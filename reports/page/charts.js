/* The charts of a run, drawn with Chart.js from the JSON that stands in the run's article. */
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

  /* Which operation a latency chart is about: radio buttons above it. */
  function addChoices(figure, names, redraw) {
    const set = document.createElement("fieldset");
    set.className = "choose";
    set.setAttribute("aria-label", "operation");
    const group = "operation-" + figure.closest("article").id;
    names.forEach((name, i) => {
      const label = document.createElement("label"), input = document.createElement("input");
      input.type = "radio";
      input.name = group;
      input.value = name;
      input.checked = i === 0;
      input.addEventListener("change", redraw);
      label.append(input, " ", name);
      set.append(label);
    });
    figure.querySelector(".plot").before(set);
  }

  function drawOne(article, figure, data) {
    const kind = figure.dataset.chart, checked = figure.querySelector("input:checked");
    const old = Chart.getChart(figure.querySelector("canvas"));
    if (old) old.destroy();
    return new Chart(figure.querySelector("canvas"), kinds[kind](data, checked && checked.value));
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
      const latency = article.querySelector('[data-chart="latency"]');
      if (latency) addChoices(latency, Object.keys(data.latency), () => drawOne(article, latency, data));
    }
    for (const figure of figures) drawOne(article, figure, data);
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

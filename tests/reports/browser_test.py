"""The HTML pages of real runs in a browser: nothing on the console, no request leaves the page, charts are drawn, stories are there,
tables sort, dark and narrow are readable. The pictures stay in FOLDER.

usage: browser_test.py ALLQSIM FOLDER, with ALLQSIM the program. Skipped where there is no browser, unless AQ_BROWSER_NEEDED is set."""
import base64
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import unittest

SKIPPED = 77  # what ctest takes as skipped

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
    from selenium.webdriver.support.ui import WebDriverWait
except ImportError:
    webdriver = None

ALLQSIM, FOLDER = "", pathlib.Path()
HOSTILE = '<script>document.title="broken"</script><img src=x onerror=alert(1)>\'"&amp;</title>'
SMALL = {
    "summary": HOSTILE,
    "duration": "6s",
    "servers": {"count": 2},
    "clients": {"count": 10},
    "workers": {"count": 20, "process": {"exp": "50ms"}, "poll": {"exp": "50ms"}},
    "producers": {"arrivals": {"poisson": "100/s"}, "ttl": "5s"},
    "faults": [{"kind": "crash", "name": HOSTILE, "at": "2s", "for": "2s", "servers": 1}],
}
# Pixels of a canvas that are not transparent, and how many colours they have.
PIXELS = """
const canvas = arguments[0], data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
const colours = new Set();
let painted = 0;
for (let i = 0; i < data.length; i += 4)
  if (data[i + 3]) { painted++; colours.add((data[i] >> 4) << 8 | (data[i + 1] >> 4) << 4 | data[i + 2] >> 4); }
return [painted, colours.size];
"""
# Elements that stick out of the window to the right and are not inside something that scrolls.
OVERFLOWING = """
const wide = document.documentElement.clientWidth;
return [...document.body.querySelectorAll("*")].filter(e => e.getBoundingClientRect().right > wide + 1 && e.offsetParent &&
  !e.closest(".scroll, .parts, pre")).map(e => e.tagName + "." + e.className).slice(0, 5);
"""
# The contrast between the text of an element and what is behind it, layer by layer.
CONTRAST = """
const parts = rgb => { const [r, g, b, a = 1] = rgb.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
const light = rgb => { const [r, g, b] = rgb.slice(0, 3).map(v => v / 255)
  .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
const layers = [];
for (let behind = arguments[0]; behind; behind = behind.parentElement) {
  layers.push(parts(getComputedStyle(behind).backgroundColor));
  if (layers.at(-1)[3] === 1) break;
}
const back = layers.reverse().reduce((under, over) => under.map((v, i) => over[i] * over[3] + v * (1 - over[3])), [255, 255, 255]);
const a = light(parts(getComputedStyle(arguments[0]).color)), b = light(back);
return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
"""
# The first few elements of a selector that are to be seen.
VISIBLE = "return [...document.querySelectorAll(arguments[0])].filter(e => e.checkVisibility()).slice(0, arguments[1])"


def allqsim(*arguments, codes=(0,)):
    done = subprocess.run([ALLQSIM, *map(str, arguments)], capture_output=True, text=True, cwd=FOLDER, timeout=120, check=False)
    if done.returncode not in codes:
        raise AssertionError(f"{arguments}: {done.returncode} {done.stderr[-2000:]}")


def make_pages():
    (FOLDER / "runs.db").unlink(missing_ok=True)
    for child in FOLDER.glob("*.png"):
        child.unlink()
    hostile = FOLDER / "hostile.json"
    hostile.write_text(json.dumps(SMALL), encoding="utf-8")
    small = ["--set", "clients.count=50", "--set", "workers.count=200", "--set", 'producers.arrivals={"poisson":"400/s"}']
    allqsim("run", "server-crash", "--db", "runs.db", "--quiet", *small)
    allqsim("run", "load-balancer", "--db", "runs.db", "--quiet", "--set", 'expect={"strict":"pass"}', codes=(1,))
    allqsim("run", "hostile.json", "--db", "runs.db", "--quiet", codes=(0, 1, 2, 3, 5))
    for run, name in ((1, "crash"), (2, "balancer"), (3, "hostile")):
        allqsim("report", "html", "runs.db", "--run", run, "-o", f"{name}.html")
    allqsim("report", "html", "runs.db", "--all", "-o", "all.html")
    make_more_pages()


def make_more_pages():
    """Explorations and plans."""
    (FOLDER / "more.db").unlink(missing_ok=True)
    hostile = FOLDER / "hostile-more.json"
    hostile.write_text(json.dumps({**SMALL, "explore": {"settings": {"servers.count": {"range": [2, 3]}}},
                                   "plan": {"slo": "throughput > 1/s", "warm_up": "1s"}}), encoding="utf-8")
    allqsim("explore", "swarm", "--profile", "upstream", "--seeds", "1..40", "--save", "more.db", "--quiet", codes=(1,))
    allqsim("plan", "capacity", "--clients", "100..1500", "--servers", "1..3", "--survive", "1", "--seeds", "4", "--set", 'duration="16s"',
            "--save", "more.db", "--quiet")
    allqsim("explore", hostile.name, "--seeds", "1..4", "--save", "more.db", "--quiet", codes=(0, 1, 2, 3, 5))
    allqsim("plan", hostile.name, "--clients", "10", "--servers", "2", "--seeds", "3", "--save", "more.db", "--quiet")
    db = sqlite3.connect(FOLDER / "more.db")
    for table in ("exploration", "plan"):
        db.execute(f"UPDATE {table} SET scenario = ?1, reproduce = ?1 WHERE {table}_id = 2", [HOSTILE])
    db.execute("UPDATE plan_measure SET unit = ?1 WHERE plan_id = 2 AND unit = ''", [HOSTILE])
    db.commit()
    db.close()
    for number, name in ((1, ""), (2, "hostile-")):
        allqsim("report", "html", "more.db", "--exploration", number, "-o", f"{name}explored.html")
        allqsim("report", "html", "more.db", "--plan", number, "-o", f"{name}planned.html")
    allqsim("report", "html", "more.db", "--all", "-o", "more.html")


class BrowserTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        make_pages()
        options = webdriver.ChromeOptions()
        options.binary_location = shutil.which("chromium")
        for argument in ("--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars",
                         *(["--no-sandbox"] if os.geteuid() == 0 else [])):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        cls.browser = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
        cls.browser.set_page_load_timeout(60)
        cls.addClassCleanup(cls.browser.quit)

    def setUp(self):
        self.look(dark=False, width=1280)

    def look(self, dark, width):
        scheme = "dark" if dark else "light"
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride",
                                     {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600})

    def open(self, name):
        for log in ("browser", "performance"):
            self.browser.get_log(log)
        self.browser.get("about:blank")
        self.browser.get((FOLDER / name).as_uri())

    def all(self, selector):
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.browser.find_element(By.CSS_SELECTOR, selector)

    def picture(self, name):
        height = self.browser.execute_script("return document.documentElement.scrollHeight")
        width = self.browser.execute_script("return innerWidth")
        shot = self.browser.execute_cdp_cmd("Page.captureScreenshot", {
            "captureBeyondViewport": True, "clip": {"x": 0, "y": 0, "width": width, "height": min(height, 12000), "scale": 1}})
        (FOLDER / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def assert_quiet(self):
        """Nothing on the console (where a broken policy would be told as well), and no request but for the page."""
        self.assertEqual(self.browser.get_log("browser"), [])
        urls = []
        for entry in self.browser.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                urls.append(message["params"]["request"]["url"])
        self.assertEqual([url for url in urls if not url.startswith("file:") and not url.startswith("about:")], [])
        self.assertEqual(len([url for url in urls if url.startswith("file:")]), 1, urls)

    def assert_drawn(self, within="", least=7):
        canvases = self.all(f"{within} figure.chart canvas".strip())
        self.assertGreaterEqual(len(canvases), least)
        for canvas in canvases:
            label = canvas.get_attribute("aria-label")
            painted, colours = self.browser.execute_script(PIXELS, canvas)
            self.assertGreater(painted, 500, label)
            self.assertGreater(colours, 4, label)

    def assert_fits(self):
        self.assertEqual(self.browser.execute_script(OVERFLOWING), [])
        wide, inner = self.browser.execute_script("return [document.documentElement.scrollWidth, document.documentElement.clientWidth]")
        self.assertLessEqual(wide, inner)

    def assert_readable(self):
        for selector in ("h1", "h2", ".reason", ".note", "tbody td", "tbody th", "thead button", ".tag", ".facts dt", ".badge", "summary"):
            for element in self.browser.execute_script(VISIBLE, selector, 4):
                self.assertGreater(self.browser.execute_script(CONTRAST, element), 4.3, selector)

    def test_a_run_is_drawn_and_asks_nobody(self):
        self.open("crash.html")
        self.assertEqual(self.one(".badge").text.lower(), "pass")
        self.assertIn("allqsim run server-crash --seed 1", self.one(".reproduce code").text)
        self.assert_drawn()
        self.assertIn("server 2 loses its memory", self.one(".bands").text)
        self.assert_fits()
        self.assert_readable()
        self.picture("crash-light")
        self.assert_quiet()

    def test_the_latency_chart_changes_by_keyboard(self):
        self.open("crash.html")
        canvas = self.one('[data-chart="latency"] canvas')
        before = self.browser.execute_script("return arguments[0].toDataURL()", canvas)
        self.all(".choose input")[0].send_keys(Keys.ARROW_RIGHT)
        self.assertTrue(self.all(".choose input")[1].is_selected())
        self.assertNotEqual(self.browser.execute_script("return arguments[0].toDataURL()", canvas), before)
        self.assert_quiet()

    def test_the_story_of_a_violation_is_seen(self):
        self.open("balancer.html")
        self.assertEqual(self.one(".badge").text.lower(), "fail")
        story = self.one("svg.story")
        self.assertTrue(story.is_displayed())
        words = story.text
        for word in ("another address", "origin of the job", "received it", "missed", "done"):
            self.assertIn(word, words)
        self.assertGreaterEqual(len(story.find_elements(By.CSS_SELECTOR, "line.request, line.answer, line.last")), 7)
        self.assert_fits()
        self.picture("balancer-light")
        self.assert_quiet()

    def test_tables_sort_both_ways_by_keyboard_and_mouse(self):
        self.open("crash.html")
        table = self.one('[data-part="load"] table.sortable')
        column = [h.text for h in table.find_elements(By.CSS_SELECTOR, "thead th")].index("puts")

        def values():
            return [int(r.find_elements(By.CSS_SELECTOR, "th, td")[column].get_attribute("data-v"))
                    for r in table.find_elements(By.CSS_SELECTOR, "tbody tr")]

        rows = values()
        button = table.find_elements(By.CSS_SELECTOR, "thead button")[column]
        button.send_keys(Keys.ENTER)
        self.assertEqual(values(), sorted(rows, reverse=True))
        self.browser.execute_script("arguments[0].click()", button)
        self.assertEqual(values(), sorted(rows))
        self.assertEqual(table.find_elements(By.CSS_SELECTOR, "thead th")[column].get_attribute("aria-sort"), "ascending")

    def test_texts_of_the_database_stay_texts(self):
        self.open("hostile.html")
        self.assertIn("hostile", self.browser.title)
        self.assertIn(HOSTILE, self.one(".summary").text)
        self.assertIn(HOSTILE, self.one('[data-part="faults"]').text)
        self.assertEqual(self.all("img"), [])
        self.assertEqual(len(self.all("script:not([type])")), 3)
        self.assert_drawn()
        self.assert_quiet()

    def test_dark_is_readable(self):
        self.look(dark=True, width=1280)
        self.open("balancer.html")
        self.assertLess(self.browser.execute_script("return Number(getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0])"), 60)
        self.assert_drawn()
        self.assert_readable()
        self.picture("balancer-dark")
        self.assert_quiet()

    def test_a_telephone_shows_it_without_scrolling_sideways(self):
        for name in ("crash", "balancer", "hostile", "all", "explored", "planned", "hostile-explored", "hostile-planned", "more"):
            self.look(dark=False, width=390)
            self.open(f"{name}.html")
            self.assert_fits()
            self.picture(f"{name}-phone")

    def test_the_index_sorts_filters_and_opens_runs(self):
        self.open("all.html")
        self.assertEqual(len(self.all("table.index tbody tr")), 3)
        self.assertEqual([a.is_displayed() for a in self.all("article.run")], [False] * 3)
        self.picture("all-light")
        scenario = self.all("table.index thead button")[2]
        scenario.click()
        names = [r.text.split("\n")[0] for r in self.all("table.index tbody th")]
        self.assertEqual(names, sorted(names))
        self.one(".filter").send_keys("balancer fail")
        self.assertEqual([r.is_displayed() for r in self.all("table.index tbody tr")].count(True), 1)
        next(a for a in self.all("table.index tbody a") if a.is_displayed()).send_keys(Keys.ENTER)
        self.assertTrue(self.one("#run-2").is_displayed())
        self.assertFalse(self.one("#index").is_displayed())
        self.assert_drawn("#run-2")
        self.assert_fits()
        self.one("#run-2 .parts a").click()
        self.assertTrue(self.one("#index").is_displayed())
        self.assert_quiet()

    # ---- explorations ----

    def test_an_exploration_is_drawn_and_asks_nobody(self):
        for dark in (False, True):
            self.look(dark=dark, width=1280)
            self.open("explored.html")
            self.assertEqual(self.one(".badge").text.lower(), "fail")
            self.assertIn("allqsim explore swarm --seeds 1..40 --profile upstream", self.one("header .reproduce code").text)
            self.assert_drawn(least=3)
            self.assert_fits()
            self.assert_readable()
            self.picture(f"explored-{'dark' if dark else 'light'}")
            self.assert_quiet()

    def test_each_failure_has_its_command_and_its_story(self):
        self.open("explored.html")
        rows = self.browser.execute_script("""return [...document.querySelectorAll("table.failures tbody tr")].map(row =>
            [row.querySelector(".reproduce code").textContent, row.querySelector("button.copy").textContent])""")
        self.assertGreater(len(rows), 5)
        for command, button in rows:
            self.assertIn("allqsim explore swarm --profile upstream --print-seed", command)
            self.assertEqual(button, "Copy")
        link = self.all("table.failures a")[3]
        link.send_keys(Keys.ENTER)
        story = self.one("[id='" + link.get_attribute("href").split("#")[1] + "']")
        self.assertTrue(story.get_attribute("open"))
        self.assertTrue(story.find_element(By.CSS_SELECTOR, "svg.story").is_displayed())
        copy = self.one("table.failures button.copy")
        copy.send_keys(Keys.ENTER)
        WebDriverWait(self.browser, 5).until(lambda b: copy.text in ("Copied", "Selected"))
        self.assertEqual(self.browser.execute_script("return getSelection().toString()"), rows[0][0])

    def test_failures_sort_and_filter_and_missing_marks_come_first(self):
        self.open("explored.html")
        cells = """return [...document.querySelectorAll("table.failures tbody td:nth-child(2)")].map(cell => Number(cell.dataset.v))"""
        seeds = self.browser.execute_script(cells)
        self.assertEqual(seeds, sorted(seeds, reverse=True))
        button = self.all("table.failures thead button")[1]
        button.send_keys(Keys.ENTER)
        button.send_keys(Keys.ENTER)
        self.assertEqual(self.browser.execute_script(cells), sorted(seeds))
        self.one(".filter").send_keys("progress")
        shown = [row.text for row in self.browser.execute_script(VISIBLE, "table.failures tbody tr", 5)]
        self.assertTrue(shown and all("progress" in text for text in shown), shown)
        marks = self.browser.execute_script("""return [...document.querySelectorAll("table.marks tbody tr")].map(row =>
            [...row.querySelectorAll("td")].slice(0, 2).map(cell => cell.textContent))""")
        order = [["missing", "required"], ["reached", "required"], ["never reached", ""], ["reached", ""]]
        self.assertEqual(marks, sorted(marks, key=order.index))
        self.assertEqual(marks[0], order[0])

    # ---- plans ----

    def test_a_plan_is_drawn_and_asks_nobody(self):
        for dark in (False, True):
            self.look(dark=dark, width=1280)
            self.open("planned.html")
            self.assertIn("on 3 servers", self.one(".badge").text.lower())
            self.assertIn("clients for each server", self.one(".reason").text)
            self.assert_drawn(least=2)
            self.assert_fits()
            self.assert_readable()
            for cell in ("holds", "fails", "open"):
                for element in self.all(f".heat .{cell}")[:2]:
                    self.assertGreater(self.browser.execute_script(CONTRAST, element), 4.3, cell)
            self.picture(f"planned-{'dark' if dark else 'light'}")
            self.assert_quiet()

    def test_the_heat_map_shows_each_measure_with_signs_and_by_keyboard(self):
        self.open("planned.html")
        cells = self.all(".heat td[data-point]")
        self.assertTrue({"\u2713 holds", "\u2717 fails"} <= {cell.text for cell in cells})
        self.assertEqual(len(self.all(".heat td.knee")), 5)
        heads = [head.text for head in self.all(".heat thead th")]
        self.assertEqual(heads, ["clients", "servers, none lost:", "1 lost, servers at the start:", "1", "2", "3", "2", "3"])
        choices = self.all("figure.map .choose input")
        choices[0].send_keys(Keys.ARROW_RIGHT)
        self.assertTrue(choices[1].is_selected())
        self.assertRegex(cells[0].text, r"^[\u2713\u2717?] [\d.]+ (ms|s)$")
        self.assertIn("Shaded from", self.one(".scale").text)
        self.assertGreater(len({cell.get_attribute("class") for cell in cells}), 3)
        throughput = next(c for c in choices if "throughput" in c.find_element(By.XPATH, "..").text)
        throughput.click()
        self.assertRegex(cells[0].text, r"^[\d.,]+/s$")
        self.assertEqual(len(self.all(".heat td.knee")), 5)
        self.picture("planned-throughput")
        choices[0].click()
        self.assertTrue({"\u2713 holds", "\u2717 fails"} <= {cell.text for cell in cells})
        self.assert_quiet()

    def test_the_curve_of_a_measure_changes_with_the_choice(self):
        self.open("planned.html")
        canvas, figure = self.one('[data-chart="measure"] canvas'), self.one('[data-chart="measure"]')
        seen = set()
        for choice in figure.find_elements(By.CSS_SELECTOR, ".choose input"):
            choice.click()
            seen.add(self.browser.execute_script("return arguments[0].toDataURL()", canvas))
        self.assertGreater(len(seen), 8)
        sets = self.browser.execute_script("return Chart.getChart(arguments[0]).data.datasets.map(s => [s.label, s.data.length])", canvas)
        self.assertEqual(len([1 for label, points in sets if label.endswith("servers") and points]), 2)
        self.assert_quiet()

    def test_the_knees_sort_and_say_what_breaks(self):
        self.open("planned.html")
        rows = self.all("table.knees tbody tr")
        self.assertEqual(len(rows), 5)
        self.assertIn("saturated", rows[0].text)
        self.assertEqual(len(self.all("table.knees tr.chosen")), 1)
        self.all("table.knees thead button")[2].click()
        clients = [int(cell.get_attribute("data-v")) for cell in self.all("table.knees tbody td:nth-child(3)")]
        self.assertEqual(clients, sorted(clients, reverse=True))
        held = self.browser.execute_script("return Chart.getChart(arguments[0]).data.datasets.filter(s => s.knees).map(s => s.label)",
                                           self.one('[data-chart="knees"] canvas'))
        self.assertEqual(held, ["none lost", "1 lost"])

    def test_texts_of_explorations_and_plans_stay_texts(self):
        for name in ("hostile-explored", "hostile-planned"):
            self.open(f"{name}.html")
            self.assertIn(HOSTILE, self.one("h1").text)
            self.assertIn(HOSTILE, self.one(".reproduce code").text)
            self.assertEqual(self.all("img"), [])
            self.assertEqual(len(self.all("script:not([type])")), 3)
            self.assertNotEqual(self.browser.title, "broken")
            for choice in self.all(".choose input"):
                if choice.is_displayed():
                    choice.click()
            self.assertEqual(self.all("img"), [])
            self.assert_quiet()

    # ---- all of a database ----

    def test_the_index_lists_explorations_and_plans_and_leads_to_kept_runs(self):
        self.open("more.html")
        self.assertEqual([len(table.find_elements(By.CSS_SELECTOR, "tbody tr")) for table in self.all("table.list")], [2, 2])
        self.assertEqual(self.browser.execute_script(VISIBLE, "main > article", 1), [])
        self.picture("more-light")
        self.one('a[href="#plan-1"]').click()
        self.assertTrue(self.one("#plan-1").is_displayed())
        self.assert_drawn("#plan-1", least=2)
        self.one("#plan-1 .parts a").click()
        self.assertTrue(self.one("#index").is_displayed())
        self.one('a[href="#exploration-1"]').click()
        self.assert_drawn("#exploration-1", least=3)
        run = self.one("#exploration-1 [data-run] a")
        number = run.text
        run.send_keys(Keys.ENTER)
        self.assertTrue(self.one(f"#run-{number}").is_displayed())
        self.assertFalse(self.one("#exploration-1").is_displayed())
        self.assertLess((FOLDER / "more.html").stat().st_size, 5_000_000)
        self.assert_quiet()

    def test_print_shows_every_story(self):
        self.open("balancer.html")
        pdf = self.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
        self.assertGreater(len(pdf["data"]), 20000)
        self.assertTrue(all(d.get_attribute("open") for d in self.all("details.job")))
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        self.assertFalse(self.one(".parts").is_displayed())
        self.open("explored.html")
        self.assertGreaterEqual(self.one(".scroll:has(> .failures)").size["height"], self.one("table.failures").size["height"])
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


if __name__ == "__main__":
    missing = [name for name in ("chromium", "chromedriver") if not shutil.which(name)]
    if webdriver is None:
        missing.append("python3-selenium")
    if missing:
        print(f"skipped: {', '.join(missing)} missing. On Debian: apt-get install chromium chromium-driver python3-selenium")
        sys.exit(1 if os.environ.get("AQ_BROWSER_NEEDED") else SKIPPED)
    ALLQSIM, FOLDER = sys.argv[1], pathlib.Path(sys.argv[2])
    FOLDER.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=sys.argv[:1])

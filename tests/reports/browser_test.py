"""The HTML pages of real runs in a browser: nothing on the console, no request leaves the page, charts are drawn, stories are there,
tables sort, dark and narrow are readable. The pictures stay in FOLDER.

usage: browser_test.py ALLQSIM FOLDER, with ALLQSIM the program. Skipped where there is no browser, unless AQ_BROWSER_NEEDED is set."""
import base64
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

SKIPPED = 77  # what ctest takes as skipped

try:
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service
    from selenium.webdriver.common.by import By
    from selenium.webdriver.common.keys import Keys
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
# The contrast between the text of an element and what is behind it.
CONTRAST = """
const light = rgb => { const [r, g, b] = rgb.match(/[\\d.]+/g).slice(0, 3).map(v => v / 255)
  .map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126 * r + .7152 * g + .0722 * b; };
let behind = arguments[0], back;
while (behind && (back = getComputedStyle(behind).backgroundColor).endsWith(", 0)")) behind = behind.parentElement;
const a = light(getComputedStyle(arguments[0]).color), b = light(back);
return (Math.max(a, b) + .05) / (Math.min(a, b) + .05);
"""


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

    def assert_drawn(self, within=""):
        canvases = self.all(f"{within} figure.chart canvas".strip())
        self.assertGreaterEqual(len(canvases), 7)
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
            for element in [e for e in self.all(selector) if e.is_displayed()][:4]:
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
        for name in ("crash", "balancer", "hostile", "all"):
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

    def test_print_shows_every_story(self):
        self.open("balancer.html")
        pdf = self.browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})
        self.assertGreater(len(pdf["data"]), 20000)
        self.assertTrue(all(d.get_attribute("open") for d in self.all("details.job")))
        self.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
        self.assertFalse(self.one(".parts").is_displayed())
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

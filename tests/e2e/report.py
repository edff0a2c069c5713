#!/usr/bin/env python3
"""Tests the page of `invalidator plan --report` in headless Chromium.

Usage: tests/e2e/report.py INVALIDATOR [DIRECTORY]

Checks in light and dark mode, on a wide and a narrow screen: nothing is fetched and no script runs, whatever the keys
contain; the text has enough contrast; and nothing is wider than the screen. Screenshots go to DIRECTORY. Needs `chromium`
(or $CHROMIUM), driven over its debugging pipe.
"""

import base64
import json
import os
import pathlib
import subprocess
import sys
import tempfile

RULES = """
version: 1
targets: { www: { distribution: E1EXAMPLE1WWW } }
rules: [{ name: all, bucket: example-site, invalidate: www }]
"""

HOSTILE = [
    'docs/</code></details><script>document.title="owned"</script>.html',
    "\"><img src=x onerror=\"document.title='owned'\">/a.html",
    "'onfocus='document.title=1' autofocus='/b.html",
    "~<script>document.title='owned'</script>",
    "docs/<svg onload=\"document.title='owned'\">/c.html",
]


def site():
    pages = [f"{s}/topic-{t}/page-{p}.html" for s in ("docs", "guides") for t in range(12) for p in range(25)]
    index = [f"{s}/topic-{t}/index.html" for s in ("docs", "guides") for t in range(12)]
    blog = [f"blog/{year}/post-{n}/index.html" for year in range(2019, 2026) for n in range(30)]
    return ["index.html", "docs/index.html", "guides/index.html", *index, *pages, *blog]


class Browser:
    """Chromium, driven over file descriptors 3 and 4."""

    def __init__(self, profile):
        to_browser, self.writer = os.pipe()
        self.reader, from_browser = os.pipe()

        def descriptors():
            # Duplicated first, since either may be 3 or 4 already.
            down, up = os.dup(to_browser), os.dup(from_browser)
            os.dup2(down, 3)
            os.dup2(up, 4)

        self.process = subprocess.Popen(
            [os.environ.get("CHROMIUM", "chromium"), "--headless=new", "--no-sandbox", "--disable-gpu",
             "--remote-debugging-pipe", f"--user-data-dir={profile}", "about:blank"],
            preexec_fn=descriptors, close_fds=False,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self.buffer = b""
        self.number = 0
        self.events = []
        self.session = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]

    def call(self, method, **params):
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.writer, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def receive(self):
        while b"\0" not in self.buffer:
            data = os.read(self.reader, 1 << 16)
            if not data:
                raise RuntimeError("the browser exited")
            self.buffer += data
        text, self.buffer = self.buffer.split(b"\0", 1)
        message = json.loads(text)
        if "method" in message:
            self.events.append(message)
        return message

    def wait_for(self, method):
        while not any(event["method"] == method for event in self.events):
            self.receive()

    def evaluate(self, expression):
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"])
        return result["result"].get("value")

    def close(self):
        self.process.terminate()
        self.process.wait()


# The lowest contrast of any text with its background, as WCAG 2 defines it.
CONTRAST = """(() => {
  const channel = v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 };
  const light = c => .2126 * channel(c[0]) + .7152 * channel(c[1]) + .0722 * channel(c[2]);
  const colour = text => text.match(/[\\d.]+/g).map(Number);
  const ground = e => {
    for (; e; e = e.parentElement) {
      const c = colour(getComputedStyle(e).backgroundColor);
      if (c.length < 4 || c[3] > 0) return c;
    }
    return [255, 255, 255];
  };
  let least = [99, ''];
  for (const e of document.querySelectorAll('body *')) {
    const own = [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
    if (!own) continue;
    const style = getComputedStyle(e);
    const [a, b] = [light(colour(style.color)), light(ground(e))].sort((x, y) => y - x);
    const ratio = (a + .05) / (b + .05);
    if (ratio < least[0]) least = [ratio, e.outerHTML.slice(0, 80)];
  }
  return least;
})()"""


def check(condition, message):
    if not condition:
        sys.exit(f"report: {message}")


def main():
    invalidator = str(pathlib.Path(sys.argv[1]).resolve())
    shots = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else tempfile.mkdtemp())
    shots.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        folder = pathlib.Path(folder)
        (folder / "rules.yaml").write_text(RULES)
        changed = [key for key in site() if key.startswith("docs/")] + site()[-40::3] + HOSTILE
        (folder / "keys.txt").write_text("\n".join(changed) + "\n")
        (folder / "site.txt").write_text("\n".join(site()) + "\n")
        page = folder / "plan.html"
        subprocess.run(
            [invalidator, "plan", "--bucket", "example-site", "--keys", "keys.txt", "--site", "site.txt",
             "--report", page],
            cwd=folder, check=True, stdout=subprocess.DEVNULL,
        )
        browser = Browser(folder / "profile")
        try:
            drive(browser, page, shots)
        finally:
            browser.close()
    print(f"report: ok, screenshots in {shots}")


def drive(browser, page, shots):
    for domain in ("Page", "Runtime", "Network", "Log"):
        browser.call(f"{domain}.enable")
    for theme in ("light", "dark"):
        for width in (1100, 390):
            browser.events.clear()
            browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": theme}])
            browser.call("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1,
                         mobile=False)
            browser.call("Page.navigate", url=page.as_uri())
            browser.wait_for("Page.loadEventFired")
            look(browser, theme, width)
            shot = browser.call("Page.captureScreenshot", captureBeyondViewport=True)
            (shots / f"report-{theme}-{width}.png").write_bytes(base64.b64decode(shot["data"]))


def look(browser, theme, width):
    title = browser.evaluate("document.title")
    check(title == "Invalidation plan", f"a key ran as script: the title is {title!r}")
    check(browser.evaluate("document.scripts.length") == 0, "a key became a script element")
    check(browser.evaluate("document.querySelectorAll('img, [onload], [onerror], [onfocus]').length") == 0,
          "a key became an element or an attribute")
    fetched = [event["params"]["request"]["url"] for event in browser.events
               if event["method"] == "Network.requestWillBeSent"]
    check(len(fetched) == 1, f"the page fetched {fetched[1:]}")
    logged = [event for event in browser.events if event["method"] == "Log.entryAdded"]
    check(not logged, f"the browser logged {logged[:1]}")
    check(browser.evaluate("document.documentElement.scrollWidth <= innerWidth"),
          f"wider than a screen of {width} ({theme})")
    check(browser.evaluate("[...document.querySelectorAll('.wide')].every(e => e.scrollWidth <= e.clientWidth)"),
          f"a table is wider than a screen of {width} ({theme})")
    ratio, element = browser.evaluate(CONTRAST)
    check(ratio >= 4.5, f"contrast {ratio:.2f} in {theme}: {element}")
    bars = browser.evaluate("[...document.querySelectorAll('.bar')].filter(e => e.offsetWidth && e.offsetHeight).length")
    check(bars >= 5, f"the outline has {bars} bars")


if __name__ == "__main__":
    main()

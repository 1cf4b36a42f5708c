#!/usr/bin/env python3
"""What a browser does with one page of ours: opens it in headless Chromium, prints it to PDF, tells what happened.

  page_probe.py PAGE.html PAGE.pdf

One JSON object on standard output: `requests` for anything but the page itself, `messages` of the console, `errors`
that were thrown, `dialogs` that opened, `title`, `dom` names of elements that could load or run something, `overflow`
(CSS pixels by which something is wider than the paper), `texts` (how many the page has) and those of them that are
`missing` in the PDF. Speaks the DevTools protocol over a pipe. Needs Debian's chromium and poppler-utils.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

import base64

WAIT_SECONDS = 60
PAPER_MM = (210, 297)  # ISO A4
MARGIN_MM = 10
MM_PER_INCH = 25.4
CSS_PIXELS_PER_INCH = 96

# Each text as it is painted, without the white space that a line break may stand for.
TEXTS = """(() => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (parent.closest('style') || !parent.checkVisibility()) continue;
    const text = walker.currentNode.data.replace(/\\s+/g, '');
    if (text) texts.push(text);
  }
  return texts;
})()"""
ELEMENTS = "[...new Set([...document.querySelectorAll('script,img,iframe,object,embed,link,form,svg,video')].map(e => e.localName))]"
OVERFLOW = "Math.max(0, document.documentElement.scrollWidth - document.documentElement.clientWidth)"


class Browser:
    """Chromium with its DevTools on file descriptors 3 and 4; messages end with a zero byte."""

    def __init__(self, profile):
        read_end, self.to_browser = os.pipe()
        self.from_browser, write_end = os.pipe()

        def place_pipes():
            high_read, high_write = os.dup(read_end), os.dup(write_end)
            os.dup2(high_read, 3)
            os.dup2(high_write, 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             f"--user-data-dir={profile}", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=place_pipes, close_fds=False, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(read_end)
        os.close(write_end)
        self.buffer, self.events, self.number = b"", [], 0

    def receive(self):
        while b"\0" not in self.buffer:
            chunk = os.read(self.from_browser, 1 << 20)
            if not chunk:
                sys.exit("page_probe.py: chromium has gone")
            self.buffer += chunk
        message, self.buffer = self.buffer.split(b"\0", 1)
        return json.loads(message)

    def ask(self, method, session=None, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        os.write(self.to_browser, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.receive()
            if answer.get("id") == self.number:
                if "error" in answer:
                    sys.exit(f"page_probe.py: {method}: {answer['error']['message']}")
                return answer["result"]
            self.events.append(answer)

    def wait_for(self, method):
        while not any(event.get("method") == method for event in self.events):
            self.events.append(self.receive())

    def of(self, method):
        return [event["params"] for event in self.events if event.get("method") == method]

    def stop(self):
        self.process.kill()
        self.process.wait()


def look(browser, page, pdf):
    target = browser.ask("Target.createTarget", url="about:blank")["targetId"]
    session = browser.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Network", "Runtime", "Log"):
        browser.ask(f"{domain}.enable", session)
    pixels = round((PAPER_MM[0] - 2 * MARGIN_MM) / MM_PER_INCH * CSS_PIXELS_PER_INCH)
    browser.ask("Emulation.setDeviceMetricsOverride", session, width=pixels, height=1100, deviceScaleFactor=1, mobile=False)
    browser.events.clear()
    url = page.resolve().as_uri()
    browser.ask("Page.navigate", session, url=url)
    browser.wait_for("Page.loadEventFired")

    def value(expression):
        return browser.ask("Runtime.evaluate", session, expression=expression, returnByValue=True)["result"]["value"]

    title, elements, texts = value("document.title"), value(ELEMENTS), value(TEXTS)
    browser.ask("Emulation.setEmulatedMedia", session, media="print")
    overflow = value(OVERFLOW)
    printed = browser.ask("Page.printToPDF", session, paperWidth=PAPER_MM[0] / MM_PER_INCH, paperHeight=PAPER_MM[1] / MM_PER_INCH,
                          **{f"margin{side}": MARGIN_MM / MM_PER_INCH for side in ("Top", "Bottom", "Left", "Right")})
    pdf.write_bytes(base64.b64decode(printed["data"]))
    raw = subprocess.run(["pdftotext", "-raw", str(pdf), "-"], check=True, capture_output=True, text=True).stdout
    on_paper = re.sub(r"\s+", "", raw)
    return {
        "requests": [one["request"]["url"] for one in browser.of("Network.requestWillBeSent") if one["request"]["url"] != url],
        "messages": [one["entry"]["text"] for one in browser.of("Log.entryAdded")]
        + [json.dumps(one["args"]) for one in browser.of("Runtime.consoleAPICalled")],
        "errors": [one["exceptionDetails"]["text"] for one in browser.of("Runtime.exceptionThrown")],
        "dialogs": [one["message"] for one in browser.of("Page.javascriptDialogOpening")],
        "title": title, "dom": elements, "overflow": overflow, "texts": len(texts),
        "missing": [text for text in texts if text not in on_paper],
    }


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="page-probe.") as profile:
        browser = Browser(profile)
        try:
            print(json.dumps(look(browser, pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))))
        finally:
            browser.stop()


if __name__ == "__main__":
    main()

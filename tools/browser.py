#!/usr/bin/env python3
"""Opens a notebook in JupyterLab in a headless Chromium, runs all cells, and saves what is seen: what a reader sees after ./lab notebook.

Example: ./lab setup browser && ./lab notebook --render && .venv/bin/python tools/browser.py notebooks/00-tour.ipynb build/tour.png
Exit status 1 when a cell failed, or when no diagram or no plot is on the page. The notebook itself is copied, not changed.
"""
import asyncio
import base64
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path

from tornado.websocket import websocket_connect

SECONDS = 180
RUN_ALL = "window.jupyterapp.restored.then(() => window.jupyterapp.commands.execute('notebook:run-all-cells'))"
CELLS = "window.jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model)"
SEEN = f"""(() => {{ const code = {CELLS}.filter(cell => cell.type === 'code');
  const outputs = code.flatMap(cell => cell.outputs.toJSON());
  const has = (kind, text) => outputs.filter(each => each.data && each.data[kind] && (!text || String(each.data[kind]).includes(text))).length;
  return {{cells: code.length, run: code.filter(cell => cell.executionCount).length, errors: outputs.filter(each => each.output_type === 'error').map(each => each.evalue),
           plots: has('image/png'), diagrams: has('text/html', '<svg')}}; }})()"""
# The page as high as its contents: every cell is drawn, also those below the window.
HEIGHT = "Math.max(...[...document.querySelectorAll('.jp-WindowedPanel-inner, .jp-Notebook')].map(each => each.scrollHeight)) + 120"


def free_port():
    with socket.socket() as asked:
        asked.bind(("127.0.0.1", 0))
        return asked.getsockname()[1]


async def eventually(question):
    """Asks until the answer is true; the answer."""
    for _ in range(SECONDS * 4):
        try:
            if answer := await question():
                return answer
        except (OSError, KeyError, IndexError):
            pass  # it is not there yet
        await asyncio.sleep(0.25)
    raise TimeoutError(f"not within {SECONDS} seconds")


class Page:
    """One tab, by the protocol of the browser's developer tools."""

    def __init__(self, connection):
        self.connection, self.number = connection, 0

    async def call(self, method, **parameters):
        self.number += 1
        await self.connection.write_message(json.dumps({"id": self.number, "method": method, "params": parameters}))
        while True:
            said = json.loads(await self.connection.read_message())
            if said.get("id") == self.number:
                return said["result"]

    async def value(self, script):
        return (await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True))["result"].get("value")


async def look(debugger, address, picture):
    async def tab():
        with urllib.request.urlopen(f"http://127.0.0.1:{debugger}/json") as said:
            return [each for each in json.load(said) if each["type"] == "page"][0]["webSocketDebuggerUrl"]
    page = Page(await websocket_connect(await eventually(tab), max_message_size=1 << 28))
    await page.call("Page.navigate", url=address)
    await eventually(lambda: page.value("Boolean(window.jupyterapp && window.jupyterapp.shell.currentWidget && window.jupyterapp.shell.currentWidget.content"
                                        " && window.jupyterapp.shell.currentWidget.content.widgets)"))
    await page.value("window.jupyterapp.shell.currentWidget.context.sessionContext.ready.then(() => true)")
    await page.value(f"{RUN_ALL}.then(() => true)")
    seen = await page.value(SEEN)
    height = min(int(await page.value(HEIGHT)), 16000)
    await page.call("Emulation.setDeviceMetricsOverride", width=1300, height=height, deviceScaleFactor=1, mobile=False)
    await asyncio.sleep(3)  # what comes into view is drawn now
    picture.write_bytes(base64.b64decode((await page.call("Page.captureScreenshot", format="png"))["data"]))
    return seen


def main():
    notebook, picture = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
    browser = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    if browser is None:
        sys.exit("no Chromium: ./lab setup browser")
    with tempfile.TemporaryDirectory(prefix="drydock-browser-") as folder:
        shutil.copy(notebook, folder)
        port, debugger, token = free_port(), free_port(), secrets.token_hex(16)
        lab = [sys.executable, "-m", "jupyterlab", "--allow-root", "--no-browser", f"--port={port}", f"--IdentityProvider.token={token}",
               f"--notebook-dir={folder}", "--LabApp.expose_app_in_browser=True", "--LabApp.news_url=None", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"]
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        chromium = [browser, "--headless", *sandbox, f"--remote-debugging-port={debugger}", f"--user-data-dir={folder}/profile", "--window-size=1300,1000", "about:blank"]
        with open(f"{folder}/log", "w", encoding="utf-8") as log:
            running = [subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True) for words in (lab, chromium)]
            try:
                seen = asyncio.run(look(debugger, f"http://127.0.0.1:{port}/lab/tree/{notebook.name}?token={token}", picture))
            finally:
                for process in running:
                    process.terminate()
                    process.wait(30)
    print(f"{seen['run']} of {seen['cells']} cells run, {seen['plots']} plots, {seen['diagrams']} diagrams; the page is {picture}", *seen["errors"], sep="\n")
    return 0 if seen["run"] == seen["cells"] and not seen["errors"] and seen["plots"] and seen["diagrams"] else 1


if __name__ == "__main__":
    sys.exit(main())

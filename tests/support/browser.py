"""Driving real browsers without a window: Chromium through its driver, Firefox through its own Marionette port.

Both understand the commands of the W3C WebDriver standard and differ only in the connection, so nothing but the
browsers themselves has to be installed.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

__all__ = ["BROWSERS", "KEYS", "Browser", "BrowserError", "start"]

#: Keys without a character, as WebDriver writes them.
KEYS: Final = {
    "Tab": "\ue004", "Enter": "\ue007", "Shift": "\ue008", "End": "\ue010", "Home": "\ue011", "Left": "\ue012",
    "Right": "\ue014", "Down": "\ue015", "Backspace": "\ue003", "Space": " ",
}  # fmt: skip
_ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"
_START_SECONDS: Final = 30.0
_COMMANDS: Final = {
    "navigate": ("url", "Navigate"),
    "script": ("execute/sync", "ExecuteScript"),
    "find": ("element", "FindElement"),
    "click": ("element/{id}/click", "ElementClick"),
    "actions": ("actions", "PerformActions"),
    "resize": ("window/rect", "SetWindowRect"),
}
#: One process of Firefox for pages from disk and for others, whose sandbox lets it read them: otherwise each page waits
#: for a process of its own, a third of the CPU time of loading it.
_ONE_PROCESS: Final = {
    "fission.autostart": False,
    "browser.tabs.remote.separateFileUriProcess": False,
    "security.sandbox.content.level": 0,
    "dom.ipc.processCount": 1,
    "dom.ipc.processPrelaunch.enabled": False,
}


class BrowserError(RuntimeError):
    """A command that the browser refused."""


class Browser:
    """A page in a browser: open, look, click and press keys."""

    def __init__(self, link: _Driver | _Marionette) -> None:
        self._link = link
        self._opened = 0

    def open(self, page: Path, hash: str = "") -> None:
        """Load a file from disk, under a new address, since a change of the hash alone loads nothing."""
        self._opened += 1
        self._link.load(f"{page.as_uri()}?{self._opened}{hash}")

    def run(self, script: str, *arguments: Any) -> Any:
        """The result of a script's ``return …``; the page's content security policy does not apply to it."""
        return self._link.send("script", script=script, args=list(arguments))

    def click(self, selector: str) -> None:
        """Click the middle of an element with the mouse, as a reader does: an element that covers it gets the click."""
        self._link.send("click", id=self._link.send("find", using="css selector", value=selector)[_ELEMENT])

    def click_at(self, x: float, y: float) -> None:
        """Click a point of the visible part of the page."""
        press = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        move = {"type": "pointerMove", "x": round(x), "y": round(y), "origin": "viewport"}
        self._link.send("actions", actions=[{"type": "pointer", "id": "mouse", "actions": [move, *press]}])

    def press(self, *keys: str) -> None:
        """Press keys in turn, given as names in `KEYS` or as characters."""
        pressed = [KEYS.get(key, key) for key in keys]
        actions = [{"type": kind, "value": key} for key in pressed for kind in ("keyDown", "keyUp")]
        self._link.send("actions", actions=[{"type": "key", "id": "keyboard", "actions": actions}])

    def hover(self, selector: str) -> None:
        """Move the mouse over the middle of an element."""
        element = self._link.send("find", using="css selector", value=selector)
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": element}
        self._link.send("actions", actions=[{"type": "pointer", "id": "mouse", "actions": [move]}])

    def resize(self, width: int, height: int = 900) -> int:
        """Resize the page to that width, or as near as the browser allows, and return its width."""
        self._link.resize(width, height)
        return int(self.run("return window.innerWidth"))

    def close(self) -> None:
        """Close the browser."""
        self._link.close()


class _Driver:
    """Chromium, by HTTP to its driver."""

    def __init__(self, browser: str, driver: str, folder: Path) -> None:
        port = _free_port()
        self._process = _begin(folder, driver, f"--port={port}")
        self._base = f"http://127.0.0.1:{port}"
        arguments = [
            "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1280,900",
            f"--user-data-dir={folder}",
        ]  # fmt: skip
        options = {"binary": browser, "args": arguments}
        try:
            _until(lambda: self._post("status", None), self._process)
            made = self._post("session", {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}})
        except BaseException:
            _end(self._process)
            raise
        self._base += f"/session/{made['sessionId']}"

    def send(self, command: str, **fields: Any) -> Any:
        return self._post(_COMMANDS[command][0].format(**fields), fields)

    def load(self, url: str) -> None:
        self.send("navigate", url=url)

    def resize(self, width: int, height: int) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._post("goog/cdp/execute", {"cmd": "Emulation.setDeviceMetricsOverride", "params": metrics})

    def _post(self, path: str, fields: Mapping[str, Any] | None) -> Any:
        data = None if fields is None else json.dumps(fields).encode()
        request = urllib.request.Request(f"{self._base}/{path}", data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            with error:
                raise BrowserError(json.load(error)["value"]["message"].splitlines()[0]) from None

    def close(self) -> None:
        try:
            urllib.request.urlopen(urllib.request.Request(self._base, method="DELETE"), timeout=20).close()
        finally:
            _end(self._process)


class _Marionette:
    """Firefox, by messages [kind, number, command, fields] on a socket, each with its length before it."""

    def __init__(self, browser: str, folder: Path) -> None:
        port = _free_port()
        folder.mkdir()
        chosen = {**_ONE_PROCESS, "marionette.port": port}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in chosen.items()]
        (folder / "user.js").write_text("".join(lines))
        self._process = _begin(folder, browser, "--headless", "--marionette", "--no-remote", "--profile", str(folder))
        self._count = 0
        try:
            listening = "127.0.0.1", port
            self._socket: socket.socket = _until(lambda: socket.create_connection(listening, 60), self._process)
            self._stream = self._socket.makefile("rb")
            self._receive()
            self.send("WebDriver:NewSession")
        except BaseException:
            _end(self._process)
            raise

    def send(self, command: str, **fields: Any) -> Any:
        self._count += 1
        name = f"WebDriver:{_COMMANDS[command][1]}" if command in _COMMANDS else command
        message = json.dumps([0, self._count, name, fields])
        self._socket.sendall(f"{len(message.encode())}:{message}".encode())
        _, _, error, result = self._receive()
        if error is not None:
            raise BrowserError(f"{error['error']}: {error['message']}")
        return result["value"] if isinstance(result, dict) and "value" in result else result

    def load(self, url: str) -> None:
        self.send("navigate", url="about:blank")  # from another page it may answer before that page has gone
        self.send("navigate", url=url)

    def resize(self, width: int, height: int) -> None:
        self.send("resize", width=width, height=height)  # a window without a frame is as wide as its page

    def _receive(self) -> Any:
        length = b""
        while (byte := self._stream.read(1)) != b":":
            if not byte:
                raise BrowserError("the browser closed the connection")
            length += byte
        return json.loads(self._stream.read(int(length)))

    def close(self) -> None:
        try:
            self.send("Marionette:Quit", flags=["eForceQuit"])
        finally:
            self._stream.close()
            self._socket.close()
            _end(self._process)


BROWSERS: Final[Mapping[str, Sequence[tuple[str, ...]]]] = {
    "chromium": (("chromium", "chromium-browser", "google-chrome"), ("chromedriver", "chromium.chromedriver")),
    "firefox": (("firefox-esr", "firefox"),),
}
"""The programs that each browser needs, each under one of several names."""


def start(name: str, folder: Path) -> Browser | None:
    """A browser of `BROWSERS` with a new profile in ``folder``; None if a program is missing."""
    found = [next(filter(None, map(shutil.which, names)), None) for names in BROWSERS[name]]
    match [program for program in found if program is not None]:
        case [browser, driver] if name == "chromium":
            return Browser(_Driver(browser, driver, folder / "profile"))
        case [browser] if name == "firefox":
            return Browser(_Marionette(browser, folder / "profile"))
    return None


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until(connect: Any, process: subprocess.Popen[bytes]) -> Any:
    """The result of ``connect``, as soon as the other side listens."""
    end = time.monotonic() + _START_SECONDS
    while True:
        try:
            return connect()
        except (OSError, urllib.error.URLError):
            if time.monotonic() > end or process.poll() is not None:
                raise
            time.sleep(0.05)


def _begin(folder: Path, *command: str) -> subprocess.Popen[bytes]:
    """A program whose home is a folder of the tests."""
    home = {**os.environ, "HOME": str(folder.parent)}
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=home)


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

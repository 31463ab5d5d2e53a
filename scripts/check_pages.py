#!/usr/bin/env python3
"""Check HTML reports for accessibility with axe in a headless Chromium, in light and in dark.

    npm install axe-core && scripts/check_pages.py REPORT.html...

axe-core is looked for in ``node_modules`` of the working folder, or the file ``axe.min.js`` is
named by AXE. Findings of the impact "serious" or "critical" fail the check (exit code 1). Where
Chromium or axe is missing, it says so and ends with 77, as skipped tests do.
"""

import html
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

SKIPPED = 77
SCHEMES = {"dark": 0, "light": 1}  # numbers of Blink's setting preferredColorScheme
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=60000")
GRAVE = ("serious", "critical")
PROBE = """<script>{axe}</script><script>
axe.run(document, {{resultTypes: ["violations"]}}).then(found => {{
  const rows = found.violations.map(v => [v.id, v.impact, v.nodes.map(n => n.html)]);
  document.body.innerHTML = "<pre id=axe-result></pre>";
  document.getElementById("axe-result").textContent = JSON.stringify(rows);
}});</script></body>"""


def tools() -> tuple[str, Path] | None:
    """Program of Chromium and file of axe; None where one is missing."""
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    axe = Path(os.environ.get("AXE", "node_modules/axe-core/axe.min.js"))
    return (browser, axe) if browser and axe.is_file() else None


def violations(page: Path, scheme: str, browser: str, axe: Path) -> Iterator[tuple[str, str, str]]:
    """Rule, impact and first element of each violation that is serious or critical.

    Raises:
        RuntimeError: if Chromium gives no result.
    """
    probe = PROBE.format(axe=axe.read_text(encoding="utf-8"))
    with tempfile.TemporaryDirectory() as folder:
        probed = Path(folder) / "page.html"
        parts = page.read_text(encoding="utf-8").rpartition("</body>")
        probed.write_text(parts[0] + probe + parts[2], encoding="utf-8")
        setting = f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}"
        command = [browser, *OPTIONS, setting, f"--user-data-dir={folder}/profile"]
        done = subprocess.run(
            [*command, "--dump-dom", probed.as_uri()], capture_output=True, text=True, timeout=300
        )
    found = re.search(r'<pre id="axe-result">(.*?)</pre>', done.stdout, re.DOTALL)
    if not found:
        raise RuntimeError(f"{page}: no result of axe in Chromium: {done.stderr[-500:]}")
    for rule, impact, nodes in json.loads(html.unescape(found[1])):
        if impact in GRAVE:
            yield rule, impact, f"{len(nodes)} x {nodes[0][:200]}"


def main(pages: list[str]) -> int:
    """Check each page in both colour schemes, print the violations."""
    found = tools()
    if found is None:
        print("skipped: needs Chromium, and axe (npm install axe-core, or AXE=.../axe.min.js)")
        return SKIPPED
    count = 0
    for page in pages:
        for scheme in SCHEMES:
            lines = [": ".join(parts) for parts in violations(Path(page), scheme, *found)]
            count += len(lines)
            print(f"{page}, {scheme}: {len(lines)} serious findings", *lines, sep="\n  ")
    return 1 if count else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

"""What axe-core finds wrong with a page at levels A and AA of WCAG 2.2."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from tests.browser.chromium import Window

SCRIPT = Path(__file__).parent / "axe-core" / "axe.min.js"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
RUN = """
async ([levels]) => {
  const found = await axe.run(document, {
    runOnly: levels, resultTypes: ["violations"], elementRef: false,
  });
  return found.violations.map(one => ({
    rule: one.id,
    help: one.help,
    nodes: one.nodes.map(node => ({ at: node.target.join(" "), why: node.failureSummary })),
  }));
}
"""


@cache
def _script() -> str:
    return SCRIPT.read_text("utf-8")


async def load(window: Window) -> None:
    """Bring axe into the page that is open, past the page's own policy."""
    # Evaluated, not added as an element: the policy of our pages rightly forbids those.
    await window.page.evaluate(f"() => {{ {_script()}\n }}")


async def violations(window: Window) -> list[str]:
    """One line for each element in the page that violates a rule."""
    found: list[dict[str, Any]] = await window.page.evaluate(RUN, [LEVELS])
    return [
        f"{one['rule']}: {node['at']}: {' '.join(node['why'].split())}"
        for one in found
        for node in one["nodes"]
    ]

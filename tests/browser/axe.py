"""What axe-core finds wrong with a page at levels A and AA of WCAG 2.2."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.browser.chromium import Window

SCRIPT = Path(__file__).parent / "axe-core" / "axe.min.js"
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]
COLOURS = ["color-contrast", "link-in-text-block"]
"""The rules whose answer depends on the theme."""
RUN = """
async ([runOnly]) => {
  const found = await axe.run(document, {
    runOnly, resultTypes: ["violations"], elementRef: false,
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


async def violations(window: Window, rules: Sequence[str] = LEVELS) -> list[str]:
    """One line for each element in the page that violates one of these rules, or of all."""
    found: list[dict[str, Any]] = await window.page.evaluate(RUN, [list(rules)])
    return [
        f"{one['rule']}: {node['at']}: {' '.join(node['why'].split())}"
        for one in found
        for node in one["nodes"]
    ]

"""Whether the keys alone suffice: Tab reaches everything on a page, and shows where one is."""

from __future__ import annotations

from typing import Any

from tests.browser.chromium import Window

MOST = 400
"""Presses of Tab; a page with more to reach has lost its way."""

START = """
() => {
  const name = e => e.outerHTML.slice(0, 80);
  const all = "a[href], button, input, select, textarea, summary, [tabindex]";
  const usable = e => !e.disabled && e.tabIndex >= 0 && e.type !== "hidden" && e.checkVisibility();
  // Of a group of radio buttons Tab reaches the chosen one, arrows the others.
  const alone = e => e.type !== "radio" || e.checked;
  window.keys = { wanted: [...document.querySelectorAll(all)].filter(e => usable(e) && alone(e)),
                  reached: new Set(), name };
}
"""
STEP = """
() => {
  const e = document.activeElement;
  if (!e || e === document.body) return "outside";
  // A date has parts, which are reached one after the other.
  if (window.keys.last === e) return "within";
  window.keys.last = e;
  if (window.keys.reached.has(e)) return "again";
  window.keys.reached.add(e);
  const now = getComputedStyle(e);
  const seen = (now.outlineStyle !== "none" && parseFloat(now.outlineWidth) > 0)
    || now.boxShadow !== "none";
  return { at: window.keys.name(e), seen };
}
"""
# What a script has taken away meanwhile needs no key.
MISSED = "() => keys.wanted.filter(e => e.isConnected && !keys.reached.has(e)).map(keys.name)"


async def faults(window: Window) -> list[str]:
    """One line for each element that Tab does not reach, or that does not show that it has."""
    page = window.page
    await page.evaluate(START)
    found: list[str] = []
    for _ in range(MOST):
        await page.keyboard.press("Tab")
        step: dict[str, Any] | str = await page.evaluate(STEP)
        if step == "again":
            break
        # After the last comes the browser itself, then the first: where a form has the focus at
        # once, what stands before it is reached then.
        if isinstance(step, dict) and not step["seen"]:
            found.append(f"does not show that it is reached: {step['at']}")
    missed: list[str] = await page.evaluate(MISSED)
    return found + [f"is not reached: {at}" for at in missed]

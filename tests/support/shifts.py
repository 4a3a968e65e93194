"""What moves on a page by itself: the browser's own account of it, and how much of it nobody minds."""

from __future__ import annotations

from playwright.sync_api import Page

WATCH_SHIFTS = """
window.shifts = [];
new PerformanceObserver(list => {
  for (const { hadRecentInput, value, sources } of list.getEntries()) {
    if (hadRecentInput) continue;
    const moved = sources.map(({ node }) => (node?.cloneNode(false).outerHTML ?? node?.nodeValue ?? "gone"));
    window.shifts.push([value, moved]);
  }
}).observe({ type: "layout-shift", buffered: true });
"""
"""Run in the page before anything else."""

MOST_SHIFT = 0.03
"""Of all shifts since the page was opened, together; 0.1 in a single moment is what browsers call good."""


def expect_still(page: Page) -> None:
    """Raises AssertionError where more has moved by itself, with what it was."""
    shifts: list[tuple[float, list[str]]] = page.evaluate("window.shifts")
    together = sum(value for value, _ in shifts)
    told = "\n".join(f"{value:.4f} {', '.join(each[:160] for each in moved)}" for value, moved in shifts)
    assert together < MOST_SHIFT, f"shifted by {together:.3f}:\n{told}"

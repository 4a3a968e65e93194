"""What of a page is on the screen: to be evaluated in the page."""

from __future__ import annotations

FITS = """() => document.documentElement.scrollHeight <= innerHeight
  && document.documentElement.scrollWidth <= innerWidth"""
"""All of it, without scrolling."""

FITS_IN_WIDTH = "() => document.documentElement.scrollWidth <= innerWidth"
"""Nothing is cut off or scrolled to at its right, as on a phone."""

"""The copy of a Flower app that is run, so that what it writes beside itself never changes its own folder."""

from shared.app_copy.copy import make_copy, place_of, working_directory
from shared.app_copy.written import where_it_wrote, written

__all__ = ["make_copy", "place_of", "where_it_wrote", "working_directory", "written"]

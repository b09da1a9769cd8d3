"""Pictures of people's own programs must be readable on a slide."""

import sys

from tests.support.places import ROOT

sys.path.append(str(ROOT / "demos"))  # a script's own folder is on the path when it runs

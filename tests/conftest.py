"""Settings that all tests share."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

#: The same examples in every run, whatever the machine's speed: what continuous integration needs.
settings.register_profile("ci", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
#: New examples in every run, and ten times as many: HYPOTHESIS_PROFILE=explore pytest.
settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))

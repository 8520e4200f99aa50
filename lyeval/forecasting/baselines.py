"""What anyone could have guessed: the forecasts that odds have to beat."""

from __future__ import annotations

import numpy as np

from lyeval.simulation.engine import Setting


def baselines(given: Setting) -> dict[str, np.ndarray]:
    """Guess the first projected year's tax, 万元, shape (n,) each, NaN where a rule has nothing to go on.

    Returns
    -------
    dict
        ``no_change``: last year's tax; with months known also ``run_rate``: the year to date × 12 / k, and
        ``seasonal``: the year to date over its usual share of the year.
    """
    panel = given.panel
    out = {"no_change": panel.tax[:, -1]}
    if panel.month:
        ytd = panel.ytd[:, -1]
        out["run_rate"] = ytd * 12 / panel.month
        out["seasonal"] = ytd / given.nowcast.paid_share
    return out

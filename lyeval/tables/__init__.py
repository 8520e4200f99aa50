"""Named tables of results: what every report, annex, figure and trace reads."""

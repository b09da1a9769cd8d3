"""A gradient beside independent derivatives: findings, verdicts, whose fault it is."""

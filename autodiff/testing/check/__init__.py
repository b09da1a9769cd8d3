"""A gradient beside independent derivatives: findings, verdicts and blame."""

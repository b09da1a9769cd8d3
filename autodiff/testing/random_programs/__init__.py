"""Random programs: their operations, their source text, their judges and their shrinking."""

"""Coverage-guided fuzzing of the doors where bytes come in that others wrote: see docs/development.md."""

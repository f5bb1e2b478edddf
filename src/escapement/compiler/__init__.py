"""The compiler: checks a chart's definition, and builds its table."""

"""Long programs that measure or torture; neither tests nor part of the harness."""

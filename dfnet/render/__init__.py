"""Our own focus stacks: procedural scenes seen through two thin lenses, with all the truth."""

"""Learning to refocus: samples from focus stacks, losses, the Lightning task."""

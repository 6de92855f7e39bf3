"""From a folder of photos at different focus to a focus stack with an all-in-focus truth."""

"""Where words come from: attribution of a section, and the story of a passage."""

"""How good preprocessing is, against rendered truth, true stereo and real pairs."""

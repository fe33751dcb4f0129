"""The real command on real models with real workers."""

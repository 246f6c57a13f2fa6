"""The evidence pack: a canonical, signed ZIP that anyone can check offline; what goes into one is decided elsewhere."""

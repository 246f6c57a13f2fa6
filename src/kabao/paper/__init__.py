"""Chinese documents on paper (PDF by typst) from plain values; what they say is decided elsewhere."""

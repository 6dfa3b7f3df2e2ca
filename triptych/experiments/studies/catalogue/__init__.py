"""The studies that Triptych ships: a file each, which defines `study`. Nothing else lies here."""

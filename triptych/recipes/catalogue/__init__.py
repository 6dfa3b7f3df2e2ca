"""The recipes that Triptych ships: a file each, named as the recipe is with `_` for `-`, which defines `recipe`. Nothing else lies here."""

"""What people look at: pages, pictures, sources side by side. It reads run folders and trains nothing.

May be in here: figures, sentences, templates. May not: anything that imports `training`."""

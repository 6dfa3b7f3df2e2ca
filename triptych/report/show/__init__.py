"""`triptych show`: a recipe as three plain files, a framework each, that run without Triptych.

May be in here: source as text. May not: a framework; the files say what each framework does and import none."""

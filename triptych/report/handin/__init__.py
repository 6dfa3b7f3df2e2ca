"""The report that one hands in: a question, the runs and studies that answer it, and what they say. `triptych report --question`.

`page.py` makes it: `request.py` is what was asked, `tasks.py` and `studies.py` what the runs scored, `document.py` what a page
is made of. `as_html.py`, `as_markdown.py`, `as_pdf.py` and `draw.py` write it.
"""

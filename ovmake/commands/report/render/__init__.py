"""From the rows of `tables` to files: the page, Markdown, JUnit, and the charts in them.

charts.py    Charts of a model: what each shows, as Vega-Lite specifications, and their drawing
as SVG that stands in the page
html.py      The page as one HTML file that opens offline: no font, no image, no request, and one
script of our own
junit.py     Gates as JUnit's XML, which CI systems show: a test case for each gate of each
target. Pure
markdown.py  The report as Markdown, for a pull request: the answer, a table of all targets, what
changed. Pure
schema.py    The JSON Schema of report.json, as `ovmake report --schema` prints it
"""

"""Render the page of `tables` as HTML, Markdown and JUnit, with charts.

charts.py    charts of a model as Vega-Lite specifications, drawn as SVG
html.py      the page as one HTML file that opens offline
junit.py     gates as JUnit XML, which CI systems show: a test case for each gate of each target. Pure
markdown.py  the report as Markdown for a pull request: the answer, a table of all targets, the changes. Pure
schema.py    the JSON Schema of report.json, as `ovmake report --schema` prints it
"""

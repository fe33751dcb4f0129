"""The report: what was built and measured, as HTML, JSON, Markdown and JUnit.

records.py   from traces and the CAS to typed records; measurement.py: what a benchmark measured
control.py   what accuracy control did: layers given back, trials
weighing.py  what was timed beside the FP32 IR: candidates of `auto`, speed checks
figures.py   a target's figures, each with its words or its reason. Pure
tables.py    records to the rows that every output shows. Pure
advice.py    what follows from the figures, each with its evidence. Pure
history.py   this report beside an earlier one. Pure; earlier.py: where that one is read
searched.py  what is said of accuracy control. Pure
words.py     numbers and verdicts in words; names.py: what figures are called. Pure
charts.py    what is drawn, and its drawing
html.py      rows to one HTML file that opens offline
markdown.py  rows to Markdown, for a pull request. Pure
junit.py     gates to JUnit's XML. Pure
"""

"""The report: what was built and measured, as HTML, JSON and Markdown.

records.py   from traces and the CAS to typed records
control.py   what accuracy control did: layers given back, trials
weighing.py  what was timed beside the FP32 IR: candidates of `auto`, speed checks
tables.py    records to the rows that every output shows. Pure
searched.py  what is said of accuracy control. Pure
words.py     numbers and verdicts in words. Pure
html.py      rows to one HTML file that opens offline
"""

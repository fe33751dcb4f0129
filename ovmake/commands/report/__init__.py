"""The report: what was built and measured, as HTML, JSON, Markdown and JUnit.

command.py   builds, measures what is stale, writes the report
facts/       what was built and measured, typed; and an earlier report beside this one
figures.py   a target's figures, each with its words or its reason. Pure
tables.py    facts to the rows that every output shows. Pure
document.py  rows to report.json. Pure
advice.py    what follows from the figures, each with its evidence. Pure
searched.py  what is said of accuracy control. Pure
words.py     numbers and verdicts in words. Pure
names.py     what figures are called. Pure
render/      rows to HTML, Markdown and JUnit, and the charts in them
"""

"""The report: what was built and measured, as HTML, JSON, Markdown and JUnit.

command.py   builds, measures what is stale, writes the report
facts/       what was built and measured, typed; and the comparison with an earlier report
figures.py   a target's figures, each with its text, or the reason why it is missing. Pure
tables.py    facts to the rows that every output shows. Pure
document.py  rows to report.json. Pure
advice.py    what to do next, each with its evidence. Pure
searched.py  accuracy control in words. Pure
words.py     numbers and verdicts in words. Pure
names.py     names of figures and of facts about the machine. Pure
render/      rows to HTML, Markdown and JUnit, and the charts
"""

"""What was found, as plain data, and how it reads as text, as HTML and as JSON.

In go metrics, causes and opinions; out comes a result with a verdict, which tells of itself in a
plain document (:mod:`compare.results.document`), and ``console`` draws that. It imports ``base``,
``measure``, ``cases`` and ``referee``.
"""

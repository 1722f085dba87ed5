"""What was found, as plain data, and how it reads as text and as JSON.

In go metrics, causes and opinions; out comes a result with a verdict. It imports ``base``,
``measure``, ``cases`` and ``referee``.
"""

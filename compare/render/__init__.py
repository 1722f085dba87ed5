"""Pictures and tables drawn of results.

In go results; out come files and tables. It imports every stage below, and none imports it.
"""

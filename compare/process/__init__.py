"""The process around a comparison: whose code it runs, for how long, and what it raises.

In goes a call of somebody's code; out comes its value, or an error with an owner. It imports
``base``.
"""

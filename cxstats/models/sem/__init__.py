"""Structural equation models: lavaan's syntax and numbers, in numpy and scipy.

``syntax`` reads a model, ``model`` fills in lavaan's defaults, ``structure`` lays it out as
matrices, ``likelihood`` and ``curvature`` are the function and its derivatives, ``estimate`` and
``batch`` find its maximum for one sample and for many, ``fit`` and ``result`` are what users see.
"""

"""Structural equation models: lavaan's syntax and numbers, in numpy and scipy.

``syntax`` reads a model, ``model`` fills in lavaan's defaults, ``structure`` lays it out as
matrices and has their derivatives, ``likelihood`` is the function that is minimised, ``optimizer``
finds its minimum for one sample or a batch, ``fit`` and ``result`` are what users see.
"""

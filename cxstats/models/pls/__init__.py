"""PLS path models on correlation matrices: one matrix or a batch of them, by the same code.

``design`` reads a model, ``algorithm`` finds the weights, ``estimates`` and ``quality`` turn them
into paths and coefficients, ``fit`` and ``result`` are what users see; ``bootstrap``, ``groups``,
``predict`` and ``ipma`` need the respondents.
"""

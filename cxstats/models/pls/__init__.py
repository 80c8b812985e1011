"""PLS path models on correlation matrices: one matrix or a batch of them, by the same code.

``design`` reads a model (with ``interactions`` and ``higher_order``, which ``stages`` fits one
after the other), ``algorithm`` finds the weights, ``estimates`` and ``quality`` turn them into
paths and coefficients, ``fit`` and ``result`` are what users see; ``bootstrap``, ``groups``,
``predict`` and ``ipma`` need the respondents.
"""

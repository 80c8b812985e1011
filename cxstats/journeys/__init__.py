"""Journey maps, what customers felt along them, and who sees and shares which records.

``journey`` reads a map of stages and touchpoints with the respondents' scores; ``share_matrices``
has coverage, access and information sharing.
"""

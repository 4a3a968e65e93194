"""What can be learnt from updates and models, and what of that differential privacy and masks take away.

The attacks are the plainest there are, on a victim that suits them. docs/privacy.md tells what they show.
"""

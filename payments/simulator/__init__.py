"""A payment provider for trials and tests: Stripe's HTTP shapes, no money, every outcome.

It runs as a process of its own (`manage.py simulator`) or inside a test
(`payments.simulator.running.running_simulator`). It keeps its own books and knows nothing of the
shop's; both only ever meet over HTTP.
"""

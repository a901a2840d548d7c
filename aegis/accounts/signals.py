"""What happens to accounts, for those who keep the books."""

from django.dispatch import Signal

account_changed = Signal()
"""Sent in the transaction of every change to an account, with

- `user`: whose account,
- `change`: one of `created`, `role_changed`, `activated`, `deactivated`, `password_changed`, `link_issued`, `sessions_ended`,
- `by`: the user who did it; None for the command line, and for the holder of a one-time link,
- `before`, `after`: dicts of plain values, without secrets.

`sender` is the class User. Logging in, out, and failing to are Django's own signals.
"""

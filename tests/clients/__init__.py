"""Other people's programs against a rollout on the embedded AWS: what they find there is not written by us.

Not part of `make test`: each program has an environment of its own, which a package index fills (`make clients`).
"""

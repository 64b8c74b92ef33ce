"""Before anything is imported: no test may meet the profiles, keys and endpoints of whoever runs it."""

from __future__ import annotations

from orgmon.rehearsal.environment import isolate

isolate()

"""What released versions deployed, kept as files, so that an upgrade of a live rollout can be tested."""

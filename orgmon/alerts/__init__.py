"""What the SOC is told: alerts, made of events without any call, for the notifier and for replays alike."""

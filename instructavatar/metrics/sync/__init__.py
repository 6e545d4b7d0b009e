"""Pictures and sound -> how well lips and speech go together, as SyncNet sees it."""

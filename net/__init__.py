"""The network above its drivers: interfaces, and in time the servers."""

"""Other systems: functions that take a Vault, and bring into it or out of it what others can hold."""

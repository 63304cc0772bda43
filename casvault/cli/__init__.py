"""The command: the one place that prints, reads the environment and exits. It knows the façade and nothing below."""

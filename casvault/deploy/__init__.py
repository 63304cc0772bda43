"""Deployments: projects and their states, drift, deploying and pulling, journals, undo."""

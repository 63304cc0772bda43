"""casvault: version control for collections of artifacts, in one content-addressed vault."""

__version__ = "0.1.0"

"""What is read off the history for people and programs: reports, which change nothing."""

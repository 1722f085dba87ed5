"""Reports as text, JSON, HTML and plots."""

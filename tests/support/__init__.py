"""What several files of tests share: checks, networks, tables of what is tested."""

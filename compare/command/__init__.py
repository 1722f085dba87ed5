"""What only the command line uses: signals and pipes, predictions, texts to go on with.

In go a terminal and a command; out come words and an exit code. It imports every stage below.
"""

"""The blocks that faults are made of: how a method becomes a wrong one."""

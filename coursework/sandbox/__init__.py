"""The sandbox that submissions run in, and the kernel inside it."""

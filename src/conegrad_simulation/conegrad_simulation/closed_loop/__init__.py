"""The closed loop: a simulated car that is driven by what its sensors see."""

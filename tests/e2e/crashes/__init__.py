"""What happens to a repo when something goes wrong in the middle: real processes, a real disk."""

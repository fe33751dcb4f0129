"""What a stranger's repo, model, dataset or cache tries, by way of the installed program, and as each kind of user."""

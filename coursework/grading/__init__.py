"""What this course adds to nbgrader, each piece through a hook that nbgrader offers."""

"""What is known of every country: dated facts with their source and evidence level, and what is not known."""

"""What the pages behind a personal link share: the code that is asked for, and the word that there is nothing."""

"""Who will pay: scores with reasons, and the honest measure of how good they are. Chances are floats, money is not."""

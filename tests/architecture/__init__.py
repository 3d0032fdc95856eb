"""The house rules of the source tree, each as a test."""

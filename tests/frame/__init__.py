"""What every test stands on: databases, the loopback guard, the list of what was left out."""

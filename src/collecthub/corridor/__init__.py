"""The rooms. `collecthub map` prints the belts from the two tuples in `collecthub.corridor.belts`."""

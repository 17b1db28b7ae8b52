"""Training: `trainer` is the public face, `steps` runs plans, `objective` knows losses."""

"""The pages of bonus rules: what applies, what is on its way, and the canvas to write them on."""

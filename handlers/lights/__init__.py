"""Yellow and red lights: raised, told, pressed, drawn as heat maps."""

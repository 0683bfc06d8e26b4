"""Talk tracks: chosen for a deal, pressed, kept by administrators."""

"""The ATT&CK matrix: what is asked, what is known, what lies over it, how it is drawn."""

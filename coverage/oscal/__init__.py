"""Assessment results in OSCAL 1.1: which objectives of which controls our tests have shown to be met, and the evidence."""

"""Pages of the library: test templates, detection rules, defences."""

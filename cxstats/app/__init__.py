"""The programs around the package: the command line, running notebooks, the site."""

"""The tests of the toolchain. ``helpers`` holds the one verb that they share, ``programs`` the program generators."""

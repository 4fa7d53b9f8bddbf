//! Whole-system tests: helpers that start the real binaries.

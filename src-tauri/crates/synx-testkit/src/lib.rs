//! Virtual time, a lossy link, a recording output and event builders for tests.

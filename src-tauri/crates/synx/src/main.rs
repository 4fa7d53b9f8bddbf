//! The headless program `synx`.
fn main() {}

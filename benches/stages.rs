//! Time of each stage.

fn main() {}

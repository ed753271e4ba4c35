//! Timelines: what every environment looked like at any time, kept as content-addressed trees, and the changes between.

pub mod tree;

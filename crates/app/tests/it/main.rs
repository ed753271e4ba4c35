//! The one end-to-end test binary: the real `parallax`, a real OpenSSH server, real Node.js versions.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up should stop there")]

mod canary;
mod commands;
mod failures;
mod golden;
mod images;
mod in_time;
mod lint;
mod log;
mod parity;
mod store;
mod support;
mod tidy;
mod views;

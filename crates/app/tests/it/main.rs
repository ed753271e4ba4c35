//! The one end-to-end test binary: the real `parallax`, a real OpenSSH server, real Node.js versions.

mod canary;
mod commands;
mod failures;
mod parity;
mod support;
mod tidy;

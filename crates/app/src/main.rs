//! The `parallax` binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    parallax_app::cli::main()
}

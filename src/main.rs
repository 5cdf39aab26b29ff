//! The `jirei` program: parses arguments, calls the library, prints the error, sets the exit code.

use std::process::ExitCode;

fn main() -> ExitCode {
    jirei::cli::main()
}

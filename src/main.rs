//! The program: arguments in, exit code out.

use std::io::Write;
use std::process::ExitCode;

use pgtriage::config::{self, Request, Surroundings};
use pgtriage::console::{End, start::start};
use pgtriage::headless;
use pgtriage::report;

/// The exit code for what was given wrongly, as psql and clap have it.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let around = Surroundings::real();
    let settings = match config::load(std::env::args_os().collect(), &around) {
        Ok(Request::Run(settings)) => *settings,
        Ok(Request::Print(text)) => {
            // A reader that closed the pipe has read enough.
            let _ = std::io::stdout().write_all(text.as_bytes());
            return ExitCode::SUCCESS;
        }
        Ok(Request::Audit(request)) => {
            return match report::audit::answer(&request) {
                Ok(answer) => {
                    let _ = std::io::stdout().write_all(answer.text.as_bytes());
                    if answer.whole { ExitCode::SUCCESS } else { ExitCode::FAILURE }
                }
                Err(error) => complain(&format!("error: {error}")),
            };
        }
        Ok(Request::Rules(request)) => return rules(&request, &around),
        Err(error) => return complain(&error.to_string()),
    };
    // One thread beside the loop's is enough for a handful of connections, and a guest keeps small.
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => return complain(&format!("error: {error}")),
    };
    let end = runtime.block_on(start(settings, &around));
    // A blocking task may still wait for the terminal or a disk: it must not keep the shell waiting.
    runtime.shutdown_background();
    match end {
        Ok(End::Quit | End::Hangup) => ExitCode::SUCCESS,
        // As a shell reports the end by a signal.
        Ok(End::Signal(signal)) => ExitCode::from(u8::try_from(128 + signal).unwrap_or(u8::MAX)),
        Err(error) => complain(&error.to_string()),
    }
}

fn rules(request: &config::RulesRequest, around: &Surroundings) -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.map(|runtime| runtime.block_on(headless::rules::run(request, around))) {
        Ok(Ok(answer)) => {
            let _ = std::io::stdout().write_all(answer.text.as_bytes());
            ExitCode::from(answer.code)
        }
        Ok(Err(error)) => complain(&error.to_string()),
        Err(error) => complain(&format!("error: {error}")),
    }
}

fn complain(text: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr(), "{}", text.trim_end());
    ExitCode::from(USAGE)
}

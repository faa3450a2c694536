//! The program itself in a terminal, against real servers: what a person sees, presses, and is left with.
//!
//! Nothing here sleeps to be right: a test waits for what it wants to see, and says what it saw instead.

mod cells;
mod driver;
mod host;
mod hostile;
mod login;
mod metrics;
mod newcomer;
mod outage;
mod pileup;
mod pressure;
mod readonly;
mod rescue;
mod runbooks;
mod scenarios;
mod scene;
mod settings;
mod signals;
mod start;

//! Stories: keys and samples go in, effects and screens come out.

mod acting;
mod alerts;
mod bulk;
mod expiring;
mod findings;
mod incidents;
mod indexes;
mod locks;
mod looking;
mod losing;
mod random;
mod remedies;
mod settings;
mod stale;
mod statements;
mod tables;
mod triage;

//! Stories: keys and samples go in, effects and screens come out.

mod acting;
mod activity;
mod alerts;
mod bulk;
mod expiring;
mod findings;
mod health;
mod incidents;
mod indexes;
mod limits;
mod locks;
mod looking;
mod losing;
mod plans;
mod random;
mod remedies;
mod runbooks;
mod settings;
mod stale;
mod statements;
mod tables;
mod triage;
mod worlds;

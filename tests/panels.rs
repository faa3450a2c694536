//! Panels against servers that answer by script, and against a real Prometheus that scrapes real servers' metrics.

mod real;
mod scripted;
mod series;

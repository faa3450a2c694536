//! Listing alerts, copying one, and acknowledging them: in this console only, and until they are resolved.
//!
//! Nobody else hears of it. What is acknowledged rings no bell and leaves the title; it is counted as before.

use super::App;
use super::mode::{Choice, Input, Mode, Pick, Picker, Subject};
use crate::diagnose::Target;
use crate::diagnose::alert::board::{Row, Standing};
use crate::message::Effect;
use crate::model::alert::Labels;
use crate::model::unit::counted;
use crate::model::{ServerText, Tone};

/// What an acknowledgement is.
const ACKNOWLEDGE: &str = "in this console, until it is resolved";

impl App {
    /// Acknowledges the alert that is open, or takes that back; else lists all alerts with what can be done.
    pub(super) fn acknowledge_or_list(&mut self) -> Vec<Effect> {
        if let Mode::Detail { of: Subject::Alert(labels), .. } = &self.mode {
            let labels = labels.clone();
            return self.acknowledge(&labels);
        }
        self.mode = Mode::Normal;
        self.list_alerts();
        Vec::new()
    }

    fn list_alerts(&mut self) {
        if self.setup.prometheus.is_none() {
            self.say("no Prometheus is named (--prometheus URL): there are no alerts", Tone::Notice);
            return;
        }
        let rows = self.alerts().rows();
        if rows.is_empty() {
            let (quiet, waiting) = (self.alerts().quiet(), self.alerts().waiting());
            let are = if quiet == 1 { "is" } else { "are" };
            self.say(
                format!("no alert to list: {} {are} quiet, {waiting} not evaluated yet", counted(quiet, "rule")),
                Tone::Notice,
            );
            return;
        }
        let mut acknowledge = Vec::new();
        // The selected one first: the key and Enter are enough for it.
        let selected = match self.current_finding().map(|finding| &finding.target) {
            Some(Target::Alert(labels)) => rows.iter().find(|row| row.labels == *labels),
            Some(_) | None => None,
        };
        let meant = selected.is_some();
        let fresh: Vec<&Row> = rows.iter().filter(|row| is_fresh(row)).collect();
        // Where one alone fires, it is meant.
        let selected = selected.or(if let [one] = fresh.as_slice() { Some(*one) } else { None });
        if let Some(row) = selected {
            let name = ServerText::from(row.name.as_str()).head(60);
            let note = if row.acknowledged { "it is acknowledged: take that back" } else { ACKNOWLEDGE };
            acknowledge.push(Choice {
                name: "acknowledge".to_owned(),
                note: format!("{name}: {note}"),
                pick: Pick::Acknowledge(row.labels.clone()),
            });
        }
        let others = fresh.iter().filter(|row| selected.is_none_or(|s| s.labels != row.labels)).count();
        if others > 0 {
            acknowledge.push(Choice {
                name: format!("acknowledge all {}", fresh.len()),
                note: format!("what fires: {ACKNOWLEDGE}"),
                pick: Pick::AcknowledgeAll,
            });
        }
        let alerts = rows.iter().map(|row| Choice {
            name: ServerText::from(row.name.as_str()).head(60),
            note: note(row),
            pick: Pick::Alert(row.labels.clone()),
        });
        // Whoever has selected none comes to read: Enter on the first row shows it, and does nothing.
        let choices =
            if meant { acknowledge.into_iter().chain(alerts).collect() } else { alerts.chain(acknowledge).collect() };
        self.mode = Mode::Pick(Picker { title: "Alerts", input: Input::default(), choices, at: 0 });
    }

    /// Acknowledges one that fires, or takes that back. What is not firing now is left alone: an acknowledgement would
    /// wait for an alert that nobody has seen.
    pub(super) fn acknowledge(&mut self, labels: &Labels) -> Vec<Effect> {
        let Some(row) = self.board.row(labels).filter(Row::is_burning) else {
            self.say("it does not fire now: there is nothing to acknowledge", Tone::Notice);
            return Vec::new();
        };
        let acknowledged = self.board.acknowledge(labels);
        let name = ServerText::from(row.name.as_str()).head(60);
        let words = if acknowledged {
            format!("{name}: acknowledged in this console, until it is resolved")
        } else {
            format!("{name}: no longer acknowledged")
        };
        self.acknowledged(words)
    }

    /// Acknowledges all that fire and are not acknowledged yet.
    pub(super) fn acknowledge_all(&mut self) -> Vec<Effect> {
        let fresh: Vec<Row> = self.board.rows().into_iter().filter(is_fresh).collect();
        for row in &fresh {
            // Rows of two rules may have the same labels, and stand or fall together.
            if self.board.row(&row.labels).is_some_and(|now| !now.acknowledged) {
                self.board.acknowledge(&row.labels);
            }
        }
        self.acknowledged(format!("{} acknowledged in this console, until resolved", fresh.len()))
    }

    /// An alert as text, to be pasted elsewhere: its state, labels and annotations.
    pub(super) fn alert_text(&self, labels: &Labels) -> Option<String> {
        let row = self.alerts().row(labels)?;
        let value = row.value.map_or_else(String::new, |value| format!(" {value}"));
        let head = format!("alert {} {}{value}", row.name, row.word());
        let pairs = row.labels.iter().chain(&row.annotations).map(|(name, value)| format!("  {name}={value}"));
        Some(std::iter::once(head).chain(pairs).collect::<Vec<_>>().join("\n"))
    }

    /// The expression that answered for an alert, else the first of its rule.
    pub(super) fn alert_expression(&self, labels: &Labels) -> Option<String> {
        let board = self.alerts();
        let row = board.row(labels)?;
        if let Some((_, rule, state)) = board.rule_of(&row) {
            return rule.sources.get(state.source.unwrap_or(0)).map(|source| source.expr.clone());
        }
        let others = &board.others.get()?.rules;
        others.iter().find(|rule| rule.name == row.name).map(|rule| rule.expr.clone())
    }

    /// What follows from it: words, the frozen screen, the findings, the title.
    fn acknowledged(&mut self, words: String) -> Vec<Effect> {
        if let Some(frozen) = &mut self.frozen_alerts {
            frozen.acknowledged.clone_from(&self.board.acknowledged);
        }
        self.look();
        self.say(words, Tone::Notice);
        self.heard(false)
    }
}

/// True where it fires and nobody here has acknowledged it.
fn is_fresh(row: &Row) -> bool {
    row.is_burning() && !row.acknowledged
}

fn note(row: &Row) -> String {
    let mut said = vec![row.word().to_owned()];
    if let Standing::Unknown { was: Some(_), .. } = row.standing
        && row.is_burning()
    {
        said.push("fired before".to_owned());
    }
    if row.acknowledged {
        said.push("acknowledged".to_owned());
    }
    if row.silenced.is_some() {
        said.push("silenced".to_owned());
    }
    said.extend(row.figure());
    let labels = row.labels.iter().filter(|(name, _)| *name != "alertname");
    said.extend(labels.take(4).map(|(name, value)| ServerText::new(format!("{name}={value}")).head(40)));
    said.join(" · ")
}

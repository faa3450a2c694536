//! Copying: a row, a text, or the statement that no action of ours fits. What goes to the clipboard holds no control
//! characters, since a terminal obeys them when it is pasted.

use super::App;
use super::mode::{Choice, Input, Mode, Pick, Picker, Subject};
use super::part::Part;
use super::tab::connections::SessionRow;
use super::tab::locks::{LockRow, Who};
use super::tab::statements::StatementRow;
use super::tab::tables::raw_name;
use super::tab::triage::FindingRow;
use crate::command::Tab;
use crate::diagnose::FindingKey;
use crate::diagnose::figures::Figure;
use crate::diagnose::health::{Item, ItemKey};
use crate::guard::Remedy;
use crate::message::Effect;
use crate::model::health::State;
use crate::model::text::pasteable;
use crate::model::{Latest, ServerText, Tone};

impl App {
    /// What no action fits of that subject: the statements to copy, the nearest first.
    #[must_use]
    pub fn remedies_of(&self, subject: &Subject) -> Vec<Remedy> {
        let world = self.world();
        let replication = |first| world.replication.get().map(|r| Remedy::replication(r, first)).unwrap_or_default();
        match subject {
            Subject::Session(key) => {
                let (Some(sessions), Some(row)) = (world.sessions.get(), self.session_row(key)) else {
                    return Vec::new();
                };
                sessions.prepared_before(&row.session).into_iter().map(Remedy::prepared).collect()
            }
            Subject::Replica(key) => {
                use crate::table::Row;
                let row = self.replicas.all().iter().find(|r| r.key() == *key);
                replication(row.and_then(|r| r.replica.slot.as_ref()))
            }
            Subject::Remedies => replication(None),
            Subject::Prepared(gid) => {
                let prepared = world.sessions.get().map_or(&[][..], |s| &s.prepared);
                prepared.iter().filter(|p| p.gid == *gid).map(Remedy::prepared).collect()
            }
            Subject::Table(_)
            | Subject::Index(_)
            | Subject::Progress(_)
            | Subject::Statement(_)
            | Subject::Alert(_)
            | Subject::Health(_)
            | Subject::Figures(_) => Vec::new(),
        }
    }

    /// The entry of Statements that a command means: the one whose detail is open, or the selected one.
    #[must_use]
    pub fn current_statement(&self) -> Option<&StatementRow> {
        if let Mode::Detail { of: Subject::Statement(key), .. } = &self.mode {
            use crate::table::Row;
            return self.statements.all().iter().find(|r| r.key() == *key);
        }
        self.statements.current()
    }

    pub(super) fn copy_row(&mut self) -> Vec<Effect> {
        if let Mode::Detail { of: Subject::Alert(labels), .. } = &self.mode {
            let text = self.alert_text(labels);
            return self.copy(text, "alert");
        }
        if let Mode::Detail { of: Subject::Health(key), .. } = &self.mode {
            let text = health_text(&self.triage.diagnosis.health, key.as_ref());
            return self.copy(Some(text), "health");
        }
        if let Mode::Detail { of: Subject::Figures(key), .. } = &self.mode {
            let text = self.figures_text(key);
            return self.copy(Some(text), "finding");
        }
        let text = match self.tab {
            Tab::Triage => self.triage.findings.current().map(FindingRow::text),
            Tab::Connections | Tab::Slow => self.current_session().map(row_text_session),
            Tab::Locks => self.locks.current().map(|r| row_text(r, super::tab::locks::COLUMNS)),
            Tab::Tables => match (self.current_index(), self.current_progress()) {
                (Some(row), _) => Some(row_text(row, super::tab::indexes::COLUMNS)),
                (None, Some(row)) => Some(row_text(row, super::tab::progress::COLUMNS)),
                (None, None) => self.current_table().map(|r| row_text(r, super::tab::tables::COLUMNS)),
            },
            Tab::Replication => self.replicas.current().map(|r| row_text(r, super::tab::replication::COLUMNS)),
            Tab::Statements => self.current_statement().map(|r| row_text(r, super::tab::statements::COLUMNS)),
            Tab::Latency | Tab::Cache => None,
        };
        self.copy(text, "row")
    }

    /// The text of what is selected; in a detail that names statements to run elsewhere, one of those.
    pub(super) fn copy_query(&mut self) -> Vec<Effect> {
        if let Mode::Detail { of: Subject::Alert(labels), .. } = &self.mode {
            let text = self.alert_expression(labels);
            return self.copy(text, "expression");
        }
        if matches!(self.mode, Mode::Detail { of: Subject::Health(_), .. }) {
            return self.copy_row();
        }
        if let Mode::Detail { of: Subject::Figures(key), .. } = &self.mode {
            let sql = self.finding_row(key).and_then(|row| row.finding.remedy.clone());
            return self.copy(sql, "SQL");
        }
        let text = match self.tab {
            Tab::Triage => return self.copy_remedy(),
            Tab::Connections | Tab::Slow => self.current_session().map(|r| r.session.query.raw().to_owned()),
            Tab::Locks => match self.current_session() {
                Some(row) => Some(row.session.query.raw().to_owned()),
                None => self.locks.current().and_then(copied),
            },
            Tab::Tables if self.shows(Part::Progress) => {
                self.current_session().map(|r| r.session.query.raw().to_owned())
            }
            Tab::Tables if self.definition().is_some_and(|d| d.get().is_some()) => {
                let text = self.definition().and_then(Latest::get).map(|text| format!("{};", text.raw()));
                return self.copy(text, "definition");
            }
            Tab::Tables => {
                self.current_index().map(super::tab::indexes::raw_name).or_else(|| self.current_table().map(raw_name))
            }
            Tab::Replication => self.replicas.current().map(|r| r.replica.application.raw().to_owned()),
            Tab::Statements => self.current_statement().and_then(|r| {
                let text = self.world().statement_texts.get(&r.statement.key.query);
                text.map(|t| t.text.raw().to_owned())
            }),
            Tab::Latency | Tab::Cache => None,
        };
        let Mode::Detail { of, .. } = &self.mode else { return self.copy(text, "text") };
        let remedies = self.remedies_of(of);
        let mut choices: Vec<Choice> = remedies.iter().filter_map(choice).collect();
        if choices.is_empty() {
            return self.copy(text, "text");
        }
        // The SQL of a prepared transaction is the first choice already.
        let own = !matches!(of, Subject::Prepared(_));
        if let Some(text) = text.filter(|text| own && !text.is_empty()) {
            let name = if self.tab == Tab::Replication { "the standby's name" } else { "the session's statement" };
            let note = ServerText::from(text.as_str()).head(120);
            choices.push(Choice { name: name.to_owned(), note, pick: Pick::Copy(text, "text") });
        }
        self.mode = Mode::Pick(Picker { title: "Copy", input: Input::default(), choices, at: 0 });
        Vec::new()
    }

    fn finding_row(&self, key: &FindingKey) -> Option<&FindingRow> {
        self.triage.findings.all().iter().find(|row| row.finding.key == *key)
    }

    /// A finding and its figures as text, to be pasted elsewhere.
    fn figures_text(&self, key: &FindingKey) -> String {
        let mut out: Vec<String> = self.finding_row(key).map(FindingRow::text).into_iter().collect();
        out.extend(self.figures_of(key).into_iter().map(|figure| match figure {
            Figure::Title(text) => text,
            Figure::Line { label, text, .. } => format!("  {label} {text}"),
        }));
        out.join("\n")
    }

    /// The SQL that helps where no action does; else the statement that the finding is about.
    fn copy_remedy(&mut self) -> Vec<Effect> {
        if let Some(remedy) = self.current_finding().and_then(|f| f.remedy.clone()) {
            return self.copy(Some(remedy), "SQL");
        }
        let query = self.current_session().map(|r| r.session.query.raw().to_owned());
        let text = query.or_else(|| self.current_table().map(raw_name));
        self.copy(text, "text")
    }

    pub(super) fn copy(&mut self, text: Option<String>, what: &str) -> Vec<Effect> {
        let Some(text) = text.filter(|text| !text.is_empty()) else {
            self.say("there is nothing to copy", Tone::Faint);
            return Vec::new();
        };
        let (text, left_out) = pasteable(&text);
        let copied = format!("{what} sent to the terminal's clipboard, {} characters", text.chars().count());
        if left_out > 0 {
            let s = if left_out == 1 { "" } else { "s" };
            self.say(format!("{copied}; {left_out} control character{s} left out"), Tone::Warning);
        } else {
            self.say(copied, Tone::Faint);
        }
        vec![Effect::Copy(text)]
    }
}

/// The statement of a session in the forest, or the SQL that ends a prepared transaction.
fn copied(row: &LockRow) -> Option<String> {
    match &row.who {
        Who::Session(row) | Who::Alike { oldest: row, .. } => Some(row.session.query.raw().to_owned()),
        Who::Prepared(prepared) => Remedy::prepared(prepared.as_ref()?).sql.ok(),
        Who::Circle(_) | Who::Unseen(_) => None,
    }
}

fn choice(remedy: &Remedy) -> Option<Choice> {
    let sql = remedy.sql.clone().ok()?;
    let note = ServerText::from(sql.as_str()).escaped();
    Some(Choice { name: remedy.what.clone(), note, pick: Pick::Copy(sql, "SQL") })
}

fn row_text_session(row: &SessionRow) -> String {
    row_text(row, super::tab::connections::COLUMNS)
}

/// A row as text: name and value of each column, as shown.
fn row_text<R>(row: &R, columns: &[crate::table::Column<R>]) -> String {
    columns
        .iter()
        .map(|c| (c.name, (c.cell)(row).text))
        .filter(|(_, text)| !text.is_empty())
        .map(|(name, text)| format!("{name}={text}"))
        .collect::<Vec<_>>()
        .join("  ")
}

/// Items of the health as text, to be pasted elsewhere.
fn health_text(items: &[Item], of: Option<&ItemKey>) -> String {
    let mut out = Vec::new();
    for item in items.iter().filter(|item| of.is_none_or(|key| item.key == *key)) {
        let word = item.state.map_or("nothing to judge", State::word);
        out.push(format!("{} {word}: {}", item.name, item.text));
        out.extend(item.facts.iter().map(|fact| format!("  {} {}", fact.label, fact.text)));
    }
    out.join("\n")
}

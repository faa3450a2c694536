//! The plan of the selected statement: why there can be none, the question before another role's, the keys of what is shown.
//!
//! It decides only what can be seen from here; whether our role may make a plan at all is found where it is asked.

use super::App;
use super::mode::{Mode, PlanStage, PlanView};
use crate::command::{Command, Tab};
use crate::keymap::{Chord, Step};
use crate::message::Effect;
use crate::model::plan::one::One;
use crate::model::plan::{Plan, PlanOf};
use crate::model::server::Server;
use crate::model::session::{Session, State};
use crate::model::{ProbeError, Question, Seen, ServerText, Timestamp, Tone};

/// Bytes of a text that `sessions.sql` reads at most; a character cut through is left out.
const SENT: usize = 16_384;
/// The same of an idle session's.
const SENT_IDLE: usize = 2048;

impl App {
    /// Why only the beginning of a session's text is known; none where it is whole.
    #[must_use]
    pub fn text_cut(&self, session: &Session) -> Option<String> {
        let size = self.world().server.get().map_or(0, |server| server.query_size);
        let length = session.query.raw().len();
        let (sent, whose) =
            if session.state == Some(State::Idle) { (SENT_IDLE, "an idle session's text") } else { (SENT, "a text") };
        if size > 4 && i64::try_from(length).unwrap_or(i64::MAX) >= size - 4 {
            Some(format!("cut by the server at track_activity_query_size = {size}"))
        } else {
            (length + 3 >= sent).then(|| format!("cut: no more than {sent} bytes of {whose} are read"))
        }
    }

    /// What has come of the plan that is open: the newest answer to it, if it came after it was asked for.
    #[must_use]
    pub fn plan_answer(&self, view: &PlanView) -> Option<Result<&Plan, &ProbeError>> {
        let PlanStage::Asked(asked) = view.stage else { return None };
        let (_, latest) = self.live().plan.as_ref().filter(|(of, _)| *of == view.of)?;
        match (&latest.value, &latest.error) {
            (_, Some((error, at))) if *at >= asked => Some(Err(error)),
            (Some((plan, at)), _) if *at >= asked => Some(Ok(plan)),
            _ => None,
        }
    }

    /// As whom a plan is made; none while the server is not known.
    #[must_use]
    pub fn plans_as(&self) -> Option<&ServerText> {
        self.setup.plan_user.as_ref().or_else(|| self.live().server.get().map(|server| &server.user))
    }

    /// Opens the plan of the selected statement, or says why there is none.
    pub(super) fn open_plan(&mut self) {
        let (of, one) = match self.plan_of() {
            Ok(found) => found,
            Err(why) => return self.say_of_row(why, Tone::Notice),
        };
        // Why another row has no plan.
        self.leave_said();
        let was = std::mem::take(&mut self.mode);
        let under = if let Mode::Detail { of, scroll } = was { Some((of, scroll)) } else { None };
        self.step(0);
        // Whoever wrote what the text reaches gains nothing but what the role may that plans it.
        let ours = of.author.is_some() && of.author.as_ref() == self.plans_as();
        // Then it will be refused, with its reason: no need to ask.
        let powerful = |server: &Server| server.rights.superuser || server.rights.signal_backend;
        let refused = self.setup.plan_user.is_none() && self.live().server.get().is_some_and(powerful);
        let mut view = PlanView { of, one, stage: PlanStage::Asks(None), scroll: 0, seen: Seen::default(), under };
        if ours || refused {
            self.ask_for_plan(&mut view);
        }
        self.mode = Mode::Plan(view);
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "any other key closes it")]
    pub(super) fn plan_key(&mut self, mut view: PlanView, chord: Chord, at: Timestamp) -> Vec<Effect> {
        let command = match self.setup.keymap.step(self.tab, &self.pending, chord) {
            Step::Run(command) => Some(command),
            _ => None,
        };
        let mut effects = Vec::new();
        match view.stage {
            PlanStage::Asks(drawn) => match command {
                _ if chord == Chord::char('y') => {
                    let read = view.seen.is_enough() && drawn.is_some_and(|drawn| at >= drawn);
                    if chord != self.opened_by && read && self.has_room_to_ask() {
                        self.ask_for_plan(&mut view);
                    }
                }
                Some(Command::CopyQuery) => effects = self.copy_plan_sql(&view),
                _ => match self.moves(chord) {
                    Some(by) => view.seen.scroll(by),
                    None => return self.close_plan(view),
                },
            },
            PlanStage::Asked(_) => match (self.scrolled(chord, view.scroll), command) {
                (Some(scroll), _) => view.scroll = scroll,
                (None, Some(Command::CopyRow)) => {
                    let (text, what) = match self.plan_answer(&view) {
                        Some(Ok(plan)) => (Some(plan.text()), "plan"),
                        Some(Err(why)) => (Some(why.to_string()), "reason"),
                        None => (None, "plan"),
                    };
                    effects = self.copy(text, what);
                }
                (None, Some(Command::CopyQuery)) => effects = self.copy_plan_sql(&view),
                (None, Some(Command::ShowPlan)) => self.ask_for_plan(&mut view),
                _ => return self.close_plan(view),
            },
        }
        self.mode = Mode::Plan(view);
        effects
    }

    fn close_plan(&mut self, view: PlanView) -> Vec<Effect> {
        self.mode = view.under.map_or(Mode::Normal, |(of, scroll)| Mode::Detail { of, scroll });
        Vec::new()
    }

    fn copy_plan_sql(&mut self, view: &PlanView) -> Vec<Effect> {
        let sql = self.live().server.get().map(|server| view.one.sql(server.major()));
        self.copy(sql, "SQL")
    }

    fn ask_for_plan(&mut self, view: &mut PlanView) {
        view.stage = PlanStage::Asked(self.now);
        view.scroll = 0;
        self.asked.ask(Question::Plan(Box::new(view.of.clone())));
    }

    /// The selected statement, if it can have a plan.
    pub(super) fn plan_of(&self) -> Result<(PlanOf, One), String> {
        if self.live().server.get().is_none() {
            return Err("the server is not known yet: no plan can be asked for".to_owned());
        }
        let (of, cut) = if self.tab == Tab::Statements {
            let row = self.current_statement().ok_or("no statement is selected")?;
            let text = self.world().statement_texts.get(&row.statement.key.query).ok_or("its text was not read yet")?;
            let cut = text.cut.then(|| "cut: no more than 16384 characters of a text are read".to_owned());
            let (text, database, author) = (text.text.clone(), row.database.clone(), row.user.clone());
            (PlanOf { text, database, author, normalized: true }, cut)
        } else {
            let session = &self.current_session().ok_or("the selected row is no session with a statement")?.session;
            if session.hidden {
                return Err("the statement is hidden from this role: GRANT pg_monitor".to_owned());
            }
            let Session { query, database, user, .. } = session;
            let (text, database, author) = (query.clone(), database.clone(), user.clone());
            let of = PlanOf { text, database, author, normalized: false };
            (of, self.text_cut(session))
        };
        if let Some(cut) = cut {
            return Err(format!("no plan: the text is {cut}"));
        }
        if of.database.as_ref().is_none_or(ServerText::is_empty) {
            return Err("no plan: in which database the statement runs is not known".to_owned());
        }
        let one = One::of(of.text.raw()).map_err(|unfit| format!("no plan: {unfit}"))?;
        Ok((of, one))
    }
}

//! The program in a terminal: one loop that takes keys, news, samples and time in, starts effects, and draws.
//!
//! A key never waits for a server: the loop awaits channels only. The terminal is written here and nowhere else.

mod keys;
pub mod runbooks;
mod secret;
mod signals;
pub mod start;
mod terminal;

use std::io;
use std::pin::Pin;
use std::time::Duration;

use crossterm::event::Event as Input;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};

use crate::app::App;
use crate::effect::{Request, WriterHandle};
use crate::keymap::{Chord, Key};
use crate::message::{Effect, Event, not_looked, not_sent};
use crate::model::{Demand, Timestamp};
use crate::postgres::Secret;
use crate::probe::Report;
use crate::view;
use secret::{Step, Typing};
use signals::{Signals, Wish};
use terminal::Screen;

/// At most so often is a frame drawn that no key asked for: 30 times a second is more than an eye needs, and a slow
/// link must not be filled with frames that the next one replaces.
const FRAME: Duration = Duration::from_millis(33);

/// At most so many keys are taken in before a frame shows what they came to.
const BURST: usize = 64;

/// What the loop is connected to.
pub struct Wires {
    /// Answers and the state of the connection.
    pub reports: mpsc::Receiver<Report>,
    /// News of actions and of the writer.
    pub news: mpsc::Receiver<Event>,
    /// What is wanted.
    pub demand: watch::Sender<Demand>,
    /// How the rest is started.
    pub door: Door,
}

/// The server's words where it does not accept a password.
pub type Refused = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// What comes before anything is asked of the server: whether it wants a password that nobody has given. The screen is
/// open meanwhile, since a server that does not answer must not keep a person before an empty one.
pub struct Door {
    /// Comes true where a password is to be typed.
    pub wanted: Pin<Box<dyn Future<Output = bool> + Send>>,
    /// The words that ask for it.
    pub question: String,
    /// Comes true with the server's words where it does not accept the one that was typed.
    pub refused: Box<dyn Fn(Secret) -> Refused>,
    /// Starts reading and writing.
    pub begin: Box<dyn FnOnce(Option<Secret>) -> Started>,
}

/// What runs behind the screen.
#[derive(Default)]
pub struct Started {
    /// The writer; none in read-only mode, where none exists.
    pub effects: Option<WriterHandle>,
    /// The probes; they end with this.
    pub probes: JoinSet<()>,
}

/// Why the loop ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The user left.
    Quit,
    /// The terminal is gone.
    Hangup,
    /// This signal asked for it.
    Signal(i32),
}

/// Runs the console until it is left; the terminal is restored on every way out.
///
/// # Errors
/// The terminal cannot be taken over or written.
pub async fn run(app: App, wires: Wires) -> io::Result<End> {
    let signals = Signals::listen()?;
    let mut screen = Screen::open()?;
    let Wires { reports, news, demand, door } = wires;
    let feeds = Feeds { reports, news, demand };
    let started = Started::default();
    let mut console =
        Loop { app, feeds, started, inputs: keys::read(), signals, dirty: true, drawn: None, sounds: Vec::new() };
    let end = console.run(door, &mut screen).await;
    screen.close();
    // The terminal is the user's again while a job that still runs is cancelled and its outcome logged.
    if let Some(writer) = console.started.effects.take() {
        writer.finish().await;
    }
    match end {
        // The other side of the terminal is gone: that is an end, not a failure.
        Err(e) if matches!(e.raw_os_error(), Some(5)) || e.kind() == io::ErrorKind::BrokenPipe => Ok(End::Hangup),
        other => other,
    }
}

struct Feeds {
    reports: mpsc::Receiver<Report>,
    news: mpsc::Receiver<Event>,
    demand: watch::Sender<Demand>,
}

struct Loop {
    app: App,
    feeds: Feeds,
    started: Started,
    inputs: mpsc::Receiver<io::Result<Input>>,
    signals: Signals,
    dirty: bool,
    drawn: Option<Instant>,
    /// What is to be heard, or read in the title, since the last frame.
    sounds: Vec<Effect>,
}

impl Loop {
    async fn run(&mut self, door: Door, screen: &mut Screen) -> io::Result<End> {
        let mut door = Some(door);
        let (width, height) = crossterm::terminal::size()?;
        self.app.update(Event::Resized { width, height });
        self.publish();
        self.draw(screen)?;
        let mut tick = tokio::time::interval(Duration::from_secs(1));
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut reports_open = true;
        let mut news_open = true;
        loop {
            let mut at_once = false;
            let frame_due = self.drawn.map_or_else(Instant::now, |d| d + FRAME);
            tokio::select! {
                biased;
                wish = self.signals.next() => match wish {
                    Wish::End(signal) => return Ok(End::Signal(signal)),
                    Wish::Suspend => self.suspend(screen)?,
                },
                input = self.inputs.recv() => match input {
                    Some(Ok(input)) => {
                        at_once = true;
                        if let Some(end) = self.inputs(input, screen)? {
                            return Ok(end);
                        }
                    }
                    Some(Err(e)) => return Err(e),
                    None => return Ok(End::Hangup),
                },
                news = self.feeds.news.recv(), if news_open => match news {
                    Some(event) => self.take(event),
                    None => news_open = false,
                },
                report = self.feeds.reports.recv(), if reports_open => match report {
                    Some(report) => self.take(event_of(report)),
                    None => reports_open = false,
                },
                wanted = knocked(&mut door) => {
                    let Some(door) = door.take() else { continue };
                    let secret = if wanted { Some(self.ask(&door, screen).await?) } else { None };
                    match secret.transpose() {
                        Ok(secret) => self.started = (door.begin)(secret),
                        Err(end) => return Ok(end),
                    }
                }
                _ = tick.tick() => self.take(Event::Tick { at: Timestamp::now() }),
                () = tokio::time::sleep_until(frame_due), if self.dirty => {}
            }
            while let Ok(event) = self.feeds.news.try_recv() {
                self.take(event);
            }
            while let Ok(report) = self.feeds.reports.try_recv() {
                self.take(event_of(report));
            }
            self.publish();
            self.sound(screen)?;
            let due = self.drawn.is_none_or(|d| d.elapsed() >= FRAME);
            if self.dirty && (at_once || due) {
                self.draw(screen)?;
            }
        }
    }

    /// Asks for a password until the server takes one; the end of the console where there will be none.
    async fn ask(&mut self, door: &Door, screen: &mut Screen) -> io::Result<Result<Secret, End>> {
        self.dirty = true;
        let mut typing = Typing::default();
        let mut shown = door.question.clone();
        let mut tried: Option<(Secret, Refused)> = None;
        loop {
            screen.draw(|frame| secret::draw(&shown, tried.is_some(), frame))?;
            let answer = async {
                match &mut tried {
                    Some((_, refused)) => refused.as_mut().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                wish = self.signals.next() => match wish {
                    Wish::End(signal) => return Ok(Err(End::Signal(signal))),
                    Wish::Suspend => suspend(screen)?,
                },
                words = answer => match (words, tried.take()) {
                    (Some(words), _) => shown = format!("{words}\n{}", door.question),
                    (None, Some((secret, _))) => return Ok(Ok(secret)),
                    (None, None) => {}
                },
                input = self.inputs.recv() => match input {
                    Some(Ok(Input::Key(key))) => match keys::chord(&key).map(|chord| typing.take(chord)) {
                        Some(Step::Done(secret)) if tried.is_none() => {
                            tried = Some((secret.clone(), (door.refused)(secret)));
                        }
                        Some(Step::Left) => return Ok(Err(End::Quit)),
                        Some(Step::Done(_) | Step::More) | None => {}
                    },
                    Some(Ok(Input::Paste(text))) => typing.paste(&text),
                    Some(Ok(Input::Resize(..) | Input::FocusGained | Input::FocusLost | Input::Mouse(_))) => {}
                    Some(Err(e)) => return Err(e),
                    None => return Ok(Err(End::Hangup)),
                },
            }
        }
    }

    fn take(&mut self, event: Event) {
        let effects = self.app.update(event);
        self.dirty = true;
        for effect in effects {
            // A refusal after the writer's own look is logged at once; what sounds waits for the end of a frame.
            if matches!(effect, Effect::RecordRefusal { .. }) { self.send(effect) } else { self.sounds.push(effect) }
        }
    }

    /// Takes in what was typed, and what has come along with it: a burst needs one frame, not one for each key.
    fn inputs(&mut self, first: Input, screen: &mut Screen) -> io::Result<Option<End>> {
        let mut end = self.input(first, screen)?;
        for _ in 0..BURST {
            if end.is_some() {
                break;
            }
            match self.inputs.try_recv() {
                Ok(input) => end = self.input(input?, screen)?,
                Err(_) => break,
            }
        }
        Ok(end)
    }

    fn input(&mut self, input: Input, screen: &mut Screen) -> io::Result<Option<End>> {
        match input {
            Input::Key(key) => {
                let Some(chord) = keys::chord(&key) else { return Ok(None) };
                if chord == (Chord { key: Key::Char('z'), control: true, alt: false }) {
                    self.suspend(screen)?;
                    return Ok(None);
                }
                self.press(chord)
            }
            Input::Resize(width, height) => {
                self.take(Event::Resized { width, height });
                Ok(None)
            }
            // What is pasted is text: as keys it would run commands.
            Input::Paste(text) if self.app.takes_text() => {
                for c in text.chars().filter(|c| !c.is_control()).take(4096) {
                    if let Some(end) = self.press(Chord::char(c))? {
                        return Ok(Some(end));
                    }
                }
                Ok(None)
            }
            Input::Paste(_) | Input::FocusGained | Input::FocusLost | Input::Mouse(_) => Ok(None),
        }
    }

    fn press(&mut self, chord: Chord) -> io::Result<Option<End>> {
        self.dirty = true;
        for effect in self.app.update(Event::Key { chord, at: Timestamp::now() }) {
            match effect {
                Effect::Quit => return Ok(Some(End::Quit)),
                Effect::Copy(text) => Screen::copy(&text)?,
                Effect::Bell | Effect::Title(_) => self.sounds.push(effect),
                Effect::Write { .. } | Effect::Look { .. } | Effect::RecordRefusal { .. } | Effect::StopJob { .. } => {
                    self.send(effect);
                }
            }
        }
        Ok(None)
    }

    /// Rings and writes the title, between two frames.
    fn sound(&mut self, screen: &mut Screen) -> io::Result<()> {
        for effect in std::mem::take(&mut self.sounds) {
            match effect {
                Effect::Bell => Screen::ring()?,
                Effect::Title(title) => screen.title(title.as_deref())?,
                Effect::Write { .. }
                | Effect::Look { .. }
                | Effect::RecordRefusal { .. }
                | Effect::StopJob { .. }
                | Effect::Copy(_)
                | Effect::Quit => debug_assert!(false, "only keys have such effects"),
            }
        }
        Ok(())
    }

    /// Hands an effect to the writer, and says where there is none that takes it: then nothing happened.
    fn send(&mut self, effect: Effect) {
        let Ok(request) = Request::try_from(effect) else { return };
        let Some(writer) = &self.started.effects else {
            return self.unsent(&request, "there is no writer");
        };
        if let Err(unsent) = writer.ask(request) {
            self.unsent(&unsent, "the writer has ended");
        }
    }

    fn unsent(&mut self, request: &Request, why: &str) {
        match request {
            Request::Write { id, .. } => self.take(not_sent(*id, Timestamp::now(), why)),
            Request::Look { id, .. } => self.take(not_looked(*id, Timestamp::now(), why)),
            Request::RecordRefusal { .. } | Request::StopJob { .. } => {}
        }
    }

    fn publish(&mut self) {
        let demand = self.app.demand();
        self.feeds.demand.send_if_modified(|old| {
            let changed = *old != demand;
            if changed {
                *old = demand;
            }
            changed
        });
    }

    fn draw(&mut self, screen: &mut Screen) -> io::Result<()> {
        let app = &self.app;
        let mut shown = None;
        screen.draw(|frame| shown = view::draw(app, frame))?;
        self.dirty = false;
        self.drawn = Some(Instant::now());
        self.app.update(Event::Drawn { at: Timestamp::now(), shown });
        Ok(())
    }

    fn suspend(&mut self, screen: &mut Screen) -> io::Result<()> {
        suspend(screen)?;
        let (width, height) = crossterm::terminal::size()?;
        self.app.update(Event::Resized { width, height });
        self.dirty = true;
        self.draw(screen)
    }
}

/// Gives the terminal back and stops, until continued.
fn suspend(screen: &mut Screen) -> io::Result<()> {
    screen.leave();
    signals::stop_ourselves();
    // Here we are again: SIGCONT.
    screen.enter()
}

/// Whether a password is wanted, once that is known.
async fn knocked(door: &mut Option<Door>) -> bool {
    match door {
        Some(door) => door.wanted.as_mut().await,
        None => std::future::pending().await,
    }
}

fn event_of(report: Report) -> Event {
    match report {
        Report::Sample(sample) => Event::Sample(sample),
        Report::Link(link) => Event::Link(link),
    }
}

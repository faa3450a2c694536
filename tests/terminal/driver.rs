//! A console in a pseudo-terminal: keys in, a screen out; it must not know what a test wants of it.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use ratatui::buffer::Buffer;
use regex::Regex;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

/// Columns and lines of a wide terminal, an ordinary one, and a very small one.
pub const WIDE: (u16, u16) = (160, 45);
pub const PLAIN: (u16, u16) = (80, 24);
pub const SMALL: (u16, u16) = (40, 10);

/// The key Esc, sent so that it cannot be taken for the begin of another key.
pub const ESC: &str = "\x1b\x1b";

/// How many times as long as a test says is waited before it fails: whatever else the machine does takes its share. What a
/// test claims of speed it measures by itself.
pub const PATIENCE: u64 = 4;

/// For so long a question takes no key, and a little more.
const TOO_EARLY: Duration = Duration::from_millis(350);

/// How a console is to be started.
#[derive(Debug, Default)]
pub struct Start {
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    size: (u16, u16),
}

impl Start {
    pub fn with(arguments: &[&str]) -> Self {
        let arguments = arguments.iter().map(|&a| a.to_owned()).collect();
        Self { arguments, environment: Vec::new(), size: WIDE }
    }

    pub fn size(mut self, size: (u16, u16)) -> Self {
        self.size = size;
        self
    }

    pub fn var(mut self, name: &str, value: &str) -> Self {
        self.environment.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Opens it and goes to Connections, which most of these tests are about. Not where a password will be asked for: the key
    /// might come to be a part of it.
    pub fn open(self) -> Console {
        let mut console = self.open_on_triage();
        let at_tabs = |seen: &Seen| seen.parser.screen().contents().contains("1 Triage").then_some(());
        if console.wait(Duration::from_secs(10 * PATIENCE), at_tabs).is_some() {
            console.keys("2");
        }
        console
    }

    /// Opens it as it opens by itself.
    pub fn open_on_triage(self) -> Console {
        Console::start(&self)
    }
}

/// What came out of the console so far.
struct Seen {
    raw: Vec<u8>,
    parser: vt100::Parser,
    first: Option<Instant>,
    over: bool,
    /// The reader is to let go of the terminal.
    let_go: bool,
}

type Shared = Arc<(Mutex<Seen>, Condvar)>;

/// A running console. Dropping it kills it.
pub struct Console {
    child: Box<dyn Child + Send + Sync>,
    master: Option<Box<dyn MasterPty + Send>>,
    writer: Option<Box<dyn Write + Send>>,
    seen: Shared,
    reader: Option<JoinHandle<()>>,
    home: TempDir,
    plain: String,
    pub began: Instant,
}

impl Console {
    fn start(start: &Start) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        let pair = native_pty_system().openpty(pty_size(start.size)).expect("a pty");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_pgtriage"));
        command.env_clear();
        command.args(&start.arguments);
        command.cwd(home.path());
        for (name, value) in [("TERM", "xterm-256color"), ("LANG", "C.UTF-8"), ("PATH", "/usr/bin:/bin"), ("TZ", "UTC")]
        {
            command.env(name, value);
        }
        command.env("HOME", home.path());
        for (name, folder) in [("XDG_CONFIG_HOME", "config"), ("XDG_STATE_HOME", "state"), ("XDG_DATA_HOME", "data")] {
            command.env(name, home.path().join(folder));
        }
        for (name, value) in &start.environment {
            command.env(name, value);
        }
        let plain = modes(pair.master.as_ref());
        let began = Instant::now();
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let parser = vt100::Parser::new(cells(start.size.1), cells(start.size.0), 0);
        let seen: Shared = Arc::new((
            Mutex::new(Seen { raw: Vec::new(), parser, first: None, over: false, let_go: false }),
            Condvar::new(),
        ));
        let source = pair.master.try_clone_reader().expect("a reader");
        let sink = Arc::clone(&seen);
        let reader = std::thread::spawn(move || drain(source, &sink));
        let writer = pair.master.take_writer().expect("a writer");
        Self { child, master: Some(pair.master), writer: Some(writer), seen, reader: Some(reader), home, plain, began }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Types.
    pub fn keys(&mut self, keys: &str) {
        let writer = self.writer.as_mut().expect("the terminal is open");
        writer.write_all(keys.as_bytes()).and_then(|()| writer.flush()).expect("the terminal takes keys");
    }

    /// Waits until the screen holds what `pattern` finds, and gives it (its first group, where it has one).
    pub fn until(&self, pattern: &str, seconds: u64) -> String {
        self.within(pattern, Duration::from_secs(seconds * PATIENCE))
    }

    /// The same, of a screen that has to come in that time.
    pub fn within(&self, pattern: &str, time: Duration) -> String {
        let regex = Regex::new(pattern).expect(pattern);
        let found = self.wait(time, |seen| {
            let screen = seen.parser.screen().contents();
            let groups = regex.captures(&screen)?;
            groups.get(1).or_else(|| groups.get(0)).map(|m| m.as_str().to_owned())
        });
        found.unwrap_or_else(|| panic!("never seen: {pattern}\n{}", self.screen()))
    }

    /// Waits until the screen no longer holds what `pattern` finds.
    pub fn until_not(&self, pattern: &str, seconds: u64) {
        let regex = Regex::new(pattern).expect(pattern);
        let gone = self.wait(Duration::from_secs(seconds * PATIENCE), |seen| {
            (!regex.is_match(&seen.parser.screen().contents())).then_some(())
        });
        assert!(gone.is_some(), "still there: {pattern}\n{}", self.screen());
    }

    /// Answers the question that is on the screen with yes. It counts no key that comes too early, so it is asked again; not
    /// at once, since a `y` too many copies a row, and says so in place of how the action ended.
    pub fn say_yes(&mut self) {
        self.until("yes, do it", 5);
        std::thread::sleep(TOO_EARLY);
        for _ in 0..10 {
            self.keys("y");
            let gone = self.wait(Duration::from_secs(2), |seen| {
                (!seen.parser.screen().contents().contains("yes, do it")).then_some(())
            });
            if gone.is_some() {
                return;
            }
        }
        panic!("the question stays\n{}", self.screen())
    }

    /// Types the answer to the question that is on the screen, and Enter.
    pub fn type_answer(&mut self, text: &str) {
        self.type_text(text);
        self.keys("\r");
    }

    /// Types the answer to the question that is on the screen. A first key that came too early is typed again, and taken back
    /// before that: it may have been taken, and not drawn yet.
    pub fn type_text(&mut self, text: &str) {
        let (first, rest) = text.split_at(1);
        for attempt in 0..50 {
            self.keys(&if attempt == 0 { first.to_owned() } else { format!("\x7f{first}") });
            let shown = format!("and Enter: {first}_");
            let typed = |seen: &Seen| seen.parser.screen().contents().contains(&shown).then_some(());
            if self.wait(Duration::from_millis(100), typed).is_some() {
                self.keys(rest);
                self.until(&format!("and Enter: {text}_"), 5);
                return;
            }
        }
        panic!("the question takes no answer\n{}", self.screen())
    }

    /// Whether a question comes up within that time.
    pub fn asks_within_ms(&self, patience: u64) -> bool {
        let asked = |seen: &Seen| seen.parser.screen().contents().contains("yes, do it").then_some(());
        self.wait(Duration::from_millis(patience), asked).is_some()
    }

    /// How long it takes from a key to what it shows: the median of `times` openings of the help.
    pub fn key_takes(&mut self, times: usize) -> Duration {
        let mut took: Vec<Duration> = (0..times)
            .map(|_| {
                let pressed = Instant::now();
                self.keys("?");
                self.until("Keys of", 10);
                let took = pressed.elapsed();
                self.keys(ESC);
                self.until_not("Keys of", 10);
                took
            })
            .collect();
        took.sort();
        took[times / 2]
    }

    /// The screen as text.
    pub fn screen(&self) -> String {
        self.seen().parser.screen().contents()
    }

    /// The screen as cells.
    pub fn cells(&self) -> Buffer {
        super::cells::of(self.seen().parser.screen())
    }

    /// Every byte that came out.
    pub fn raw(&self) -> Vec<u8> {
        self.seen().raw.clone()
    }

    /// Waits until a byte comes; how long after the start it did.
    pub fn first_byte(&self) -> Duration {
        let first = self.wait(Duration::from_secs(10 * PATIENCE), |seen| seen.first).expect("a byte");
        first - self.began
    }

    /// Waits until all of `bytes` came out, in one piece.
    pub fn until_bytes(&self, bytes: &[u8], seconds: u64) {
        let came = self.wait(Duration::from_secs(seconds * PATIENCE), |seen| {
            seen.raw.windows(bytes.len()).any(|window| window == bytes).then_some(())
        });
        assert!(came.is_some(), "these bytes never came: {bytes:?}\n{}", self.screen());
    }

    /// Changes the size of the terminal.
    pub fn resize(&self, size: (u16, u16)) {
        self.seen().parser.screen_mut().set_size(cells(size.1), cells(size.0));
        self.master.as_ref().expect("the terminal is open").resize(pty_size(size)).expect("a resize");
    }

    /// Empties the screen on our side only, so that what is seen afterwards was drawn anew.
    pub fn forget_screen(&self) {
        self.seen().parser.process(b"\x1b[2J");
    }

    /// Sends a signal to the process.
    pub fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).expect("the process is there");
    }

    fn pid(&self) -> Pid {
        let pid = self.child.process_id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        pid.expect("a running process")
    }

    /// Waits until the process is stopped (`T`) or whatever else its state is called.
    pub fn until_state(&self, state: char) {
        let path = format!("/proc/{}/stat", self.pid().as_raw_nonzero());
        let deadline = Instant::now() + Duration::from_secs(5 * PATIENCE);
        loop {
            let stat = std::fs::read_to_string(&path).expect("the process is there");
            if stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with(state)) {
                return;
            }
            assert!(Instant::now() < deadline, "{stat}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Hangs the terminal up, as a broken SSH connection does. The reader lets go at the next byte: within a second.
    pub fn hang_up(&mut self) {
        self.seen().let_go = true;
        drop(self.writer.take());
        if let Some(reader) = self.reader.take() {
            reader.join().expect("the reader ends");
        }
        drop(self.master.take());
    }

    /// Waits for the end of the process.
    pub fn ended(&mut self, seconds: u64) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(seconds * PATIENCE);
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                // What it said last is read to the end.
                self.wait(Duration::from_secs(5), |seen| seen.over.then_some(()));
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for the end of a process whose terminal is gone.
    pub fn until_gone(&mut self, seconds: u64) {
        let deadline = Instant::now() + Duration::from_secs(seconds * PATIENCE);
        while self.child.try_wait().expect("a child").is_none() {
            assert!(Instant::now() < deadline, "it outlives its terminal");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// That the terminal is as it was found: cooked, the main screen, a cursor, nothing switched on.
    pub fn assert_restored(&self) {
        // The signal that stops it may be seen before the bytes that it wrote last.
        self.wait(Duration::from_secs(2), |seen| {
            let screen = seen.parser.screen();
            (!screen.alternate_screen() && !screen.hide_cursor()).then_some(())
        });
        assert_eq!(self.modes(), self.plain, "the line discipline");
        let seen = self.seen();
        let screen = seen.parser.screen();
        assert!(!screen.alternate_screen(), "still on the alternate screen");
        assert!(!screen.hide_cursor(), "the cursor is hidden");
        assert!(!screen.bracketed_paste(), "bracketed paste is on");
        assert_eq!(screen.mouse_protocol_mode(), vt100::MouseProtocolMode::None);
        assert!(!screen.application_cursor() && !screen.application_keypad());
        let (enters, leaves) = (count(&seen.raw, b"\x1b[?1049h"), count(&seen.raw, b"\x1b[?1049l"));
        assert!(leaves >= enters, "entered {enters} times, left {leaves} times");
    }

    /// The settings of the line discipline, as text.
    pub fn modes(&self) -> String {
        modes(self.master.as_ref().expect("the terminal is open").as_ref())
    }

    /// Whether it is in raw mode.
    pub fn is_raw(&self) -> bool {
        self.modes() != self.plain
    }

    /// A path under the console's state folder.
    pub fn state(&self, name: &str) -> PathBuf {
        self.home.path().join("state").join("pgtriage").join(name)
    }

    /// Leaves by `q`, and looks at what is left.
    pub fn leave(mut self) {
        self.keys("q");
        let status = self.ended(10);
        assert!(status.success(), "{status:?}");
        self.assert_restored();
    }

    fn wait<T>(&self, patience: Duration, mut look: impl FnMut(&Seen) -> Option<T>) -> Option<T> {
        let deadline = Instant::now() + patience;
        let mut seen = self.seen();
        loop {
            if let Some(found) = look(&seen) {
                return Some(found);
            }
            let left = deadline.checked_duration_since(Instant::now())?;
            if seen.over {
                return None;
            }
            seen = self.seen.1.wait_timeout(seen, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        let _already = self.child.kill();
        let _status = self.child.wait();
        if let Some(reader) = self.reader.take() {
            let _ended = reader.join();
        }
    }
}

fn drain(mut source: Box<dyn Read + Send>, sink: &Shared) {
    let mut buffer = [0; 16 * 1024];
    loop {
        let length = source.read(&mut buffer).unwrap_or(0);
        let mut seen = sink.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bytes) = buffer.get(..length).filter(|bytes| !bytes.is_empty()) {
            seen.first.get_or_insert_with(Instant::now);
            seen.raw.extend_from_slice(bytes);
            seen.parser.process(bytes);
        } else {
            seen.over = true;
        }
        sink.1.notify_all();
        if seen.over || seen.let_go {
            return;
        }
    }
}

fn modes(master: &dyn MasterPty) -> String {
    format!("{:?}", master.get_termios().expect("a terminal"))
}

fn pty_size((cols, rows): (u16, u16)) -> PtySize {
    PtySize { rows, cols, pixel_width: 0, pixel_height: 0 }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has cells")
}

fn count(raw: &[u8], what: &[u8]) -> usize {
    raw.windows(what.len()).filter(|window| *window == what).count()
}

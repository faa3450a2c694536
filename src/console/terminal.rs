//! The terminal: taken over, written, given back — whatever happens.

use std::io::{self, Stdout, Write};
use std::panic;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crossterm::cursor::Show;
use crossterm::event::{DisableBracketedPaste, EnableBracketedPaste};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use ratatui::backend::CrosstermBackend;
use ratatui::{Frame, Terminal};

/// The most that is put on a clipboard: xterm and others drop a longer sequence whole.
const MOST_COPIED: usize = 74_000;

/// The screen while it is ours.
pub struct Screen {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    ours: bool,
    /// The title that we wrote, over the one that the terminal was told to keep.
    title: Option<String>,
}

impl Screen {
    /// Takes the terminal over; from now on a panic gives it back before it speaks.
    ///
    /// # Errors
    /// It is no terminal, or does not do what is asked.
    pub fn open() -> io::Result<Self> {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            give_back();
            before(info);
        }));
        let mut screen =
            Self { terminal: Terminal::new(CrosstermBackend::new(io::stdout()))?, ours: false, title: None };
        screen.enter()?;
        Ok(screen)
    }

    /// Takes the terminal over (again).
    ///
    /// # Errors
    /// It does not do what is asked.
    pub fn enter(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        self.ours = true;
        execute!(io::stdout(), EnterAlternateScreen, EnableBracketedPaste)?;
        // Not `clear`: that asks the terminal where the cursor is and waits for the answer, two seconds at most, and a
        // link may be slower. This too empties the screen and draws all of it next time.
        let size = self.terminal.size()?;
        self.terminal.resize(size.into())
    }

    /// Gives the terminal back for a while.
    pub fn leave(&mut self) {
        self.ours = false;
        if self.title.take().is_some() {
            // The terminal may be gone.
            let _ = write_out(RESTORE_TITLE);
        }
        give_back();
    }

    /// Gives the terminal back.
    pub fn close(mut self) {
        self.leave();
    }

    /// Draws one frame.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn draw(&mut self, with: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        self.terminal.draw(with).map(|_| ())
    }

    /// Rings the bell.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn ring() -> io::Result<()> {
        write_out("\x07")
    }

    /// Writes the title, or gives the terminal its own back.
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn title(&mut self, title: Option<&str>) -> io::Result<()> {
        match title {
            Some(title) => {
                if self.title.replace(title.to_owned()).is_none() {
                    write_out(KEEP_TITLE)?;
                }
                write_out(&format!("\x1b]2;{title}\x07"))
            }
            None if self.title.take().is_some() => write_out(RESTORE_TITLE),
            None => Ok(()),
        }
    }

    /// Puts a text on the clipboard of the terminal, wherever that runs (OSC 52).
    ///
    /// # Errors
    /// The terminal is gone.
    pub fn copy(text: &str) -> io::Result<()> {
        let end = (0..=text.len().min(MOST_COPIED)).rev().find(|i| text.is_char_boundary(*i)).unwrap_or(0);
        let encoded = STANDARD.encode(text.get(..end).unwrap_or(text));
        let mut out = io::stdout();
        write!(out, "\x1b]52;c;{encoded}\x07")?;
        out.flush()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        if self.ours {
            self.leave();
        }
    }
}

/// Asks the terminal to keep its title, on the stack that xterm brought and others took over.
const KEEP_TITLE: &str = "\x1b[22;2t";

/// An empty title, for terminals without the stack, and then what was kept.
const RESTORE_TITLE: &str = "\x1b]2;\x07\x1b[23;2t";

fn write_out(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    out.write_all(text.as_bytes())?;
    out.flush()
}

/// Undoes all that was done to the terminal. What fails is not told: there is nobody left to tell.
fn give_back() {
    let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

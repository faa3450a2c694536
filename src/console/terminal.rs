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
        let mut screen = Self { terminal: Terminal::new(CrosstermBackend::new(io::stdout()))?, ours: false };
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
            give_back();
        }
    }
}

/// Undoes all that was done to the terminal. What fails is not told: there is nobody left to tell.
fn give_back() {
    let _ = execute!(io::stdout(), DisableBracketedPaste, LeaveAlternateScreen, Show);
    let _ = disable_raw_mode();
}

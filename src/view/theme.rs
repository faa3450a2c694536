//! How loud things look: tones as styles, and the marks that say the same without colour.

use ratatui::style::{Color, Modifier, Style};

use crate::app::Display;
use crate::model::Tone;
use crate::model::text::visible;

/// What the terminal can show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Theme {
    colour: bool,
    ascii: bool,
}

impl Theme {
    /// As it was asked for.
    #[must_use]
    pub fn of(display: Display) -> Self {
        Self { colour: display.colour, ascii: display.ascii }
    }

    /// The style of a tone. The sixteen colours only: every terminal has them, in the user's own shades.
    #[must_use]
    pub fn style(self, tone: Tone) -> Style {
        let plain = Style::new();
        if !self.colour {
            return match tone {
                Tone::Critical => plain.add_modifier(Modifier::BOLD | Modifier::UNDERLINED),
                Tone::Warning => plain.add_modifier(Modifier::BOLD),
                Tone::Faint => plain.add_modifier(Modifier::DIM),
                Tone::Plain | Tone::Good | Tone::Notice => plain,
            };
        }
        match tone {
            Tone::Plain => plain,
            Tone::Faint => plain.fg(Color::DarkGray),
            Tone::Good => plain.fg(Color::Green),
            Tone::Notice => plain.fg(Color::Cyan),
            Tone::Warning => plain.fg(Color::Yellow),
            Tone::Critical => plain.fg(Color::Red).add_modifier(Modifier::BOLD),
        }
    }

    /// The style of the row under the cursor.
    #[must_use]
    pub fn selected(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The style of titles.
    #[must_use]
    pub fn title(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// The style of keys in the footer and the help.
    #[must_use]
    pub fn key(self) -> Style {
        if self.colour { Style::new().fg(Color::Cyan) } else { Style::new().add_modifier(Modifier::BOLD) }
    }

    /// What stands in the last cell of a text that was cut.
    #[must_use]
    pub fn cut(self) -> &'static str {
        if self.ascii { "~" } else { "…" }
    }

    /// True where only ASCII may be drawn.
    #[must_use]
    pub fn is_ascii(self) -> bool {
        self.ascii
    }

    /// True where colour may be used.
    #[must_use]
    pub fn has_colour(self) -> bool {
        self.colour
    }

    /// The mark of a tone, where there is one: what colour says must be there without it.
    #[must_use]
    pub fn mark(self, tone: Tone) -> &'static str {
        match tone {
            Tone::Critical if self.ascii => "!!",
            Tone::Critical => "‼",
            Tone::Warning => "!",
            Tone::Notice if self.ascii => ".",
            Tone::Notice => "·",
            Tone::Good | Tone::Plain | Tone::Faint => "",
        }
    }

    /// `text` in what the terminal can show: our own signs in ASCII where it was asked for, a server's other scripts as
    /// question marks; what a terminal would obey, whoever let it through, as a visible escape.
    #[must_use]
    pub fn plain(self, text: &str) -> String {
        let text = visible(text);
        if !self.ascii || text.is_ascii() {
            return text.into_owned();
        }
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            match c {
                '‼' => out.push_str("!!"),
                '→' | '▸' => out.push_str("->"),
                '…' => out.push_str(".."),
                '≥' => out.push_str(">="),
                '≤' => out.push_str("<="),
                '×' => out.push('x'),
                '·' | '•' | '−' | '─' => out.push('-'),
                'µ' => out.push('u'),
                '◐' => out.push('o'),
                '●' | '⏸' | '✗' | '✓' => out.push('*'),
                '⏎' => out.push_str("Enter"),
                '←' => out.push_str("<-"),
                '│' | '├' => out.push('|'),
                '└' => out.push('`'),
                '█' => out.push('#'),
                '░' => out.push('.'),
                '↑' => out.push('^'),
                '↓' => out.push('v'),
                c if c.is_ascii() => out.push(c),
                _ => out.push('?'),
            }
        }
        out
    }
}

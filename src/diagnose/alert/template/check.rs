//! Whether Prometheus takes a template: the faults for which Go's `text/template` refuses a text, in Go's words.
//!
//! It renders nothing, and what cannot be rendered here is no fault. Where versions differ the kindest counts: a function
//! of a newer one, or a line break inside an action, is none either.

mod token;

use crate::keymap::source::did_you_mean;
use token::{Token, tokens};

/// Prometheus' own functions, as of 3.x, then Go's.
const FUNCTIONS: [&str; 48] = [
    "query",
    "first",
    "label",
    "value",
    "strvalue",
    "args",
    "reReplaceAll",
    "safeHtml",
    "match",
    "title",
    "toUpper",
    "toLower",
    "graphLink",
    "tableLink",
    "sortByLabel",
    "stripPort",
    "stripDomain",
    "humanize",
    "humanize1024",
    "humanizeDuration",
    "humanizePercentage",
    "humanizeTimestamp",
    "toTime",
    "toDuration",
    "now",
    "pathPrefix",
    "externalURL",
    "parseDuration",
    "urlQueryEscape",
    "and",
    "call",
    "eq",
    "ge",
    "gt",
    "html",
    "index",
    "js",
    "le",
    "len",
    "lt",
    "ne",
    "not",
    "or",
    "print",
    "printf",
    "println",
    "slice",
    "urlquery",
];

/// What Prometheus declares before each template.
const VARIABLES: [&str; 5] = ["$", "$labels", "$externalLabels", "$externalURL", "$value"];

/// Words that are no functions.
const KEYWORDS: [&str; 10] = ["if", "else", "end", "range", "with", "define", "block", "template", "break", "continue"];

/// What Prometheus refuses in a template; none where it takes it.
pub(super) fn fault(template: &str) -> Option<String> {
    let mut check = Check { variables: VARIABLES.to_vec(), blocks: Vec::new() };
    check.whole(template).err()
}

/// What waits for its `{{ end }}`.
struct Block<'a> {
    word: &'a str,
    /// True behind its last `{{ else }}`.
    last: bool,
    /// The variables that are known again behind it.
    outer: Vec<&'a str>,
}

struct Check<'a> {
    variables: Vec<&'a str>,
    blocks: Vec<Block<'a>>,
}

impl<'a> Check<'a> {
    fn whole(&mut self, template: &'a str) -> Result<(), String> {
        let mut rest = template;
        while let Some((_, after)) = rest.split_once("{{") {
            if let Some(behind) = comment(after)? {
                rest = behind;
                continue;
            }
            let (action, behind) = tokens(inside(after))?;
            self.action(&action)?;
            rest = behind;
        }
        match self.blocks.last() {
            Some(block) => Err(format!("unexpected EOF: {{{{{}}}}} has no {{{{end}}}}", block.word)),
            None => Ok(()),
        }
    }

    fn action(&mut self, action: &[Token<'a>]) -> Result<(), String> {
        let Some((Token::Word(word), rest)) = action.split_first() else { return self.pipeline(action, "command") };
        let word: &'a str = word;
        match word {
            "if" | "with" | "range" => {
                self.open(word);
                self.pipeline(rest, word)
            }
            "else" => {
                let Some(block) = self.blocks.last_mut().filter(|b| !b.last && is_control(b.word)) else {
                    return Err("unexpected {{else}}".to_owned());
                };
                match rest.split_first() {
                    None => {
                        block.last = true;
                        Ok(())
                    }
                    Some((Token::Word(word @ ("if" | "with")), rest)) => self.pipeline(rest, word),
                    Some(_) => Err("unexpected words in {{else}}".to_owned()),
                }
            }
            "end" => match self.blocks.pop() {
                Some(block) if rest.is_empty() => {
                    self.variables = block.outer;
                    Ok(())
                }
                Some(_) => Err("unexpected words in {{end}}".to_owned()),
                None => Err("unexpected {{end}}".to_owned()),
            },
            "define" if self.blocks.is_empty() => {
                self.open(word);
                self.variables = vec!["$"];
                Ok(())
            }
            "block" => {
                self.pipeline(rest.get(1..).unwrap_or_default(), "block clause")?;
                self.open(word);
                self.variables = vec!["$"];
                Ok(())
            }
            "template" if rest.len() < 2 => Ok(()),
            "template" => self.pipeline(rest.get(1..).unwrap_or_default(), word),
            "break" | "continue" => {
                let inside = self.blocks.iter().rev().take_while(|b| is_control(b.word)).any(|b| b.word == "range");
                if inside { Ok(()) } else { Err(format!("{{{{{word}}}}} outside {{{{range}}}}")) }
            }
            _ => self.pipeline(action, "command"),
        }
    }

    fn open(&mut self, word: &'a str) {
        self.blocks.push(Block { word, last: false, outer: self.variables.clone() });
    }

    /// What stands behind the variables that are declared, or set, at its beginning.
    fn declaring<'t>(&mut self, tokens: &'t [Token<'a>], range: bool) -> &'t [Token<'a>] {
        match tokens {
            [Token::Variable(one), Token::Comma, Token::Variable(two), Token::Assign, rest @ ..] if range => {
                self.variables.extend([*one, *two]);
                rest
            }
            [Token::Variable(one), Token::Assign, rest @ ..] => {
                self.variables.push(*one);
                rest
            }
            _ => tokens,
        }
    }

    /// Commands between pipes; `of` needs it.
    fn pipeline(&mut self, tokens: &[Token<'a>], of: &str) -> Result<(), String> {
        let mut rest = self.declaring(tokens, of == "range");
        // How many words the command at hand has, and whether something is piped into it: for each parenthesis.
        let mut open = vec![(0_usize, false)];
        while let Some((token, behind)) = rest.split_first() {
            rest = behind;
            let Some((words, piped)) = open.last_mut() else { break };
            match *token {
                Token::Pipe if *words == 0 => return Err("missing value for command".to_owned()),
                Token::Pipe => (*words, *piped) = (0, true),
                Token::Open => {
                    *words += 1;
                    open.push((0, false));
                    rest = self.declaring(rest, false);
                }
                Token::Close if *words == 0 && !*piped => {
                    return Err("missing value for parenthesized pipeline".to_owned());
                }
                Token::Close => {
                    open.pop();
                }
                Token::Comma => return Err("unexpected \",\" in operand".to_owned()),
                Token::Assign => return Err("unexpected \":=\" in operand".to_owned()),
                Token::Literal | Token::Word("true" | "false" | "nil") if *words == 0 && *piped => {
                    return Err("non executable command in pipeline".to_owned());
                }
                Token::Literal | Token::Field | Token::Word("true" | "false" | "nil") => *words += 1,
                Token::Variable(name) if self.variables.contains(&name) => *words += 1,
                Token::Variable(name) => return Err(format!("undefined variable \"{name}\"")),
                Token::Word(name) if FUNCTIONS.contains(&name) => *words += 1,
                Token::Word(name) if KEYWORDS.contains(&name) => return Err(format!("unexpected <{name}> in operand")),
                Token::Word(name) => {
                    let meant = did_you_mean(name, FUNCTIONS.into_iter());
                    return Err(format!("function \"{name}\" not defined{meant}"));
                }
            }
        }
        match open.last() {
            // A pipe at the end leads nowhere, and is taken.
            Some((0, false)) => Err(format!("missing value for {of}")),
            Some(_) | None => Ok(()),
        }
    }
}

/// True for what may have an `{{ else }}`.
fn is_control(word: &str) -> bool {
    matches!(word, "if" | "with" | "range")
}

/// An action without the sign that eats the white space before it.
fn inside(action: &str) -> &str {
    let trimmed = action.strip_prefix('-').filter(|inner| inner.starts_with(token::is_space));
    trimmed.unwrap_or(action)
}

/// What stands behind a comment; none where there is none.
fn comment(action: &str) -> Result<Option<&str>, String> {
    let text = inside(action);
    // Behind the sign there is one blank, and behind that one the comment begins at once.
    let text = if text.len() < action.len() { text.get(1..).unwrap_or_default() } else { text };
    let Some(text) = text.strip_prefix("/*") else { return Ok(None) };
    let (_, behind) = text.split_once("*/").ok_or("unclosed comment")?;
    let ends = behind.strip_prefix("}}").or_else(|| behind.strip_prefix(token::is_space)?.strip_prefix("-}}"));
    ends.map(Some).ok_or_else(|| "comment ends before closing delimiter".to_owned())
}

#[cfg(test)]
#[path = "check/tests.rs"]
mod tests;

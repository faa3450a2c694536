//! PromQL as far as the console must understand it: whether an expression parses, and whether its root compares with a
//! number.
//!
//! It evaluates nothing, and it changes no expression: what is sent to Prometheus is cut out of the text, never written
//! anew from a tree. The last word is the server's; an expression of a newer PromQL than ours is a doubt, not a fault.

use promql_parser::parser::token::{T_EQLC, T_GTE, T_GTR, T_LSS, T_LTE, T_NEQ};
use promql_parser::parser::{BinaryExpr, Expr, parse, token};

use crate::model::alert::{Comparison, Number, Watched};

/// Longer words of the parser hold the whole grammar.
const MOST_WORDS: usize = 200;

/// Reads an expression; the left side of its root where that compares with a number.
///
/// # Errors
/// The parser's words.
pub fn read(expr: &str) -> Result<Option<Watched>, String> {
    match parse(expr) {
        Ok(tree) => Ok(watched(expr, &tree)),
        Err(words) => Err(words.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(MOST_WORDS).collect()),
    }
}

fn watched(text: &str, tree: &Expr) -> Option<Watched> {
    let Expr::Binary(BinaryExpr { op, lhs, rhs, modifier }) = tree else { return None };
    let comparison = comparison(op.id())?;
    if modifier.as_ref().is_some_and(|m| m.return_bool) || scalar(lhs).is_some() {
        return None;
    }
    let limit = scalar(rhs)?;
    let expr = left_of(text)?;
    // The cut must be what the parser saw on the left; else the whole expression is asked.
    let same = parse(expr).is_ok_and(|cut| cut == **lhs);
    same.then(|| Watched { expr: expr.to_owned(), comparison, limit: Number(limit) })
}

fn comparison(op: token::TokenId) -> Option<Comparison> {
    match op {
        T_GTR => Some(Comparison::Above),
        T_GTE => Some(Comparison::AtLeast),
        T_LSS => Some(Comparison::Below),
        T_LTE => Some(Comparison::AtMost),
        T_EQLC => Some(Comparison::Equal),
        T_NEQ => Some(Comparison::NotEqual),
        _ => None,
    }
}

/// The value of an expression of numbers only, such as `100 * 1024 * 1024`.
fn scalar(expr: &Expr) -> Option<f64> {
    match expr {
        Expr::NumberLiteral(number) => Some(number.val),
        Expr::Paren(inner) => scalar(&inner.expr),
        Expr::Unary(inner) => scalar(&inner.expr).map(|v| -v),
        Expr::Binary(BinaryExpr { op, lhs, rhs, .. }) => {
            let (a, b) = (scalar(lhs)?, scalar(rhs)?);
            match op.id() {
                token::T_ADD => Some(a + b),
                token::T_SUB => Some(a - b),
                token::T_MUL => Some(a * b),
                token::T_DIV => Some(a / b),
                _ => None,
            }
        }
        Expr::Aggregate(_)
        | Expr::Subquery(_)
        | Expr::StringLiteral(_)
        | Expr::VectorSelector(_)
        | Expr::MatrixSelector(_)
        | Expr::Call(_)
        | Expr::Extension(_) => None,
    }
}

/// What stands left of the one comparison that is in no parenthesis; none where there is not exactly one.
fn left_of(text: &str) -> Option<&str> {
    let (mut depth, mut found) = (0usize, None);
    let mut quote: Option<u8> = None;
    let mut escaped = false;
    let mut comment = false;
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at).copied() {
        let next = bytes.get(at + 1).copied();
        if comment {
            comment = byte != b'\n';
        } else if let Some(open) = quote {
            if escaped {
                escaped = false;
            } else if byte == b'\\' && open != b'`' {
                escaped = true;
            } else if byte == open {
                quote = None;
            }
        } else {
            match byte {
                b'#' => comment = true,
                b'"' | b'\'' | b'`' => quote = Some(byte),
                b'(' | b'[' | b'{' => depth += 1,
                b')' | b']' | b'}' => depth = depth.checked_sub(1)?,
                b'<' | b'>' | b'=' | b'!' if depth == 0 => {
                    if found.replace(at).is_some() {
                        return None;
                    }
                    if next == Some(b'=') {
                        at += 1;
                    }
                }
                _ => {}
            }
        }
        at += 1;
    }
    text.get(..found?).map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(expr: &str) -> Option<(String, &'static str, f64)> {
        read(expr).unwrap().map(|w| (w.expr, w.comparison.sign(), w.limit.0))
    }

    #[test]
    fn a_comparison_with_a_number_is_cut_at_its_sign() {
        for (expr, left, sign, limit) in [
            ("up == 0", "up", "==", 0.0),
            ("sum(rate(a[5m])) / sum(rate(b[5m])) > 0.05", "sum(rate(a[5m])) / sum(rate(b[5m]))", ">", 0.05),
            ("delta(m[1h]) > 100 * 1024 * 1024", "delta(m[1h])", ">", 104_857_600.0),
            ("a{x=\"<\",y!~'>='} <= -(1 + 1)", "a{x=\"<\",y!~'>='}", "<=", -2.0),
            ("a{b=`x>`} # > 3\n != 2 # == 4", "a{b=`x>`} # > 3", "!=", 2.0),
            ("(a > 1) >= 2", "(a > 1)", ">=", 2.0),
            ("rate(a[5m] offset 1h) < Inf", "rate(a[5m] offset 1h)", "<", f64::INFINITY),
        ] {
            assert_eq!(cut(expr), Some((left.to_owned(), sign, limit)), "{expr}");
        }
    }

    #[test]
    fn what_is_no_such_comparison_is_asked_whole() {
        for expr in [
            "absent(up)",
            "a > b",
            "a > bool 2",
            "2 < a",
            "a > 1 > 2",
            "a > 1 and b > 2",
            "a > 1 or vector(1)",
            "1 > 2",
            "a > 2 ^ 3",
            "a + 1",
        ] {
            assert_eq!(read(expr).ok().flatten(), None, "{expr}");
        }
    }

    #[test]
    fn what_does_not_parse_is_told_in_one_line() {
        for expr in ["sum(", "rate(a)", "a >", "foo bar", "sum by (le", "{}"] {
            let words = read(expr).unwrap_err();
            assert!(!words.is_empty() && !words.contains('\n'), "{expr}: {words}");
        }
    }
}

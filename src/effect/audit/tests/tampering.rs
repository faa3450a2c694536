//! What the chain tells: each way to change a file, with the line where it shows; and what it cannot tell.

use super::super::read::{Break, Chain, Why, walk};
use super::*;

/// A folder with a log of this many lines, written as they are in earnest.
async fn log(lines: usize) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("audit.jsonl");
    extend(&path, lines).await;
    (folder, path)
}

async fn extend(path: &Path, lines: usize) {
    for line in 0..lines {
        let audit = audit(path);
        audit.append(&outcome(&audit, &format!("SELECT {line}"))).await.unwrap();
    }
}

fn chain(path: &Path) -> Chain {
    walk(path, |_, _| {}).unwrap()
}

/// What the chain tells after the lines were changed.
fn after(path: &Path, change: impl FnOnce(&mut Vec<String>)) -> Chain {
    let mut lines: Vec<String> = std::fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
    change(&mut lines);
    std::fs::write(path, lines.join("\n") + "\n").unwrap();
    chain(path)
}

fn broken(line: u64, why: Why) -> Break {
    Break { line, why }
}

/// The line without its hash.
fn unhashed(line: &str) -> String {
    let (_, fields) = line.split_once("\",").unwrap();
    format!("{{{fields}")
}

#[tokio::test]
async fn a_log_that_nobody_touched_is_whole_and_the_walk_gives_its_entries() {
    let (_folder, path) = log(5).await;
    let mut numbers = Vec::new();
    let told = walk(&path, |number, entry| numbers.push((number, entry.id))).unwrap();
    assert_eq!(numbers, (1..=5).map(|n| (n, "42-1".to_owned())).collect::<Vec<_>>());
    let text = std::fs::read_to_string(&path).unwrap();
    let last = chain::hash(text.lines().last().unwrap().as_bytes());
    assert_eq!(told, Chain { lines: 5, last: Some(last), ..Chain::default() });
    assert!(text.starts_with("{\"previous\":\"first\",\"v\":1,"), "{text}");
}

#[test]
fn the_hash_is_the_one_that_sha256sum_prints() {
    assert_eq!(chain::hash(b"abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

#[tokio::test]
async fn any_changed_byte_shows_on_the_line_after_it() {
    let (_folder, path) = log(3).await;
    let whole = std::fs::read(&path).unwrap();
    let second = whole.iter().position(|b| *b == b'\n').unwrap() + 1;
    let length = whole[second..].iter().position(|b| *b == b'\n').unwrap();
    for at in (second..second + length).step_by(7) {
        let mut changed = whole.clone();
        changed[at] ^= 1;
        std::fs::write(&path, &changed).unwrap();
        let at_own_line = at < second + 90;
        let line = chain(&path).broken.unwrap().line;
        assert!(line == 3 || (at_own_line && line == 2), "byte {at}: line {line}");
    }
}

#[tokio::test]
async fn a_removed_line_shows_on_the_one_that_followed_it() {
    let (_folder, path) = log(5).await;
    assert_eq!(after(&path, |lines| drop(lines.remove(2))).broken, Some(broken(3, Why::Missing)));
    let (_folder, path) = log(5).await;
    assert_eq!(after(&path, |lines| drop(lines.remove(0))).broken, Some(broken(1, Why::Headless)));
}

#[tokio::test]
async fn an_inserted_line_shows_whatever_it_claims_to_follow() {
    let (_folder, path) = log(5).await;
    assert_eq!(after(&path, |l| l.insert(3, l[1].clone())).broken, Some(broken(4, Why::Elsewhere(1))));
    let (_folder, path) = log(5).await;
    assert_eq!(after(&path, |l| l.insert(3, unhashed(&l[1]))).broken, Some(broken(4, Why::Unhashed)));
    // One that carries the right hash is told by the line that was written after the same one.
    let (_folder, path) = log(5).await;
    let forged = after(&path, |l| l.insert(3, l[3].replace("SELECT 3", "SELECT 9")));
    assert_eq!(forged.broken, Some(broken(5, Why::Elsewhere(3))));
    let (_folder, path) = log(5).await;
    assert_eq!(after(&path, |l| l.insert(3, l[0].clone())).broken, Some(broken(4, Why::Restarted)));
    let (_folder, path) = log(5).await;
    let junk = after(&path, |l| l.insert(3, "junk".to_owned()));
    assert_eq!((junk.broken, junk.unreadable), (Some(broken(4, Why::Foreign)), vec![4]));
}

#[tokio::test]
async fn swapped_lines_show_with_where_the_line_before_has_gone() {
    let (_folder, path) = log(5).await;
    assert_eq!(after(&path, |lines| lines.swap(2, 3)).broken, Some(broken(3, Why::Elsewhere(4))));
}

#[tokio::test]
async fn a_cut_end_does_not_show_but_the_hash_of_the_last_line_is_another_one() {
    let (_folder, path) = log(5).await;
    let before = chain(&path).last;
    let cut = after(&path, |lines| lines.truncate(3));
    assert_eq!((cut.lines, cut.broken), (3, None));
    assert_ne!(cut.last, before);
}

#[tokio::test]
async fn a_torn_end_stays_is_told_and_the_chain_goes_on_from_it() {
    for kept in [1, 20, 85, 300] {
        let (_folder, path) = log(3).await;
        let whole = std::fs::read(&path).unwrap();
        let third = whole.split_inclusive(|b| *b == b'\n').take(2).map(<[u8]>::len).sum::<usize>();
        std::fs::write(&path, &whole[..third + kept]).unwrap();
        let torn = chain(&path);
        assert_eq!((torn.lines, torn.broken, torn.unreadable), (3, None, vec![3]), "{kept}");
        extend(&path, 2).await;
        let went_on = chain(&path);
        assert_eq!((went_on.lines, went_on.broken, went_on.unreadable), (5, None, vec![3]), "{kept}");
        // What is left of it is part of the chain: it cannot be changed either.
        let changed = if kept == 1 { broken(3, Why::Foreign) } else { broken(4, Why::Missing) };
        assert_eq!(after(&path, |lines| lines[2].push('x')).broken, Some(changed), "{kept}");
    }
}

#[tokio::test]
async fn a_line_torn_after_its_hash_still_tells_of_a_change_before_it() {
    let (_folder, path) = log(3).await;
    let changed = after(&path, |lines| {
        lines[2].truncate(120);
        lines[1] = lines[1].replace("SELECT 1", "SELECT 7");
    });
    assert_eq!((changed.broken, changed.unreadable), (Some(broken(3, Why::Missing)), vec![3]));
}

#[tokio::test]
async fn lines_without_a_hash_are_read_and_are_no_chain() {
    let (_folder, path) = log(3).await;
    let without = after(&path, |lines| lines.iter_mut().for_each(|line| *line = unhashed(line)));
    assert_eq!((without.lines, without.broken, without.unreadable), (3, Some(broken(1, Why::Unhashed)), vec![]));
    assert_eq!(read(&path).len(), 3);
    extend(&path, 2).await;
    assert_eq!(chain(&path).broken, Some(broken(1, Why::Unhashed)), "nor do they become one");
}

#[tokio::test]
async fn a_line_longer_than_the_first_look_at_the_end_is_hashed_as_a_whole() {
    let (_folder, path) = log(1).await;
    let audit = audit(&path);
    for _ in 0..2 {
        audit.append(&outcome(&audit, &"\u{1f418}".repeat(9000))).await.unwrap();
    }
    let longest = std::fs::read_to_string(&path).unwrap().lines().map(str::len).max();
    assert!(longest > Some(96_000), "{longest:?}");
    assert_eq!(chain(&path).broken, None);
}

#[tokio::test]
async fn a_file_that_ends_in_no_line_of_ours_is_not_written_to() {
    let (_folder, path) = log(0).await;
    std::fs::write(&path, vec![b'x'; (17 << 20) + 1]).unwrap();
    let audit = audit(&path);
    let error = audit.append(&outcome(&audit, "q")).await.unwrap_err().to_string();
    assert!(error.contains("last line is longer"), "{error}");
    assert_eq!(std::fs::metadata(&path).unwrap().len(), (17 << 20) + 1);
    assert!(matches!(walk(&path, |_, _| {}), Err(AuditError::Long(_))));
}

#[tokio::test]
async fn reading_needs_a_file_and_does_not_keep_its_lock() {
    let (folder, path) = log(1).await;
    assert!(matches!(walk(folder.path(), |_, _| {}), Err(AuditError::NotAFile(_))));
    assert!(matches!(walk(&folder.path().join("none"), |_, _| {}), Err(AuditError::File { .. })));
    let audit = audit(&path);
    let seen = walk(&path, |_, _| File::open(&path).unwrap().try_lock().unwrap()).unwrap();
    audit.append(&outcome(&audit, "q")).await.unwrap();
    assert_eq!((seen.lines, chain(&path).lines), (1, 2));
}

//! Every text that the writer sends on its own account: they stand in `pg_stat_statements` as statements of our role.
//!
//! Nothing is sent from here.

macro_rules! texts {
    ($($name:literal,)*) => {
        /// The files in `sql/`, whole: with their comments, tags and `{table}`. The statement that an action is for, such as a
        /// `VACUUM`, is none of them: the server writes it, and so may anybody.
        pub const TEXTS: &[&str] = &[$(include_str!(concat!("sql/", $name, ".sql")),)*];
        #[cfg(test)]
        const NAMES: &[&str] = &[$($name,)*];
    };
}

texts! {
    "cancel",
    "cancel_many",
    "expire",
    "expire_check",
    "expire_left",
    "files_after",
    "holders",
    "look",
    "look_first",
    "look_many",
    "maintain_database",
    "maintain_dead",
    "maintain_index",
    "maintain_remains",
    "maintain_rights",
    "maintain_rights_all",
    "maintain_skipped",
    "maintain_table",
    "present",
    "reload",
    "setting",
    "setting_after",
    "setting_rights",
    "signal_rights",
    "terminate",
    "terminate_many",
    "warm",
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_is_forgotten() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/effect/sql");
        let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
        let mut names: Vec<String> = files.map(|f| f.file_stem().unwrap().to_string_lossy().into_owned()).collect();
        names.sort();
        assert_eq!(names, NAMES);
        assert_eq!(TEXTS.len(), NAMES.len());
    }
}

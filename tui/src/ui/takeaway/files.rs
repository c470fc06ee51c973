//! Where things that are taken away go: new files in the working directory, readable by their owner only. Nothing is ever
//! overwritten.

use std::env;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// How many names are tried.
const NAMES: u32 = 1_000;

/// Makes a file that was not there: `STEM.ENDING`, or `STEM-2.ENDING` and so on; in the working directory, or where that
/// cannot be written in the one for temporary files.
///
/// # Errors
/// Neither can be written, or all names are taken.
pub(crate) fn create(stem: &str, ending: &str) -> io::Result<(File, PathBuf)> {
    create_in(&env::current_dir()?, stem, ending).or_else(|_| create_in(&env::temp_dir(), stem, ending))
}

fn create_in(folder: &Path, stem: &str, ending: &str) -> io::Result<(File, PathBuf)> {
    for n in 1..=NAMES {
        let number = if n > 1 { format!("-{n}") } else { String::new() };
        let path = folder.join(format!("{stem}{number}.{ending}"));
        match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => return Ok((file, path)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "all names are taken"))
}

/// Writes a file that was not there, and says where it is.
///
/// # Errors
/// As [`create`], or it cannot be written.
pub(crate) fn save(stem: &str, ending: &str, text: &str) -> io::Result<PathBuf> {
    let (mut file, path) = create(stem, ending)?;
    file.write_all(text.as_bytes())?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn nothing_is_overwritten_and_nobody_else_may_read() {
        let folder = env::temp_dir().join(format!("lanner-takeaway-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let names: Vec<String> = (0..3)
            .map(|_| {
                let (_, path) = create_in(&folder, "lanner-inc-1", "html").unwrap();
                assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
                path.file_name().unwrap().to_string_lossy().into_owned()
            })
            .collect();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(names, ["lanner-inc-1.html", "lanner-inc-1-2.html", "lanner-inc-1-3.html"]);
    }
}

//! `lanner --print-config`: the settings in force.

use std::io::{self, Write};
use std::path::Path;

use super::Status;
use super::args::LookArgs;
use crate::settings::Settings;

pub(super) fn run(file: Option<&Path>) -> anyhow::Result<Status> {
    let settings = Settings::load(file)?;
    let look = settings.look(&LookArgs::default(), |name| std::env::var(name).ok())?;
    io::stdout().lock().write_all(settings.print(look, &settings.keymap()?).as_bytes())?;
    Ok(Status::Fine)
}

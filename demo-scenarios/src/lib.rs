//! The built-in scenarios: recordings of attacks that were performed for real, by the script in the folder of the same name
//! beside this crate's sources.

/// A recorded attack.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    /// What it is called on the command line, and its folder: lower-case words joined by hyphens.
    pub name: &'static str,
    /// What it is called to people: a line without a full stop.
    pub title: &'static str,
    /// What happens in it, in a sentence or two.
    pub summary: &'static str,
    /// The recording, a `.lanner` file.
    pub recording: &'static [u8],
}

/// All built-in scenarios, in the order in which they are listed.
pub const SCENARIOS: &[Scenario] = &[];

/// The built-in scenario of this name.
pub fn scenario(name: &str) -> Option<&'static Scenario> {
    SCENARIOS.iter().find(|scenario| scenario.name == name)
}

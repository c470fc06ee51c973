//! The file of settings: how the user interface looks and which keys do what. A flag wins over the environment, the
//! environment over the file.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use lanner_core::event::Text;
use serde::Deserialize;

use crate::cli::LookArgs;
use crate::source::SourceError;
use crate::ui::{Colours, Keymap, Look, Theme};

/// How much of the file is read, in bytes.
const MOST: u64 = 1 << 20;

/// What the file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Which colours.
    pub theme: Option<Theme>,
    /// How many colours.
    pub colours: Option<Colours>,
    /// Draw with ASCII characters only, or not, whatever the locale says.
    pub ascii: Option<bool>,
    /// Pass over stretches of a recording in which nothing happens.
    pub skip_silence: bool,
    /// How long the rest of a key is waited for after Esc, in milliseconds; else as long as the line takes usually.
    pub escape_ms: Option<u16>,
    /// The keys of commands, by their names.
    pub keys: BTreeMap<String, Vec<String>>,
    /// Where they stand; `None`: nowhere.
    #[serde(skip)]
    pub path: Option<PathBuf>,
}

impl Settings {
    /// Reads a file, or the one in its usual place if there is one.
    ///
    /// # Errors
    /// The file that was named does not exist, or what stands in it is wrong.
    pub fn load(named: Option<&Path>) -> Result<Settings, SourceError> {
        let usual = || usual_place(|name| std::env::var_os(name).map(PathBuf::from));
        let Some(path) = named.map(Path::to_path_buf).or_else(usual) else { return Ok(Settings::default()) };
        let text = match read(&path) {
            Ok(text) => text,
            Err(error) if named.is_none() && error.kind() == io::ErrorKind::NotFound => return Ok(Settings::default()),
            Err(error) => {
                return Err(SourceError::Usage(format!("the settings in {} cannot be read: {error}", path.display())));
            }
        };
        Settings::parse(&text, &path)
    }

    fn parse(text: &str, path: &Path) -> Result<Settings, SourceError> {
        let wrong = |why: String| SourceError::Usage(format!("the settings in {}: {why}", path.display()));
        let mut settings: Settings = toml::from_str(text).map_err(|e| wrong(e.to_string().trim_end().to_owned()))?;
        // Keys that cannot be are told of before anything is on the screen.
        Keymap::with(&settings.keys).map_err(|e| wrong(e.to_string()))?;
        settings.path = Some(path.to_path_buf());
        Ok(settings)
    }

    /// How it looks: flags, then the environment, then the file.
    ///
    /// # Errors
    /// A variable says what does not exist.
    pub fn look(&self, flags: &LookArgs, var: impl Fn(&str) -> Option<String>) -> Result<Look, SourceError> {
        let set = |name: &str| var(name).filter(|v| !v.is_empty());
        let mut look = Look::from_env(&var);
        let no_color = set("NO_COLOR").is_some();
        look.theme = match (flags.theme, set("LANNER_THEME")) {
            (Some(theme), _) => theme,
            (None, Some(name)) => choice("LANNER_THEME", &name)?,
            (None, None) => self.theme.unwrap_or(look.theme),
        };
        look.colours = match (flags.colours, set("LANNER_COLOURS")) {
            (Some(colours), _) => colours,
            (None, Some(name)) => choice("LANNER_COLOURS", &name)?,
            (None, None) if no_color => Colours::None,
            (None, None) => self.colours.unwrap_or(look.colours),
        };
        look.ascii = flags.ascii || self.ascii.unwrap_or(look.ascii);
        Ok(look)
    }

    /// Which keys do what.
    ///
    /// # Errors
    /// Keys that cannot be.
    pub fn keymap(&self) -> Result<Keymap, SourceError> {
        Keymap::with(&self.keys).map_err(|e| SourceError::Usage(e.to_string()))
    }

    /// A file that says the same, every key of every command included.
    pub fn print(&self, look: Look, keymap: &Keymap) -> String {
        let mut out = String::new();
        let place = match &self.path {
            Some(path) => format!("# These settings come from {}.\n", Text::from(path.display().to_string())),
            None => {
                "# There is no file of settings: put this into ~/.config/lanner/config.toml to make one.\n".to_owned()
            }
        };
        let colours = look.colours.to_possible_value();
        let _ = write!(
            out,
            "{place}\n# dark, light or high-contrast\ntheme = \"{}\"\n# none, 16 or true\ncolours = \"{}\"\n# draw with ASCII \
             characters only\nascii = {}\n# pass over stretches of a recording in which nothing happens\nskip_silence = \
             {}\n# milliseconds that the rest of a key is waited for after Esc: 50, over SSH 250, unless it is said here\n{}\n\n# \
             Characters, names such as Enter, Space, PgDn and F2, and ctrl-x. Two commands that work at the same \
             time\n# cannot have the same key.\n[keys]\n",
            look.theme.name(),
            colours.as_ref().map_or("", |c| c.get_name()),
            look.ascii,
            self.skip_silence,
            self.escape_ms.map_or_else(|| "# escape_ms = 50".to_owned(), |ms| format!("escape_ms = {ms}")),
        );
        let mut written: Vec<&str> = Vec::new();
        for binding in keymap.bindings() {
            if binding.name == "quit-always" || written.contains(&binding.name) {
                continue;
            }
            written.push(binding.name);
            // What a key does may depend on the screen.
            let mut deeds: Vec<&str> = Vec::new();
            for named in keymap.bindings().iter().filter(|named| named.name == binding.name) {
                if !deeds.contains(&named.long) {
                    deeds.push(named.long);
                }
            }
            let keys: Vec<String> = keymap.spelled(binding).iter().map(|key| format!("{key:?}")).collect();
            let _ = writeln!(out, "{:<34} # {}", format!("{} = [{}]", binding.name, keys.join(", ")), deeds.join("; "));
        }
        out
    }
}

/// A value of a variable.
fn choice<T: ValueEnum>(variable: &str, name: &str) -> Result<T, SourceError> {
    T::from_str(name, false).map_err(|_| {
        let known: Vec<String> =
            T::value_variants().iter().filter_map(|v| Some(v.to_possible_value()?.get_name().to_owned())).collect();
        SourceError::Usage(format!("{variable}={:?} is not one of {}", Text::from(name), known.join(", ")))
    })
}

/// `lanner/config.toml` in the folder that XDG names.
fn usual_place(var: impl Fn(&str) -> Option<PathBuf>) -> Option<PathBuf> {
    let folder = var("XDG_CONFIG_HOME").filter(|p| p.is_absolute());
    let folder = folder.or_else(|| var("HOME").filter(|p| p.is_absolute()).map(|home| home.join(".config")))?;
    Some(folder.join("lanner/config.toml"))
}

fn read(path: &Path) -> io::Result<String> {
    use std::io::Read as _;
    let mut text = String::new();
    std::fs::File::open(path)?.take(MOST).read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Settings, String> {
        Settings::parse(text, Path::new("/c.toml")).map_err(|e| e.to_string())
    }

    #[test]
    fn a_flag_wins_over_the_environment_and_that_over_the_file() {
        let settings = parsed("theme = \"light\"\ncolours = \"none\"\nascii = false").unwrap();
        let env = |vars: &'static [(&str, &str)]| {
            move |name: &str| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| (*v).to_owned())
        };
        let none = LookArgs::default();
        let of_file = settings.look(&none, env(&[("COLORTERM", "truecolor")])).unwrap();
        assert_eq!(of_file, Look { colours: Colours::None, ascii: false, theme: Theme::Light });
        let vars = env(&[("LANNER_THEME", "high-contrast"), ("LANNER_COLOURS", "16")]);
        let of_env = settings.look(&none, vars).unwrap();
        assert_eq!((of_env.theme, of_env.colours), (Theme::HighContrast, Colours::Base));
        let flags = LookArgs { theme: Some(Theme::Dark), colours: Some(Colours::True), ascii: true };
        let of_flags = settings.look(&flags, vars).unwrap();
        assert_eq!(of_flags, Look { colours: Colours::True, ascii: true, theme: Theme::Dark });
        let loud = parsed("colours = \"true\"").unwrap();
        assert_eq!(loud.look(&none, env(&[("NO_COLOR", "1")])).unwrap().colours, Colours::None);
        let wrong = settings.look(&none, env(&[("LANNER_THEME", "pink")])).unwrap_err().to_string();
        assert_eq!(wrong, "LANNER_THEME=\"pink\" is not one of dark, light, high-contrast");
    }

    #[test]
    fn what_is_wrong_is_told_with_its_place() {
        assert!(parsed("thme = \"light\"").unwrap_err().contains("thme"));
        assert!(parsed("theme = \"pink\"").unwrap_err().contains("line 1"));
        let clash = parsed("[keys]\npause = [\"q\"]").unwrap_err();
        assert_eq!(
            clash,
            "the settings in /c.toml: the key q would mean both pause and quit: give one of them another key"
        );
    }

    #[test]
    fn what_is_printed_says_the_same_when_it_is_read() {
        let settings = parsed("theme = \"light\"\nescape_ms = 400\n[keys]\npause = [\"p\", \"ctrl-p\"]").unwrap();
        let look = settings.look(&LookArgs::default(), |_| None).unwrap();
        let printed = settings.print(look, &settings.keymap().unwrap());
        let again = parsed(&printed).unwrap_or_else(|e| panic!("{e}\n{printed}"));
        assert_eq!(again.look(&LookArgs::default(), |_| None).unwrap(), look);
        assert_eq!((again.escape_ms, again.keys["pause"].len()), (Some(400), 2));
        assert_eq!(again.print(look, &again.keymap().unwrap()), printed);
        let group = printed.lines().find(|line| line.starts_with("group")).unwrap();
        assert!(["flows: ", "files: ", "graph: "].iter().all(|screen| group.contains(screen)), "{group}");
    }

    #[test]
    fn the_file_stands_where_xdg_says() {
        let place = |vars: &'static [(&str, &str)]| {
            usual_place(move |name| vars.iter().find(|(n, _)| *n == name).map(|(_, v)| PathBuf::from(v)))
        };
        assert_eq!(place(&[("XDG_CONFIG_HOME", "/x"), ("HOME", "/h")]), Some("/x/lanner/config.toml".into()));
        assert_eq!(place(&[("XDG_CONFIG_HOME", "x"), ("HOME", "/h")]), Some("/h/.config/lanner/config.toml".into()));
        assert_eq!(place(&[]), None);
    }
}

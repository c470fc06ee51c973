//! `lanner doctor`: what this kernel, this user and this terminal allow, and what to do about the rest.

use std::io::{self, Write};

use super::Status;
use crate::ui::{Colours, Look};

struct Check {
    name: &'static str,
    ok: bool,
    found: String,
    advice: String,
}

pub(super) fn run() -> anyhow::Result<Status> {
    let mut out = io::stdout().lock();
    let sensor = sensor();
    tell(&mut out, "To watch this node (lanner live, lannerd)", &sensor)?;
    tell(&mut out, "To show the user interface here", &terminal())?;
    if sensor.iter().all(|c| c.ok) {
        writeln!(out, "\nThis node can be watched: sudo lanner")?;
        Ok(Status::Fine)
    } else {
        writeln!(out, "\nThis node cannot be watched as it is. Recordings can be opened: lanner replay NAME")?;
        Ok(Status::NotAllowed)
    }
}

fn tell(out: &mut impl Write, title: &str, checks: &[Check]) -> io::Result<()> {
    writeln!(out, "{title}")?;
    for Check { name, ok, found, advice } in checks {
        let mark = if *ok { "ok     " } else { "MISSING" };
        writeln!(out, "  {mark}  {name}: {found}")?;
        if !ok {
            writeln!(out, "           {advice}")?;
        }
    }
    Ok(())
}

#[cfg(feature = "live")]
fn sensor() -> Vec<Check> {
    let probed = lanner_collector::sensor::probe();
    probed.into_iter().map(|c| Check { name: c.name, ok: c.ok, found: c.found, advice: c.advice }).collect()
}

#[cfg(not(feature = "live"))]
fn sensor() -> Vec<Check> {
    vec![Check {
        name: "sensor",
        ok: false,
        found: "this build has none".to_owned(),
        advice: "build with the feature `live`, or connect to a collector".to_owned(),
    }]
}

fn terminal() -> Vec<Check> {
    let var = |name: &str| std::env::var(name).ok();
    let usable = crate::ui::check(var("TERM").as_deref());
    let look = Look::from_env(var);
    vec![
        Check {
            name: "terminal",
            ok: usable.is_ok(),
            found: var("TERM").map_or_else(|| "TERM is not set".to_owned(), |term| format!("TERM={term}")),
            advice: usable.err().map(|e| e.to_string()).unwrap_or_default(),
        },
        fine("characters", if look.ascii { "ASCII, as the locale is not UTF-8" } else { "UTF-8" }),
        fine(
            "colours",
            match look.colours {
                Colours::None => "none, as NO_COLOR is set",
                Colours::Base => "16, as COLORTERM does not say truecolor",
                Colours::True => "24 bits",
            },
        ),
    ]
}

fn fine(name: &'static str, found: &str) -> Check {
    Check { name, ok: true, found: found.to_owned(), advice: String::new() }
}

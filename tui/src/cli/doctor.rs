//! `lanner doctor`: what this kernel, this user and this terminal allow, and what to do about the rest. Where the node can be
//! watched the sensor is attached for a moment, for nothing else tells what the kernel allows.

use std::io::{self, Write};

#[cfg(feature = "live")]
use super::follow::loss_words;
use super::{Status, one_line};
use crate::ui::{Colours, Look};

struct Check {
    name: &'static str,
    ok: bool,
    /// Nothing works without it; else less does.
    needed: bool,
    found: String,
    advice: String,
}

pub(super) fn run() -> anyhow::Result<Status> {
    let mut out = io::stdout().lock();
    let sensor = sensor();
    tell(&mut out, "To watch this node (lanner live, lannerd)", &sensor)?;
    tell(&mut out, "To show the user interface here", &terminal())?;
    let allowed = !sensor.iter().any(|c| c.needed && !c.ok);
    if !allowed || !sight(&mut out)? {
        writeln!(out, "\nThis node cannot be watched as it is. Recordings can be opened: lanner replay NAME")?;
        return Ok(Status::NotAllowed);
    }
    let but = if sensor.iter().all(|c| c.ok) { "" } else { ", though not as well as could be: see above" };
    writeln!(out, "\nThis node can be watched{but}: sudo lanner")?;
    Ok(Status::Fine)
}

fn tell(out: &mut impl Write, title: &str, checks: &[Check]) -> io::Result<()> {
    writeln!(out, "{title}")?;
    for Check { name, ok, needed, found, advice } in checks {
        let mark = match (ok, needed) {
            (true, _) => "ok     ",
            (false, true) => "MISSING",
            (false, false) => "LESS   ",
        };
        writeln!(out, "  {mark}  {name}: {found}")?;
        if !ok {
            writeln!(out, "           {advice}")?;
        }
    }
    Ok(())
}

/// What the sensor sees here, and what it does not. `false`: nothing.
#[cfg(feature = "live")]
fn sight(out: &mut impl Write) -> io::Result<bool> {
    use lanner_collector::sensor::{Sensor, SensorConfig, node_info};
    use lanner_core::event::{HookLayer, HookState};

    writeln!(out, "What the sensor listens to")?;
    let mut events = Vec::new();
    let (node, losses) = match Sensor::load(&SensorConfig::default()) {
        Ok(mut sensor) => {
            events.extend(sensor.backfill());
            let losses = sensor.flush(&mut events);
            (node_info(sensor.hooks().to_vec()), losses)
        }
        Err(error) => {
            writeln!(out, "  MISSING  sensor: {}", one_line(&error.to_string()))?;
            return Ok(false);
        }
    };
    for (layer, name) in [(HookLayer::Base, "base"), (HookLayer::Full, "full")] {
        let hooks = || node.hooks.iter().filter(|h| h.layer == layer);
        let attached = hooks().filter(|h| h.state == HookState::Attached).count();
        let refused = hooks().filter(|h| matches!(h.state, HookState::Refused(_))).count();
        let mark = if refused == 0 { "ok     " } else { "LESS   " };
        writeln!(out, "  {mark}  {name} layer: {attached} of {} hooks", hooks().count())?;
        for refusal in node.refusals().iter().filter(|refusal| refusal.layer == layer) {
            let (first, others) = (one_line(refusal.names[0]), &refusal.names[1..]);
            let more = if others.is_empty() { String::new() } else { format!(" and {} more", others.len()) };
            writeln!(out, "           {first}{more}: {}", one_line(refusal.why))?;
            writeln!(out, "             not seen: {}", one_line(refusal.without))?;
            if !others.is_empty() {
                writeln!(out, "             also {}", one_line(&others.join("; ")))?;
            }
        }
        for hook in hooks() {
            let HookState::Waiting(what) = &hook.state else { continue };
            writeln!(out, "           {}: waits for {}", one_line(&hook.name), one_line(what))?;
            writeln!(out, "             not seen till then: {}", one_line(&hook.without))?;
        }
    }
    match losses.as_slice() {
        [] => writeln!(out, "  ok       losses: none meanwhile, of {} events", events.len())?,
        some => {
            for loss in some {
                writeln!(out, "  LESS     losses: {}", loss_words(*loss))?;
            }
        }
    }
    writeln!(out, "What cannot be seen on this kernel, whatever happens")?;
    for spot in &node.blind {
        writeln!(out, "  {:<11} {}", one_line(&spot.family), one_line(&spot.what))?;
    }
    Ok(true)
}

#[cfg(not(feature = "live"))]
fn sight(_: &mut impl Write) -> io::Result<bool> {
    Ok(false)
}

#[cfg(feature = "live")]
fn sensor() -> Vec<Check> {
    let probed = lanner_collector::sensor::probe();
    probed
        .into_iter()
        .map(|c| Check { name: c.name, ok: c.ok, needed: c.needed, found: c.found, advice: c.advice })
        .collect()
}

#[cfg(not(feature = "live"))]
fn sensor() -> Vec<Check> {
    vec![Check {
        name: "sensor",
        ok: false,
        needed: true,
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
            needed: true,
            found: var("TERM").map_or_else(|| "TERM is not set".to_owned(), |term| format!("TERM={}", one_line(&term))),
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
    Check { name, ok: true, needed: false, found: found.to_owned(), advice: String::new() }
}

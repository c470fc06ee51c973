//! `lanner live`, `connect` and `replay`: the user interface on a source.

use std::path::Path;
use std::time::Duration;

use anyhow::Context;

use super::Status;
use super::args::{ConnectArgs, LiveArgs, LookArgs, MemoryArgs, ReplayArgs, RuleArgs};
use super::patience::Waiting;
use super::say;
use crate::detection::Content;
use crate::settings::Settings;
use crate::source::{self, Options, SourceError, Spec, Stop};
use crate::ui::{self, Ended, Source};

pub(super) fn live(args: LiveArgs, file: Option<&Path>) -> anyhow::Result<Status> {
    show(&Spec::Live, Source::Live, Options::default(), &args.look, (&args.rules, args.memory), &Settings::load(file)?)
}

pub(super) fn connect(args: ConnectArgs, file: Option<&Path>) -> anyhow::Result<Status> {
    let options = Options { reconnect: true, ..Options::default() };
    let shown = args.addr.to_string();
    show(
        &Spec::Remote(args.addr),
        Source::Remote(shown),
        options,
        &args.look,
        (&args.rules, args.memory),
        &Settings::load(file)?,
    )
}

pub(super) fn replay(args: ReplayArgs, file: Option<&Path>) -> anyhow::Result<Status> {
    let spec = Spec::parse(Some(&args.source))?;
    if let Spec::Remote(address) = &spec {
        return Err(SourceError::Usage(format!("{address} is a collector: use `lanner connect {address}`")).into());
    }
    let speed = args.speed();
    let source = Source::Recording(spec.name(), speed);
    let settings = Settings::load(file)?;
    let skip_silence = args.skip_silence || settings.skip_silence;
    let options = Options { speed, at: args.at.unwrap_or(Duration::ZERO), skip_silence, ..Options::default() };
    show(&spec, source, options, &args.look, (&args.rules, args.memory), &settings)
}

fn show(
    spec: &Spec,
    source: Source,
    options: Options,
    look: &LookArgs,
    (rules, memory): (&RuleArgs, MemoryArgs),
    settings: &Settings,
) -> anyhow::Result<Status> {
    ui::check(std::env::var("TERM").ok().as_deref()).map_err(|e| SourceError::Usage(e.to_string()))?;
    // Content that does not load is an error here and not in the middle of the screen.
    let reading = Waiting::on("reading the rules");
    let content = Content::load(&rules.files)?.with_memory(memory.mib);
    drop(reading);
    content.warning().iter().for_each(|warning| say(warning));
    let stop: Stop = options.stop.clone();
    let skips_silence = options.skip_silence;
    let opening = Waiting::on(spec.opening());
    let stream = source::open(spec, options)?;
    drop(opening);
    let mut ui_options = ui::Options::from_env(source, move || content.engine());
    ui_options.replay = stream.control;
    ui_options.look = settings.look(look, |name| std::env::var(name).ok())?;
    ui_options.keymap = settings.keymap()?;
    ui_options.skips_silence = skips_silence;
    ui_options.rest_of_key = settings.escape_ms.map(|ms| Duration::from_millis(ms.into()));
    let ended = ui::run(stream.items, ui_options).context("the terminal failed")?;
    stop.raise();
    ended.told.iter().for_each(|told| say(told));
    match ended.ended {
        Ended::Quit => Ok(Status::Fine),
        // Whoever waits for this program is told what it ended by.
        Ended::Signal(signal) => {
            signal_hook::low_level::emulate_default_handler(signal).context("a signal has no effect")?;
            Ok(Status::Failed)
        }
    }
}

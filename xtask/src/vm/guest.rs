//! A virtual machine that runs once.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

/// How many of its last lines are shown of a guest that ended before its tests did.
const LAST_LINES: usize = 40;

/// What to boot.
pub(super) struct Guest<'a> {
    pub(super) kernel: &'a Path,
    pub(super) initramfs: &'a Path,
    /// MiB.
    pub(super) memory: u32,
    /// Words for the kernel, and for init.
    pub(super) words: &'a str,
    /// For messages.
    pub(super) name: &'a str,
}

impl Guest<'_> {
    /// Boots it, prints what its tests print, and gives their exit status. An error when it does not come to an end within
    /// `timeout`, or to another one.
    pub(super) fn run(&self, timeout: Duration) -> anyhow::Result<u8> {
        let mut qemu = Command::new("qemu-system-x86_64")
            .args(["-machine", "q35", "-cpu", "max", "-accel", "tcg,thread=multi", "-smp", "2"])
            .args(["-m", &self.memory.to_string()])
            .arg("-kernel")
            .arg(self.kernel)
            .arg("-initrd")
            .arg(self.initramfs)
            .args(["-append", &format!("console=ttyS0 panic=-1 quiet {}", self.words)])
            .args(["-nographic", "-no-reboot", "-nic", "none"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .context("qemu-system-x86_64 does not start")?;
        let console = qemu.stdout.take().context("it has no console")?;
        let (sender, lines) = sync_channel(1024);
        let reader = std::thread::spawn(move || read_lines(console, &sender));
        let status = self.follow(&lines, Instant::now() + timeout);
        end(&mut qemu);
        drop(lines);
        let _ = reader.join();
        status
    }

    fn follow(&self, lines: &Receiver<String>, until: Instant) -> anyhow::Result<u8> {
        let mut begun = false;
        let mut last = Vec::new();
        loop {
            let line = match lines.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => line,
                Err(end) => {
                    if !begun {
                        io::stderr().write_all(last.join("\n").as_bytes())?;
                    }
                    match end {
                        RecvTimeoutError::Timeout => bail!("Linux {}: the tests did not end in time", self.name),
                        RecvTimeoutError::Disconnected => {
                            bail!("Linux {}: the guest ended before its tests", self.name)
                        }
                    }
                }
            };
            // Firmware leaves codes for its terminal before the first line.
            if line.ends_with("@@BEGIN") {
                begun = true;
            } else if let Some(status) = line.strip_prefix("@@END ") {
                return status.parse().with_context(|| format!("no exit status: {status}"));
            } else if begun {
                writeln!(io::stdout(), "{line}")?;
            } else {
                if last.len() == LAST_LINES {
                    last.remove(0);
                }
                last.push(line);
            }
        }
    }
}

fn read_lines(console: impl Read, lines: &SyncSender<String>) {
    for line in BufReader::new(console).split(b'\n').map_while(Result::ok) {
        let line = String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned();
        if lines.send(line).is_err() {
            return;
        }
    }
}

fn end(qemu: &mut Child) {
    let _ = qemu.kill();
    let _ = qemu.wait();
}

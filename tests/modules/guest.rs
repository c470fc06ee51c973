//! The guest, in which cases are performed under the sensor.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use lanner_collector::sensor::{Sensor, SensorConfig, node_info};
use lanner_core::event::{Event, Loss, LossCause, Payload};
use lanner_recording::Header;

use crate::cases::{Case, SCRIPTS};

/// The module that is loaded and unloaded, as the guest's init finds it; nothing there uses it.
const MODULE: &str = "/modules/veth.ko";
/// A container's control group, as a kubelet calls it.
const GROUP: &str = "/sys/fs/cgroup/kubepods/besteffort/podfedcba98765432100123456789abcdef/\
    5d7f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c5d6e7";
/// Makes ready, by kexec_load (246 on x86-64), what is no kernel but is taken for one: nobody starts it.
const KEXEC: &str = r#"my $idle = "\x90" x 4096; my $segment = pack "PQQQ", $idle, 4096, 0x1000000, 4096;
    syscall(246, 0x1000000, 1, $segment, 0) == 0 or die "kexec_load: $!\n""#;

pub(crate) struct Guest {
    sensor: Sensor,
    header: Header,
    installed: PathBuf,
    seen: Vec<Event>,
}

impl Guest {
    pub(crate) fn new() -> io::Result<Guest> {
        let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
        let folder = Path::new("/usr/lib/modules").join(release.trim()).join("kernel/drivers/net");
        let installed = folder.join("veth.ko");
        for folder in [&folder, Path::new(SCRIPTS), Path::new("/srv/scratch"), Path::new(GROUP)] {
            fs::create_dir_all(folder)?;
        }
        fs::copy(MODULE, &installed)?;
        let mut sensor = Sensor::load(&SensorConfig::default()).map_err(io::Error::other)?;
        let seen = sensor.backfill();
        let mut header = Header::new(node_info(sensor.hooks().to_vec()));
        "node1".clone_into(&mut header.node.name);
        // The release without the distribution's own suffix says all that matters.
        header.node.kernel = release.split(['-', '+']).next().unwrap_or_default().trim().to_owned();
        "made by record.sh from modules.txt".clone_into(&mut header.note);
        Ok(Guest { sensor, header, installed, seen })
    }

    /// Performs a case to its end. The module is not loaded when it begins.
    pub(crate) fn perform(&mut self, case: &Case) -> io::Result<ExitStatus> {
        let unload = Command::new("busybox").args(["rmmod", "veth"]).stderr(Stdio::null()).spawn()?;
        self.wait(unload)?;
        let (place, command) = case.place_and_command();
        let script = Path::new(SCRIPTS).join(case.script());
        fs::write(&script, format!("{command}\n"))?;
        let scratch = Path::new("/srv/scratch").join(case.script());
        fs::create_dir_all(&scratch)?;
        let mut shell = match place {
            "host" => Command::new("bash"),
            "pod" => {
                // A process is known to be in a container from its next exec on.
                let mut enter = Command::new("sh");
                let join = format!(r#"echo 0 >{GROUP}/cgroup.procs; exec unshare --mount bash "$@""#);
                enter.args(["-c", &join, "sh"]);
                enter
            }
            _ => return Err(io::Error::other(format!("{place} is no place: {}", case.text))),
        };
        shell.arg(&script).current_dir(&scratch).stdin(Stdio::null());
        shell.env("MODULE", MODULE).env("INSTALLED", &self.installed).env("KEXEC", KEXEC);
        let shell = shell.spawn()?;
        self.wait(shell)
    }

    fn wait(&mut self, mut child: Child) -> io::Result<ExitStatus> {
        loop {
            let ended = child.try_wait()?;
            self.sensor.wait(Duration::from_millis(4))?;
            let losses = self.sensor.drain(&mut self.seen);
            only_skipped(&losses);
            if let Some(status) = ended {
                return Ok(status);
            }
        }
    }

    /// What was seen: all, but for what this process itself did beside starting others.
    pub(crate) fn end(mut self) -> (Header, Vec<Event>) {
        only_skipped(&self.sensor.flush(&mut self.seen));
        let own = std::process::id();
        let by_others =
            |e: &Event| e.header.process.pid != own || matches!(e.payload, Payload::Fork(_) | Payload::Alive(_));
        self.seen.retain(by_others);
        for (event, seq) in self.seen.iter_mut().zip(1..) {
            event.header.seq = seq;
        }
        (self.header, self.seen)
    }
}

/// What the kernel skips, anybody in the guest can bring about; nothing else is lost at this pace.
fn only_skipped(losses: &[Loss]) {
    assert!(losses.iter().all(|loss| loss.cause == LossCause::Skipped), "{losses:?}");
}

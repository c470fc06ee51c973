//! What this kernel and this user allow, for `lanner doctor`.

use std::fs;
use std::path::Path;

use super::proc::Proc;
use super::{btf::Types, offsets::Resolved, tracefs};

/// One thing that the sensor needs or can use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// Whether it is as it should be.
    pub ok: bool,
    /// Whether nothing can be seen without it; else less is.
    pub needed: bool,
    /// What was found.
    pub found: String,
    /// What to do when it is not; empty when it is.
    pub advice: String,
}

/// Capabilities by their number in `linux/capability.h`.
const CAP_SYS_ADMIN: u32 = 21;
const CAP_PERFMON: u32 = 38;
const CAP_BPF: u32 = 39;

/// Looks at everything the sensor rests on, without loading anything.
pub fn probe() -> Vec<Check> {
    vec![capabilities(), types(), tracing(), fields(), pids(), lockdown(), jit()]
}

/// The effective capabilities of this process that it would need and lacks.
pub(super) fn missing_capabilities() -> Vec<&'static str> {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status
        .lines()
        .find_map(|l| l.strip_prefix("CapEff:"))
        .and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok())
        // Where it cannot be told, the kernel's own answer at load time counts.
        .unwrap_or(u64::MAX);
    let has = |cap: u32| effective & 1 << cap != 0;
    if has(CAP_SYS_ADMIN) {
        return Vec::new();
    }
    [(CAP_BPF, "CAP_BPF"), (CAP_PERFMON, "CAP_PERFMON")]
        .iter()
        .filter(|(cap, _)| !has(*cap))
        .map(|(_, name)| *name)
        .collect()
}

fn check(name: &'static str, needed: bool, outcome: Result<String, (String, &str)>) -> Check {
    match outcome {
        Ok(found) => Check { name, ok: true, needed, found, advice: String::new() },
        Err((found, advice)) => Check { name, ok: false, needed, found, advice: advice.to_owned() },
    }
}

fn capabilities() -> Check {
    let missing = missing_capabilities();
    let advice = "run as root, or give the program CAP_BPF and CAP_PERFMON (or CAP_SYS_ADMIN)";
    let outcome = if missing.is_empty() {
        Ok("present".to_owned())
    } else {
        Err((format!("missing: {}", missing.join(", ")), advice))
    };
    check("capabilities", true, outcome)
}

fn types() -> Check {
    let advice = "use a kernel built with CONFIG_DEBUG_INFO_BTF=y";
    let outcome = match fs::metadata("/sys/kernel/btf/vmlinux") {
        Ok(file) => Ok(format!("{} KiB at /sys/kernel/btf/vmlinux", file.len() / 1024)),
        Err(error) => Err((format!("/sys/kernel/btf/vmlinux: {error}"), advice)),
    };
    check("kernel types (BTF)", true, outcome)
}

fn tracing() -> Check {
    let advice = "mount it: mount -t tracefs tracefs /sys/kernel/tracing (the sensor does so when it may); without it no file, namespace or accept events";
    let outcome = match tracefs::find() {
        Some(path) if Path::new(path).join("events/syscalls").exists() => Ok(format!("mounted at {path}")),
        Some(path) => Err((
            format!("mounted at {path}, without system call events"),
            "use a kernel built with CONFIG_FTRACE_SYSCALLS=y",
        )),
        None => Err(("not mounted, or not readable".to_owned(), advice)),
    };
    check("system call tracepoints", false, outcome)
}

fn fields() -> Check {
    let advice = "update Lanner: this kernel is newer, or older than Linux 5.10";
    let outcome = match fs::read("/sys/kernel/btf/vmlinux") {
        Err(error) => Err((error.to_string(), "see kernel types")),
        Ok(file) => {
            match Types::parse(&file).ok_or_else(|| "the types do not parse".to_owned()).and_then(|t| Resolved::of(&t))
            {
                Ok(resolved) if resolved.missing.is_empty() => Ok("all known".to_owned()),
                Ok(resolved) => {
                    Ok(format!("known, but for {}", resolved.without().into_iter().collect::<Vec<_>>().join("; ")))
                }
                Err(missing) => Err((format!("missing: {missing}"), advice)),
            }
        }
    };
    check("kernel fields", true, outcome)
}

fn pids() -> Check {
    let advice = "run in the machine's pid namespace (hostPID: true), so that what already runs is seen";
    let outcome = match Proc::open() {
        Ok(proc) if proc.shows_machine() => Ok("those of the machine".to_owned()),
        Ok(_) => Err(("those of a pid namespace inside the machine".to_owned(), advice)),
        Err(error) => Err((error, advice)),
    };
    check("processes in /proc", false, outcome)
}

fn lockdown() -> Check {
    // Several words, the one in force in brackets: `none [integrity] confidentiality`.
    let mode = fs::read_to_string("/sys/kernel/security/lockdown").unwrap_or_default();
    let in_force = mode.split_once('[').and_then(|(_, rest)| rest.split_once(']')).map_or("none", |(mode, _)| mode);
    let advice =
        "confidentiality mode forbids programs to read the kernel's memory: boot with lockdown=integrity or none";
    let outcome =
        if in_force == "confidentiality" { Err((in_force.to_owned(), advice)) } else { Ok(in_force.to_owned()) };
    check("kernel lockdown", true, outcome)
}

fn jit() -> Check {
    let outcome = match fs::read_to_string("/proc/sys/net/core/bpf_jit_enable").as_deref().map(str::trim) {
        Ok("0") => Err((
            "off: programs are interpreted".to_owned(),
            "sysctl net.core.bpf_jit_enable=1 makes them several times faster",
        )),
        Ok(_) => Ok("on".to_owned()),
        Err(_) => Ok("not told here".to_owned()),
    };
    check("BPF compiler", false, outcome)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_right_comes_with_advice() {
        for check in probe() {
            assert!(!check.name.is_empty() && !check.found.is_empty(), "{check:?}");
            assert_eq!(check.ok, check.advice.is_empty(), "{check:?}");
        }
    }
}

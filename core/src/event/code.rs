//! Code that is given to the kernel to run.

use super::{Call, File, Text};

/// A kernel module, or another kernel, was loaded or unloaded, or that was tried.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct KernelLoad {
    /// `init_module`, `finit_module`, `delete_module`, `kexec_load` or `kexec_file_load`.
    pub call: Call,
    /// The file that the code came from; `None`: it came from memory, or none was needed.
    pub file: Option<File>,
    /// The initial ram disk's file.
    pub ramdisk: Option<File>,
    /// The name of the module that was unloaded; the parameters of the one that was loaded; the new kernel's command line.
    pub words: Text,
    /// Bytes of the code, where it came from memory.
    pub size: u64,
    /// The call's flags.
    pub flags: u64,
    /// Why it failed; 0: it did not.
    pub errno: u32,
}

/// A BPF program was loaded or attached, or a BPF map was made, or that was tried; by others than the collector.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Bpf {
    /// What was asked for.
    pub command: BpfCommand,
    /// The type of the program (`enum bpf_prog_type`) or of the map (`enum bpf_map_type`).
    pub object_type: u32,
    /// Where it is attached (`enum bpf_attach_type`).
    pub attach_type: u32,
    /// The kernel's number for it; 0 when it was not made.
    pub id: u32,
    /// The instructions of the program; 0 when not known. The most entries of the map.
    pub size: u32,
    /// Its name, at most 15 bytes.
    pub name: Text,
    /// Why it failed; 0: it did not. Where it failed, the rest is the caller's words.
    pub errno: u32,
}

/// The commands of bpf(2) that are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum BpfCommand {
    MapCreate,
    ProgLoad,
    ProgAttach,
    RawTracepointOpen,
    LinkCreate,
}

impl BpfCommand {
    /// All.
    pub const ALL: &[BpfCommand] = &[
        BpfCommand::MapCreate,
        BpfCommand::ProgLoad,
        BpfCommand::ProgAttach,
        BpfCommand::RawTracepointOpen,
        BpfCommand::LinkCreate,
    ];

    /// The command with this number in `enum bpf_cmd`.
    pub fn of(number: u32) -> Option<BpfCommand> {
        Self::ALL.iter().copied().find(|command| command.number() == number)
    }

    /// Its number there.
    pub fn number(self) -> u32 {
        match self {
            BpfCommand::MapCreate => 0,
            BpfCommand::ProgLoad => 5,
            BpfCommand::ProgAttach => 8,
            BpfCommand::RawTracepointOpen => 17,
            BpfCommand::LinkCreate => 28,
        }
    }

    /// Its name, as Falco has it in `evt.arg.cmd`.
    pub fn name(self) -> &'static str {
        match self {
            BpfCommand::MapCreate => "BPF_MAP_CREATE",
            BpfCommand::ProgLoad => "BPF_PROG_LOAD",
            BpfCommand::ProgAttach => "BPF_PROG_ATTACH",
            BpfCommand::RawTracepointOpen => "BPF_RAW_TRACEPOINT_OPEN",
            BpfCommand::LinkCreate => "BPF_LINK_CREATE",
        }
    }
}

impl Bpf {
    /// The name of the program's type, without `BPF_PROG_TYPE_`, in lower case; `None` for a map, or one that is newer.
    pub fn program_type(&self) -> Option<&'static str> {
        if self.command == BpfCommand::MapCreate {
            return None;
        }
        PROGRAM_TYPES.get(self.object_type as usize).copied()
    }
}

/// `enum bpf_prog_type`, which only grows.
const PROGRAM_TYPES: [&str; 33] = [
    "unspec",
    "socket_filter",
    "kprobe",
    "sched_cls",
    "sched_act",
    "tracepoint",
    "xdp",
    "perf_event",
    "cgroup_skb",
    "cgroup_sock",
    "lwt_in",
    "lwt_out",
    "lwt_xmit",
    "sock_ops",
    "sk_skb",
    "cgroup_device",
    "sk_msg",
    "raw_tracepoint",
    "cgroup_sock_addr",
    "lwt_seg6local",
    "lirc_mode2",
    "sk_reuseport",
    "flow_dissector",
    "cgroup_sysctl",
    "raw_tracepoint_writable",
    "cgroup_sockopt",
    "tracing",
    "struct_ops",
    "ext",
    "lsm",
    "sk_lookup",
    "syscall",
    "netfilter",
];

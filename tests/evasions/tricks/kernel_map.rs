use lanner_core::event::Payload;
use std::io;

use crate::scene::Scene;
use crate::sys;
use crate::trick::Trick;

pub(crate) const TRICK: Trick = Trick {
    name: "kernel_map",
    idea: "what the kernel runs for whoever asks: bpf()",
    shows: "what was made, and by what name",
    perform,
    seen,
    ..Trick::PLAIN
};

fn perform() -> io::Result<()> {
    // union bpf_attr of BPF_MAP_CREATE: type, key, value, entries, flags, inner map, node, name.
    let mut attr = [0u32; 18];
    attr[..4].copy_from_slice(&[2, 4, 8, 1]);
    attr[7..9].copy_from_slice(&[u32::from_ne_bytes(*b"impl"), u32::from_ne_bytes(*b"ant\0")]);
    sys::open(libc::SYS_bpf, &[0, attr.as_ptr() as usize, size_of_val(&attr)]).map(drop)
}

fn seen(scene: &Scene) -> Result<(), String> {
    scene.tells("a map called implant", |p| matches!(p, Payload::Bpf(b) if b.name == "implant" && b.errno == 0))
}

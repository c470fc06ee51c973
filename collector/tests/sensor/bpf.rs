//! BPF programs and maps of others.

use lanner_core::event::{Bpf, BpfCommand, Event, Payload, Text};

use super::stage::{after, done, perform, stage};

fn told(life: &[Event]) -> Vec<Bpf> {
    life.iter().filter_map(|e| if let Payload::Bpf(bpf) = &e.payload { Some(*bpf.clone()) } else { None }).collect()
}

/// The beginning of `union bpf_attr` as words.
type Attr = [u32; 18];

fn bpf(command: u32, attr: &Attr) -> i64 {
    // SAFETY: the words are as many as said, and what they point to lives as long.
    unsafe { libc::syscall(libc::SYS_bpf, command, attr.as_ptr(), size_of::<Attr>()) }
}

/// Words `from` on hold a name.
fn name(attr: &mut Attr, from: usize, name: &[u8; 16]) {
    for (word, bytes) in attr[from..].iter_mut().zip(name.chunks(4)) {
        *word = u32::from_ne_bytes(bytes.try_into().expect("four bytes"));
    }
}

fn pointer(attr: &mut Attr, at: usize, to: u64) {
    attr[at] = to as u32;
    attr[at + 1] = (to >> 32) as u32;
}

/// A program that filters sockets.
fn program(instructions: &'static [u64], called: &[u8; 16]) -> Attr {
    let mut attr = [0; 18];
    attr[0] = 1;
    attr[1] = u32::try_from(instructions.len()).expect("few");
    pointer(&mut attr, 2, instructions.as_ptr() as u64);
    pointer(&mut attr, 4, c"GPL".as_ptr() as u64);
    name(&mut attr, 12, called);
    attr
}

#[test]
fn programs_and_maps_of_others_are_told_refused_ones_too() {
    /// `r0 = 0; exit`, and an instruction that there is not.
    const GOOD: &[u64] = &[0x0000_0000_0000_00b7, 0x95];
    const BAD: &[u64] = &[0xff];
    let Some(stage) = stage() else { return };
    let (_, life) = perform(
        stage,
        &mut after(|| {
            // An array of two words.
            let mut map = [0; 18];
            map[..4].copy_from_slice(&[2, 4, 8, 2]);
            name(&mut map, 7, b"evil_map\0\0\0\0\0\0\0\0");
            let map = done(bpf(0, &map))?;
            // To read it is no news.
            let (key, mut value) = (1u32, 0u64);
            let mut look = [0; 18];
            look[0] = u32::try_from(map).unwrap_or(0);
            pointer(&mut look, 2, &raw const key as u64);
            pointer(&mut look, 4, &raw mut value as u64);
            done(bpf(1, &look))?;
            let loaded = done(bpf(5, &program(GOOD, b"evil_prog\0\0\0\0\0\0\0")))?;
            bpf(5, &program(BAD, b"worse_prog\0\0\0\0\0\0"));
            // It is for sockets, and no raw tracepoint.
            let mut open = [0; 18];
            open[2] = u32::try_from(loaded).unwrap_or(0);
            bpf(17, &open);
            Ok(())
        }),
    );
    let told = told(&life);
    let [map, loaded, refused, opened] = &told[..] else { panic!("four calls: {told:?}") };
    assert!(map.id > 0 && loaded.id > 0);
    let expected = |command, size, name: &str| Bpf {
        command,
        object_type: 1,
        attach_type: 0,
        id: 0,
        size,
        name: Text::from(name),
        errno: 0,
    };
    assert_eq!(*map, Bpf { object_type: 2, id: map.id, ..expected(BpfCommand::MapCreate, 2, "evil_map") });
    let program = Bpf { id: loaded.id, ..expected(BpfCommand::ProgLoad, 2, "evil_prog") };
    assert_eq!(*loaded, program);
    assert_eq!(loaded.program_type(), Some("socket_filter"));
    assert_eq!(*refused, Bpf { errno: libc::EINVAL as u32, ..expected(BpfCommand::ProgLoad, 1, "worse_prog") });
    assert_eq!(*opened, Bpf { command: BpfCommand::RawTracepointOpen, errno: libc::EINVAL as u32, ..program });
}

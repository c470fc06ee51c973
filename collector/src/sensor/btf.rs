//! A reader of BTF, the kernel's own description of its types: where in a struct a field lies, and how big it is.
//! Format: `Documentation/bpf/btf.rst` of the kernel.

use std::collections::HashMap;

use lanner_collector_abi::END;

const MAGIC: u16 = 0xeb9f;
/// Anonymous and array types nest; real ones a few levels, damaged data without end.
const MAX_DEPTH: u32 = 32;

mod kind {
    pub(super) const INT: u32 = 1;
    pub(super) const PTR: u32 = 2;
    pub(super) const ARRAY: u32 = 3;
    pub(super) const STRUCT: u32 = 4;
    pub(super) const UNION: u32 = 5;
    pub(super) const ENUM: u32 = 6;
    pub(super) const TYPEDEF: u32 = 8;
    pub(super) const VOLATILE: u32 = 9;
    pub(super) const CONST: u32 = 10;
    pub(super) const RESTRICT: u32 = 11;
    pub(super) const FUNC_PROTO: u32 = 13;
    pub(super) const VAR: u32 = 14;
    pub(super) const DATASEC: u32 = 15;
    pub(super) const DECL_TAG: u32 = 17;
    pub(super) const TYPE_TAG: u32 = 18;
    pub(super) const ENUM64: u32 = 19;
}

/// The types of a kernel.
#[derive(Debug)]
pub(super) struct Types<'a> {
    data: &'a [u8],
    strings: &'a [u8],
    /// Where each type's description begins in `data`; the id of the first is 1.
    at: Vec<u32>,
    /// Ids of structs, unions and enums by name.
    named: HashMap<&'a [u8], u32>,
    /// Ids of pointers to what tracepoints call, by the tracepoint's name.
    tracepoints: HashMap<&'a [u8], u32>,
}

/// Where a field lies in its struct.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    /// Bytes from the struct's beginning.
    pub(super) offset: u32,
    /// Bytes of the field.
    pub(super) size: u32,
}

/// The three words that every type's description begins with.
#[derive(Clone, Copy)]
struct Head {
    name: u32,
    info: u32,
    /// A size, or the id of another type.
    size_or_type: u32,
    /// Where what follows them begins.
    rest: usize,
}

impl Head {
    fn kind(self) -> u32 {
        self.info >> 24 & 0x1f
    }

    fn len(self) -> usize {
        (self.info & 0xffff) as usize
    }

    /// For structs: member offsets hold a bit field's width too.
    fn has_bit_fields(self) -> bool {
        self.info >> 31 == 1
    }

    /// Bytes of what follows the three words.
    fn rest_len(self) -> usize {
        match self.kind() {
            kind::INT | kind::VAR | kind::DECL_TAG => 4,
            kind::ARRAY => 12,
            kind::STRUCT | kind::UNION | kind::DATASEC | kind::ENUM64 => 12 * self.len(),
            kind::ENUM | kind::FUNC_PROTO => 8 * self.len(),
            _ => 0,
        }
    }
}

fn word(data: &[u8], at: usize) -> Option<u32> {
    data.get(at..at.checked_add(4)?)?.try_into().ok().map(u32::from_ne_bytes)
}

impl<'a> Types<'a> {
    /// Reads the contents of `/sys/kernel/btf/vmlinux`. `None`: they are no BTF, or damaged.
    pub(super) fn parse(file: &'a [u8]) -> Option<Self> {
        if u16::from_ne_bytes(file.get(..2)?.try_into().ok()?) != MAGIC {
            return None;
        }
        let header_len = word(file, 4)? as usize;
        let section = |at: usize| -> Option<&'a [u8]> {
            let begin = header_len.checked_add(word(file, at)? as usize)?;
            file.get(begin..begin.checked_add(word(file, at + 4)? as usize)?)
        };
        let mut types = Types {
            data: section(8)?,
            strings: section(16)?,
            at: Vec::new(),
            named: HashMap::new(),
            tracepoints: HashMap::new(),
        };
        let mut at = 0;
        while at < types.data.len() {
            let head = types.head_at(at)?;
            types.at.push(u32::try_from(at).ok()?);
            let id = u32::try_from(types.at.len()).ok()?;
            if matches!(head.kind(), kind::STRUCT | kind::UNION | kind::ENUM | kind::ENUM64) {
                let name = types.string(head.name)?;
                if !name.is_empty() {
                    types.named.entry(name).or_insert(id);
                }
            }
            if head.kind() == kind::TYPEDEF
                && let Some(tracepoint) = types.string(head.name)?.strip_prefix(b"btf_trace_")
            {
                types.tracepoints.entry(tracepoint).or_insert(head.size_or_type);
            }
            at = head.rest.checked_add(head.rest_len())?;
        }
        Some(types)
    }

    /// Where the field at `path`, such as `d_name.len` or `pids[3]`, lies in the struct `of`. Members of anonymous structs
    /// and unions count as the struct's own, as in C. [`END`] is the place behind the whole struct.
    pub(super) fn field(&self, of: &str, path: &str) -> Option<Place> {
        let mut id = *self.named.get(of.as_bytes())?;
        if path == END {
            return Some(Place { offset: self.size(id, 0)?, size: 0 });
        }
        let mut offset = 0u32;
        for step in path.split('.') {
            let (name, index) = match step.split_once('[') {
                Some((name, rest)) => (name, Some(rest.strip_suffix(']')?.parse::<u32>().ok()?)),
                None => (step, None),
            };
            let (at, member) = self.member(id, name.as_bytes(), 0)?;
            offset = offset.checked_add(at)?;
            id = member;
            if let Some(index) = index {
                let array = self.head(self.bare(id)?)?;
                if array.kind() != kind::ARRAY {
                    return None;
                }
                id = word(self.data, array.rest)?;
                offset = offset.checked_add(index.checked_mul(self.size(id, 0)?)?)?;
            }
        }
        Some(Place { offset, size: self.size(id, 0)? })
    }

    /// How many arguments a tracepoint has.
    pub(super) fn arguments(&self, tracepoint: &str) -> Option<usize> {
        let pointer = self.head(*self.tracepoints.get(tracepoint.as_bytes())?)?;
        let called = self.head(pointer.size_or_type)?;
        // The first one is the program's own.
        (pointer.kind() == kind::PTR && called.kind() == kind::FUNC_PROTO).then(|| called.len().saturating_sub(1))
    }

    /// The value of an enumerator of the enum `of`.
    pub(super) fn enumerator(&self, of: &str, name: &str) -> Option<u32> {
        let head = self.head(*self.named.get(of.as_bytes())?)?;
        let step = match head.kind() {
            kind::ENUM => 8,
            kind::ENUM64 => 12,
            _ => return None,
        };
        (0..head.len()).map(|i| head.rest + i * step).find_map(|at| {
            let found = self.string(word(self.data, at)?)? == name.as_bytes();
            if found { word(self.data, at + 4) } else { None }
        })
    }

    fn head(&self, id: u32) -> Option<Head> {
        self.head_at(*self.at.get(id.checked_sub(1)? as usize)? as usize)
    }

    fn head_at(&self, at: usize) -> Option<Head> {
        Some(Head {
            name: word(self.data, at)?,
            info: word(self.data, at + 4)?,
            size_or_type: word(self.data, at + 8)?,
            rest: at + 12,
        })
    }

    fn string(&self, at: u32) -> Option<&'a [u8]> {
        let rest = self.strings.get(at as usize..)?;
        rest.get(..rest.iter().position(|b| *b == 0)?)
    }

    /// The type behind typedefs and qualifiers.
    fn bare(&self, mut id: u32) -> Option<u32> {
        for _ in 0..MAX_DEPTH {
            let head = self.head(id)?;
            match head.kind() {
                kind::TYPEDEF | kind::VOLATILE | kind::CONST | kind::RESTRICT | kind::TYPE_TAG => {
                    id = head.size_or_type
                }
                _ => return Some(id),
            }
        }
        None
    }

    /// Offset and type of a member. Bit fields have no place in whole bytes and are not found.
    fn member(&self, of: u32, name: &[u8], depth: u32) -> Option<(u32, u32)> {
        let head = self.head(self.bare(of)?)?;
        if !matches!(head.kind(), kind::STRUCT | kind::UNION) || depth > MAX_DEPTH {
            return None;
        }
        for at in (0..head.len()).map(|i| head.rest + i * 12) {
            let (member, ty, bits) =
                (self.string(word(self.data, at)?)?, word(self.data, at + 4)?, word(self.data, at + 8)?);
            let (offset, width) = if head.has_bit_fields() { (bits & 0xff_ffff, bits >> 24) } else { (bits, 0) };
            if member == name && width == 0 {
                return Some((offset / 8, ty));
            }
            if member.is_empty()
                && let Some((inner, ty)) = self.member(ty, name, depth + 1)
            {
                return Some((offset / 8 + inner, ty));
            }
        }
        None
    }

    fn size(&self, id: u32, depth: u32) -> Option<u32> {
        let head = self.head(self.bare(id)?)?;
        match head.kind() {
            kind::PTR => Some(8),
            kind::ARRAY if depth < MAX_DEPTH => {
                let element = self.size(word(self.data, head.rest)?, depth + 1)?;
                element.checked_mul(word(self.data, head.rest + 8)?)
            }
            kind::INT | kind::STRUCT | kind::UNION | kind::ENUM | kind::ENUM64 => Some(head.size_or_type),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes BTF, so that the reader can be tested on any kernel's shapes.
    #[derive(Default)]
    struct Writer {
        types: Vec<u8>,
        strings: Vec<u8>,
        count: u32,
    }

    impl Writer {
        fn new() -> Self {
            Writer { strings: vec![0], ..Writer::default() }
        }

        fn name(&mut self, name: &str) -> u32 {
            if name.is_empty() {
                return 0;
            }
            let at = self.strings.len() as u32;
            self.strings.extend_from_slice(name.as_bytes());
            self.strings.push(0);
            at
        }

        fn add(&mut self, name: &str, kind: u32, len: u32, size: u32, rest: &[u32]) -> u32 {
            let name = self.name(name);
            for w in [name, kind << 24 | len, size].iter().chain(rest) {
                self.types.extend_from_slice(&w.to_ne_bytes());
            }
            self.count += 1;
            self.count
        }

        fn record(&mut self, name: &str, flags: u32, size: u32, members: &[(&str, u32, u32)]) -> u32 {
            let rest: Vec<u32> = members.iter().flat_map(|(n, ty, bits)| [self.name(n), *ty, *bits]).collect();
            self.add(name, flags, members.len() as u32, size, &rest)
        }

        fn file(&self) -> Vec<u8> {
            let mut file = MAGIC.to_ne_bytes().to_vec();
            file.extend([1, 0]);
            for w in [24, 0, self.types.len() as u32, self.types.len() as u32, self.strings.len() as u32] {
                file.extend_from_slice(&w.to_ne_bytes());
            }
            file.extend_from_slice(&self.types);
            file.extend_from_slice(&self.strings);
            file
        }
    }

    fn sample() -> Vec<u8> {
        let mut w = Writer::new();
        let int = w.add("int", kind::INT, 0, 4, &[0]);
        let ptr = w.add("", kind::PTR, 0, int, &[]);
        let inner = w.record("", kind::STRUCT, 8, &[("hash", int, 0), ("len", int, 32)]);
        let either = w.record("", kind::UNION, 8, &[("", inner, 0), ("both", ptr, 0)]);
        let qstr = w.record("qstr", kind::STRUCT, 16, &[("", either, 0), ("name", ptr, 64)]);
        let fixed = w.add("", kind::CONST, 0, qstr, &[]);
        let array = w.add("", kind::ARRAY, 0, 0, &[ptr, int, 4]);
        let bits = kind::STRUCT | 0x80;
        w.record("thing", bits, 64, &[("flag", int, 1 << 24), ("d_name", fixed, 64), ("pids", array, 192)]);
        let name = w.name("pids_cgrp_id");
        w.add("ids", kind::ENUM, 1, 4, &[name, 11]);
        w.file()
    }

    #[test]
    fn fields_are_found_through_anonymous_members_arrays_and_qualifiers() {
        let file = sample();
        let types = Types::parse(&file).expect("parses");
        assert_eq!(types.field("qstr", "len"), Some(Place { offset: 4, size: 4 }));
        assert_eq!(types.field("thing", "d_name.name"), Some(Place { offset: 16, size: 8 }));
        assert_eq!(types.field("thing", "d_name.len"), Some(Place { offset: 12, size: 4 }));
        assert_eq!(types.field("thing", "pids[3]"), Some(Place { offset: 48, size: 8 }));
        assert_eq!(types.field("thing", "pids"), Some(Place { offset: 24, size: 32 }));
        assert_eq!(types.enumerator("ids", "pids_cgrp_id"), Some(11));
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let file = sample();
        let types = Types::parse(&file).expect("parses");
        for (of, path) in
            [("thing", "flag"), ("thing", "d_name[0]"), ("thing", "x"), ("none", "x"), ("thing", "pids[x]")]
        {
            assert_eq!(types.field(of, path), None, "{of}.{path}");
        }
        assert_eq!(types.enumerator("ids", "memory_cgrp_id"), None);
        assert_eq!(types.enumerator("thing", "pids"), None);
    }

    #[test]
    fn damaged_data_never_panics() {
        let file = sample();
        for cut in 0..file.len() {
            if let Some(types) = Types::parse(&file[..cut]) {
                let _ = types.field("thing", "d_name.len");
            }
        }
        for at in 0..file.len() {
            for value in [0, 0x7f, 0xff] {
                let mut damaged = file.clone();
                damaged[at] = value;
                if let Some(types) = Types::parse(&damaged) {
                    let _ = types.field("thing", "d_name.len");
                    let _ = types.field("thing", "pids[3]");
                    let _ = types.enumerator("ids", "pids_cgrp_id");
                }
            }
        }
    }
}
